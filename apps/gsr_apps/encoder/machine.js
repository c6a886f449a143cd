// Memory and the two loops that all arithmetic on the processor goes through: by WebAssembly with
// vectors, or in plain numbers where a browser has none.

import { BLOCK, PARAMETERS, moduleBytes } from "./wasm.js";

const PAGE = 65536;

// A machine has `floats` (all its memory), reserve(count) -> the place of this many zeros, in bytes, and
// convolve(call) and mix(call) with the members of PARAMETERS. `release(place)` gives back all that was
// reserved since.
class Machine {
  constructor(name, grow, convolve, mix) {
    this.name = name;
    this.grow = grow;
    this.convolve = convolve;
    this.mix = mix;
    this.next = 16;
    this.floats = grow(PAGE);
  }

  reserve(count) {
    const place = this.next;
    this.next = place + 4 * Math.ceil(count / 4) * 4;
    if (this.next > this.floats.byteLength) this.floats = this.grow(this.next);
    this.floats.fill(0, place / 4, this.next / 4);
    return place;
  }

  release(place) {
    this.next = place;
  }

  put(values) {
    const place = this.reserve(values.length);
    this.floats.set(values, place / 4);
    return place;
  }
}

export function makeMachine(way = "wasm") {
  const known = way === "wasm" && globalThis.WebAssembly
    ? [moduleBytes(true), moduleBytes(false)].find((bytes) => WebAssembly.validate(bytes)) : null;
  return known ? compiled(known) : plain();
}

function compiled(bytes) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { page: { memory } });
  const run = (name) => (call) => /** @type {any} */ (exports)[name](...PARAMETERS.map((parameter) => call[parameter]));
  const grow = (length) => {
    const missing = Math.ceil((length - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return new Float32Array(memory.buffer);
  };
  return new Machine("WebAssembly", grow, run("convolve"), run("mix"));
}

function plain() {
  let floats = new Float32Array(0);
  const grow = (length) => {
    const larger = new Float32Array(Math.ceil(length / PAGE) * (PAGE / 4));
    larger.set(floats);
    return (floats = larger);
  };
  return new Machine(
    "plain JavaScript", grow, (call) => weighted(floats, call, 3), (call) => weighted(floats, call, 1),
  );
}

// What wasm.js computes, a row at a time.
function weighted(floats, call, side) {
  const of = Object.fromEntries(Object.entries(call).map(([name, value]) => [name, value / 4]));
  const { inputs, groups, rows, blocks } = call;
  const taps = side * side;
  const length = blocks * BLOCK;
  const floor = floats[of.floor];
  const sums = new Float32Array(length);
  for (let output = 0; output < 4 * groups; output++) {
    const weights = of.weights + Math.floor(output / 4) * inputs * taps * 4 + (output % 4);
    for (let row = 0; row < rows; row++) {
      sums.fill(floats[of.bias + output]);
      for (let i = 0; i < inputs * taps; i++) {
        const [input, tap] = [Math.floor(i / taps), i % taps];
        const line = row + Math.floor(tap / side);
        const from = of.source + input * of.sourcePlane + line * of.sourceRow + (tap % side);
        addScaled(sums, floats[weights + 4 * i], floats, from, length);
      }
      const place = output * of.targetPlane + row * of.targetRow;
      for (let x = 0; x < length; x++) {
        const more = call.added ? floats[of.added + place + x] : 0;
        floats[of.target + place + x] = Math.max(floor, sums[x]) + more;
      }
    }
  }
}

function addScaled(sums, weight, floats, from, length) {
  for (let x = 0; x < length; x++) sums[x] += weight * floats[from + x];
}

// Weights [out][in][taps] in the order of the loops: four outputs side by side.
export function interleaved(weights, outputs, inputs, taps) {
  const groups = Math.ceil(outputs / 4);
  const packed = new Float32Array(groups * inputs * taps * 4);
  for (let output = 0; output < outputs; output++) {
    const start = Math.floor(output / 4) * inputs * taps * 4 + (output % 4);
    for (let i = 0; i < inputs * taps; i++) packed[start + 4 * i] = weights[output * inputs * taps + i];
  }
  return packed;
}

// A bias for each output, zeros to the next four.
export function padded(bias) {
  const values = new Float32Array(4 * Math.ceil(bias.length / 4));
  values.set(bias);
  return values;
}
