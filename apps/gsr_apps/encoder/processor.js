// The network on the processor: maps of features in memory, one convolution after the other.

import { interleaved, padded } from "./machine.js";
import { BLOCK } from "./wasm.js";

export class ProcessorNetwork {
  constructor(model, machine) {
    this.machine = machine;
    this.outputs = model.outputs;
    this.floors = { true: machine.put([0]), false: machine.put([-Infinity]) };
    this.layers = model.convolutions.map(({ weights, bias, inputs, outputs, relu, adds }) => ({
      inputs, outputs, adds, floor: this.floors[relu],
      weights: machine.put(interleaved(weights, outputs, inputs, 9)), bias: machine.put(padded(bias)),
    }));
    this.name = machine.name;
  }

  // What the heads say of a picture's pixels { width, height, planes }: { values, stride }, pixel by pixel.
  run({ width, height, planes }) {
    const { machine } = this;
    const start = machine.next;
    const make = (channels) => sheet(machine, 4 * Math.ceil(channels / 4), width, height);
    const picture = make(3);
    fill(machine, picture, planes);
    const channels = this.layers[0].outputs;
    const head = make(channels);
    const spare = [make(channels), make(channels), make(channels)];
    const last = make(this.outputs);
    let now = picture;
    let block = head;
    this.layers.forEach((layer, i) => {
      const target = i === 0 ? head : i === this.layers.length - 1 ? last
        : spare.find((one) => one !== now && one !== block);
      this.convolve(layer, now, target, { block, head }[layer.adds]);
      now = target;
      if (layer.adds === "block" || i === 0) block = now;
    });
    const values = pixelByPixel(machine, last, this.outputs);
    machine.release(start);
    return { values, stride: this.outputs };
  }

  convolve(layer, source, target, added) {
    const { machine } = this;
    machine.convolve({
      source: source.place, sourcePlane: source.plane, sourceRow: source.row,
      target: inside(target), targetPlane: target.plane, targetRow: target.row,
      added: added ? inside(added) : 0,
      weights: layer.weights, bias: layer.bias, floor: layer.floor,
      inputs: layer.inputs, groups: Math.ceil(layer.outputs / 4), rows: source.height, blocks: source.blocks,
    });
    clearRight(machine, target);
  }
}

// A map with a border of zeros around it, and to the right up to whole blocks; row by row, and in a row
// plane by plane, so that what one block reads lies near together.
function sheet(machine, planes, width, height) {
  const blocks = Math.ceil(width / BLOCK);
  const length = blocks * BLOCK + 4;
  const place = machine.reserve((height + 2) * planes * length);
  return { place, planes, width, height, blocks, length, plane: 4 * length, row: 4 * planes * length };
}

const inside = ({ place, row }) => place + row + 4;

// The picture as the network wants it, -1 to 1.
function fill(machine, target, planes) {
  const { width, height } = target;
  const { floats } = machine;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const at = (inside(target) + y * target.row + c * target.plane) / 4;
      for (let x = 0; x < width; x++) floats[at + x] = (planes[(c * height + y) * width + x] - 0.5) / 0.5;
    }
  }
}

// Whole blocks were written: what lies right of the picture is border again.
function clearRight({ floats }, { place, planes, width, height, blocks, length }) {
  if (width === blocks * BLOCK) return;
  for (let line = planes; line < (height + 1) * planes; line++) {
    const at = place / 4 + line * length + 1;
    floats.fill(0, at + width, at + blocks * BLOCK);
  }
}

function pixelByPixel({ floats }, source, channels) {
  const { width, height } = source;
  const values = new Float32Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < channels; c++) {
      const from = (inside(source) + y * source.row + c * source.plane) / 4;
      for (let x = 0; x < width; x++) values[(y * width + x) * channels + c] = floats[from + x];
    }
  }
  return values;
}
