// From what the network says of pixels to their Gaussians: the nearest kernel, bounded offsets, corrected
// colours. As gsr/methods/gaussiansr.py does it.

import { Correction } from "./correction.js";

export class Gaussians {
  constructor(model, machine) {
    this.model = model;
    this.correction = model.gain ? new Correction(model, machine) : null;
    this.lengths = Float64Array.from({ length: model.kernels }, (_, k) => (
      0.5 * [0, 1, 2].reduce((sum, c) => sum + model.bank[4 * k + c] ** 2, 0)
    ));
  }

  // The part of a field for the rectangle `core` of a tile { width, height, planes }; said is { values,
  // stride } of the whole tile, and is written into.
  of(tile, said, core, grey) {
    const { model } = this;
    const index = this.nearest(said, tile.width * tile.height);
    this.settle(tile, said);
    const missing = this.correction?.missing(tile, { ...said, index }, core);
    return {
      ...partOf(model, core),
      maps: mapsOf(model, tile, { ...said, index, missing }, core, grey),
    };
  }

  // Which kernel of the bank each pixel is nearest to.
  nearest({ values, stride }, count) {
    const { bank, kernels, heads } = this.model;
    const index = new Uint16Array(count);
    for (let i = 0; i < count; i++) {
      const at = i * stride + heads.evidence;
      const [x, y, z] = [values[at], values[at + 1], values[at + 2]];
      let most = -Infinity;
      for (let k = 0; k < kernels; k++) {
        const score = x * bank[4 * k] + y * bank[4 * k + 1] + z * bank[4 * k + 2] - this.lengths[k];
        if (score <= most) continue;
        most = score;
        index[i] = k;
      }
    }
    return index;
  }

  // Offsets of at most half a pixel, and colours instead of what is added to the picture.
  settle({ width, height, planes }, { values, stride }) {
    const { heads } = this.model;
    const count = width * height;
    for (let i = 0; i < count; i++) {
      const at = i * stride;
      for (let c = 0; c < 2; c++) {
        values[at + heads.offsets + c] = 0.5 * Math.tanh(values[at + heads.offsets + c]);
      }
      for (let c = 0; c < 3; c++) values[at + heads.colors + c] += planes[c * count + i];
    }
  }
}

function partOf(model, { width, height, place, whole }) {
  const { model: name, kernels, radius, finest, footprint, bank, decoder } = model;
  return { width, height, place, whole, model: name, kernels, radius, finest, footprint, bank, decoder };
}

function mapsOf({ heads, slopes, features, gain }, tile, { values, stride, index, missing }, core, grey) {
  const count = core.width * core.height;
  const cut = (channels, read) => {
    const found = new Float32Array(channels * count);
    for (let y = 0; y < core.height; y++) {
      for (let x = 0; x < core.width; x++) {
        const i = (core.top + y) * tile.width + core.left + x;
        for (let c = 0; c < channels; c++) found[c * count + y * core.width + x] = read(i, c);
      }
    }
    return { channels, values: found };
  };
  const said = (name, channels) => cut(channels, (i, c) => values[i * stride + heads[name] + c]);
  const maps = {
    lr: cut(3, (i, c) => tile.planes[c * tile.width * tile.height + i]),
    index: cut(1, (i) => index[i]),
    evidence: said("evidence", 3),
    offsets: said("offsets", 2),
    colors: said("colors", 3),
    slopes: said("slopes", slopes),
    feat: said("feat", features),
    mixed: { channels: 0, values: new Float32Array(0) },
  };
  if (missing) missing.forEach((value, i) => { maps.colors.values[i] += gain * value; });
  if (grey) {
    level(maps.colors.values, count, 1);
    level(maps.slopes.values, count, 2);
  }
  return maps;
}

// The mean of red, green and blue in place of each; `axes` numbers belong to each of them.
function level(values, count, axes) {
  const apart = axes * count;
  if (!values.length) return;
  for (let i = 0; i < apart; i++) {
    const mean = (values[i] + values[i + apart] + values[i + 2 * apart]) / 3;
    for (let c = 0; c < 3; c++) values[i + c * apart] = mean;
  }
}

// The decoder of a grey picture, which adds grey: as gsr.field.payload packs it.
export function greyDecoder(decoder) {
  const last = decoder[decoder.length - 1];
  const weight = Float32Array.from(last.weight);
  const bias = Float32Array.from(last.bias);
  level(weight, last.columns, 1);
  level(bias, 1, 1);
  return [...decoder.slice(0, -1), { ...last, weight, bias }];
}
