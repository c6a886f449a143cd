// What the result at magnification 2, reduced again, misses of the picture: gsr/network/correction.py.

import { covariance, physical, taper } from "../viewer/formula.js";
import { interleaved, padded } from "./machine.js";
import { BLOCK } from "./wasm.js";

const FACTOR = 2;
const REDUCTION = 2; // LR pixels that the reduction reads on either side
const BAND = 16384; // points that are decoded at a time
const CUT = 1e-7; // weights below this part of the sum so far are passed over
const POINTS = [[-0.25, -0.25], [0.25, -0.25], [-0.25, 0.25], [0.25, 0.25]]; // of a pixel, from its centre
const clamp = (value) => Math.min(1, Math.max(0, value));

export class Correction {
  constructor(model, machine) {
    this.model = model;
    this.machine = machine;
    this.bank = conics(model);
    this.taps = tapsOf(model.radius);
    const cell = 1 / Math.min(FACTOR, model.finest);
    const floors = { true: machine.put([0]), false: machine.put([-Infinity]) };
    this.layers = model.decoder.map(({ rows, columns, weight, bias }, i) => {
      const inputs = i === 0 ? columns - 2 : columns; // the size of a pixel goes into the bias
      const cut = new Float32Array(rows * inputs);
      const moved = Float32Array.from(bias);
      for (let row = 0; row < rows; row++) {
        cut.set(weight.subarray(row * columns, row * columns + inputs), row * inputs);
        for (let c = inputs; c < columns; c++) moved[row] += weight[row * columns + c] * cell;
      }
      return {
        inputs, outputs: rows, floor: floors[i < model.decoder.length - 1],
        weights: machine.put(interleaved(cut, rows, inputs, 1)), bias: machine.put(padded(moved)),
      };
    });
  }

  // Picture minus reduced result, three planes of the rectangle { left, top, width, height } of a tile
  // { width, height, planes }. `maps` is { values, stride, index } pixel by pixel, values as the network
  // says them but for offsets and colours, which are the Gaussians' own.
  missing(tile, maps, rectangle) {
    const span = (start, length, most) => [
      Math.max(0, start - REDUCTION), Math.min(most, start + length + REDUCTION),
    ];
    const [left, right] = span(rectangle.left, rectangle.width, tile.width);
    const [top, bottom] = span(rectangle.top, rectangle.height, tile.height);
    const large = this.rendered(tile, maps, { left, top, right, bottom });
    const small = reduced(large, FACTOR * (right - left), FACTOR * (bottom - top), {
      left: rectangle.left - left, top: rectangle.top - top, ...rectangleSize(rectangle),
    });
    const { width, height } = rectangle;
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < height; y++) {
        const from = (c * tile.height + rectangle.top + y) * tile.width + rectangle.left;
        for (let x = 0; x < width; x++) {
          const i = (c * height + y) * width + x;
          small[i] = tile.planes[from + x] - clamp(small[i]);
        }
      }
    }
    return small;
  }

  // The result at magnification 2 between these LR columns and rows, three planes.
  rendered(tile, maps, { left, top, right, bottom }) {
    const wide = FACTOR * (right - left);
    const count = wide * FACTOR * (bottom - top);
    const found = new Float32Array(3 * count);
    const rows = Math.max(1, Math.floor(BAND / (FACTOR * wide)));
    for (let row = top; row < bottom; row += rows) {
      const end = Math.min(bottom, row + rows);
      const band = this.band(tile, maps, { left, right, top: row, bottom: end });
      const length = wide * FACTOR * (end - row);
      for (let c = 0; c < 3; c++) {
        const at = c * count + FACTOR * (row - top) * wide;
        for (let i = 0; i < length; i++) found[at + i] = clamp(band[c * length + i]);
      }
    }
    return found;
  }

  // As `rendered`, all of it at once.
  band(tile, maps, area) {
    const { machine, layers } = this;
    const start = machine.next;
    const columns = area.right - area.left;
    const points = FACTOR * FACTOR * columns * (area.bottom - area.top);
    const length = BLOCK * Math.ceil(points / BLOCK);
    let input = machine.reserve(length * layers[0].inputs);
    const colors = new Float32Array(3 * points);
    this.splat(tile, maps, area, (point, sums, at) => {
      for (let c = 0; c < 3; c++) colors[c * points + point] = sums[at + c];
      let to = input / 4 + point;
      for (let c = 0; c < layers[0].inputs; c++, to += length) machine.floats[to] = sums[at + 3 + c];
    });
    for (const layer of layers) {
      const target = machine.reserve(length * 4 * Math.ceil(layer.outputs / 4));
      machine.mix({
        source: input, sourcePlane: 4 * length, sourceRow: 0, target, targetPlane: 4 * length, targetRow: 0,
        added: 0, weights: layer.weights, bias: layer.bias, floor: layer.floor, inputs: layer.inputs,
        groups: Math.ceil(layer.outputs / 4), rows: 1, blocks: length / BLOCK,
      });
      input = target;
    }
    for (let c = 0; c < 3; c++) {
      const from = input / 4 + c * length;
      for (let i = 0; i < points; i++) colors[c * points + i] += machine.floats[from + i];
    }
    machine.release(start);
    return colors;
  }

  // Means [rgb, features, way to the mean] at the four points of each pixel: use(point, sums, where).
  splat(tile, maps, { left, right, top, bottom }, use) {
    const { model, bank, taps } = this;
    const { values, stride, index } = maps;
    const { heads, features, slopes } = model;
    const size = 3 + features + 2 + 1;
    const sums = new Float64Array(4 * size);
    const wide = FACTOR * (right - left);
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        sums.fill(0);
        for (const { x, y, fades } of taps) {
          const [c, r] = [column + x, row + y];
          if (c < 0 || r < 0 || c >= tile.width || r >= tile.height) continue;
          const at = (r * tile.width + c) * stride;
          const k = 4 * index[r * tile.width + c];
          for (let s = 0; s < 4; s++) {
            const dx = POINTS[s][0] - x - values[at + heads.offsets];
            const dy = POINTS[s][1] - y - values[at + heads.offsets + 1];
            const e = 0.5 * (bank[k] * dx * dx + bank[k + 2] * dy * dy) + bank[k + 1] * dx * dy;
            const w = fades[s] * bank[k + 3] * Math.exp(-Math.min(e, 60));
            const to = s * size;
            if (w <= CUT * sums[to + size - 1]) continue;
            for (let i = 0; i < 3; i++) {
              const from = at + heads.slopes + 2 * i;
              const change = slopes ? dx * values[from] + dy * values[from + 1] : 0;
              sums[to + i] += w * (values[at + heads.colors + i] + change);
            }
            for (let i = 0; i < features; i++) sums[to + 3 + i] += w * values[at + heads.feat + i];
            sums[to + size - 3] += w * dx;
            sums[to + size - 2] += w * dy;
            sums[to + size - 1] += w;
          }
        }
        for (let s = 0; s < 4; s++) {
          const total = sums[s * size + size - 1];
          for (let i = s * size; i < s * size + size - 1; i++) sums[i] /= total;
          const [x, y] = [FACTOR * (column - left) + (s & 1), FACTOR * (row - top) + (s >> 1)];
          use(y * wide + x, sums, s * size);
        }
      }
    }
  }
}

const rectangleSize = ({ width, height }) => ({ width, height });

// Inverse covariances (xx, xy, yy) and opacities of the bank at this magnification.
function conics({ bank, kernels, footprint }) {
  const found = new Float64Array(4 * kernels);
  const widened = (footprint / FACTOR) ** 2;
  for (let k = 0; k < kernels; k++) {
    const kernel = physical(bank, 4 * k);
    const { xx, xy, yy } = covariance(kernel);
    const [a, c] = [xx + widened, yy + widened];
    const determinant = a * c - xy * xy;
    found.set([c / determinant, -xy / determinant, a / determinant, kernel.opacity], 4 * k);
  }
  return found;
}

// The window around a pixel, nearest first, with the taper at each of the four points.
function tapsOf(radius) {
  const all = [];
  for (let y = -radius; y <= radius; y++) {
    for (let x = -radius; x <= radius; x++) {
      all.push({ x, y, fades: POINTS.map(([px, py]) => taper(px - x, radius) * taper(py - y, radius)) });
    }
  }
  return all.sort((one, other) => one.x ** 2 + one.y ** 2 - other.x ** 2 - other.y ** 2);
}

// Keys' cubic, a = -0.5, widened by the factor: of the eight pixels around one, fewer at a border.
function weightsAt(position, length) {
  const centre = FACTOR * (position + 0.5);
  const first = Math.max(0, Math.trunc(centre - 2 * FACTOR + 0.5));
  const end = Math.min(length, Math.trunc(centre + 2 * FACTOR + 0.5));
  const weights = [];
  for (let i = first; i < end; i++) {
    const d = Math.abs(i - centre + 0.5) / FACTOR;
    weights.push(d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}

// Three planes of this width and height, reduced by two; only a rectangle of the small picture.
function reduced(planes, width, height, rectangle) {
  const across = Array.from({ length: rectangle.width }, (_, x) => weightsAt(rectangle.left + x, width));
  const down = Array.from({ length: rectangle.height }, (_, y) => weightsAt(rectangle.top + y, height));
  const narrow = new Float32Array(height * rectangle.width);
  const found = new Float32Array(3 * rectangle.width * rectangle.height);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      across.forEach(({ first, weights }, x) => {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * planes[(c * height + y) * width + first + i];
        narrow[y * rectangle.width + x] = sum;
      });
    }
    down.forEach(({ first, weights }, y) => {
      for (let x = 0; x < rectangle.width; x++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * narrow[(first + i) * rectangle.width + x];
        found[(c * rectangle.height + y) * rectangle.width + x] = sum;
      }
    });
  }
  return found;
}
