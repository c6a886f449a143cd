// The formula of gsr/network/splat/reference.py in plain numbers: who made a colour, what a kernel is.
// `field` is what readPayload gives. Lengths are LR pixels.

const SIGMA_RANGE = [0.1, 4];
const RHO_LIMIT = 0.98;
const MAX_EXPONENT = 60;
export const TEMPERATURE = 0.15 ** 2; // of the classifier, see gsr/network/classifier.py
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Raw parameters -> { sigma_x, sigma_y, rho, opacity }
export function physical(raw, at = 0) {
  const [low, high] = SIGMA_RANGE.map(Math.log);
  return {
    sigma_x: Math.exp(clamp(raw[at], low, high)),
    sigma_y: Math.exp(clamp(raw[at + 1], low, high)),
    rho: RHO_LIMIT * Math.tanh(raw[at + 2]),
    opacity: 1 / (1 + Math.exp(-clamp(raw[at + 3], -15, 15))),
  };
}

export function covariance({ sigma_x, sigma_y, rho }) {
  return { xx: sigma_x ** 2, xy: rho * sigma_x * sigma_y, yy: sigma_y ** 2 };
}

// One-sigma half axes and the direction of the longer one.
export function ellipse(kernel) {
  const { xx, xy, yy } = covariance(kernel);
  const [mean, half] = [(xx + yy) / 2, (xx - yy) / 2];
  const radius = Math.hypot(half, xy);
  return {
    major: Math.sqrt(mean + radius),
    minor: Math.sqrt(Math.max(0, mean - radius)),
    angle: Math.atan2(xy, half) / 2,
  };
}

// The kernel of a pixel: of the bank, unless an edit mixed one.
export function kernelAt(field, i) {
  const { index, mixed } = field.maps;
  if (!mixed.channels) return physical(field.bank, 4 * index.values[i]);
  return physical([0, 1, 2, 3].map((c) => channel(field, mixed, c, i)));
}

function channel(field, map, c, i) {
  return map.values[c * field.width * field.height + i];
}

// 1 near the pixel, 0 at the edge of the window, smooth between.
export function taper(distance, radius) {
  const u = clamp(Math.abs(distance) - (radius - 0.5), 0, 1);
  return 1 - u * u * (3 - 2 * u);
}

// Every Gaussian with a weight at a point: { column, row, i, weight, dx, dy }.
export function reaching(field, x, y, scale) {
  const { width, height, radius } = field;
  const found = [];
  const column = clamp(Math.floor(x), 0, width - 1);
  const row = clamp(Math.floor(y), 0, height - 1);
  for (let r = Math.max(0, row - radius); r <= Math.min(height - 1, row + radius); r++) {
    for (let c = Math.max(0, column - radius); c <= Math.min(width - 1, column + radius); c++) {
      const tap = weigh(field, c, r, x, y, scale);
      if (tap.weight > 0) found.push(tap);
    }
  }
  return found;
}

// The weight of the Gaussian of one pixel at a point.
export function weigh(field, column, row, x, y, scale) {
  const i = row * field.width + column;
  const kernel = kernelAt(field, i);
  const { xx, xy, yy } = covariance(kernel);
  const footprint = (field.footprint / scale) ** 2;
  const [a, c] = [xx + footprint, yy + footprint];
  const determinant = a * c - xy * xy;
  const [px, py] = [x - column - 0.5, y - row - 0.5];
  const dx = px - channel(field, field.maps.offsets, 0, i);
  const dy = py - channel(field, field.maps.offsets, 1, i);
  const exponent = (0.5 * (c * dx * dx + a * dy * dy) - xy * dx * dy) / determinant;
  const fade = taper(px, field.radius) * taper(py, field.radius);
  const weight = kernel.opacity * Math.exp(-Math.min(exponent, MAX_EXPONENT)) * fade;
  return { column, row, i, weight, dx, dy };
}

// What a Gaussian brings: its colour at the point, then its features and the way to its mean.
function brought(field, { i, dx, dy }) {
  const { colors, slopes, feat } = field.maps;
  const rgb = [0, 1, 2].map((c) => {
    const change = slopes.channels
      ? dx * channel(field, slopes, 2 * c, i) + dy * channel(field, slopes, 2 * c + 1, i)
      : 0;
    return channel(field, colors, c, i) + change;
  });
  const rest = Array.from({ length: feat.channels }, (_, c) => channel(field, feat, c, i));
  return [...rgb, ...rest, dx, dy];
}

// Colours of weighted means [rgb, features, mean offset] seen at a magnification.
export function decode(field, mean, scale) {
  const splatted = mean.slice(0, 3);
  const cell = 1 / Math.min(scale, field.finest);
  let values = [...mean.slice(3), cell, cell];
  field.decoder.forEach(({ rows, columns, weight, bias }, layer) => {
    const out = new Array(rows);
    for (let r = 0; r < rows; r++) {
      let sum = bias[r];
      for (let c = 0; c < columns; c++) sum += weight[r * columns + c] * values[c];
      out[r] = layer < field.decoder.length - 1 ? Math.max(0, sum) : sum;
    }
    values = out;
  });
  return { splatted, residual: values, rgb: splatted.map((v, c) => v + values[c]) };
}

// As gsr.field.inspection.explain; below magnification 1 the one at 1.
export function explain(field, x, y, scale) {
  const seen = Math.max(1, scale);
  const taps = reaching(field, x, y, seen);
  const vectors = taps.map((tap) => brought(field, tap));
  const sumOf = (skip) => {
    let total = 0;
    const sums = new Array(vectors[0].length).fill(0);
    taps.forEach((tap, k) => {
      if (k === skip) return;
      total += tap.weight;
      vectors[k].forEach((value, c) => { sums[c] += tap.weight * value; });
    });
    return { total, mean: sums.map((sum) => sum / (total || 1)) };
  };
  const whole = sumOf(-1);
  const { splatted, residual, rgb } = decode(field, whole.mean, seen);
  const contributions = taps.map((tap, k) => {
    const without = decode(field, sumOf(k).mean, seen).rgb;
    return {
      column: tap.column, row: tap.row, kernel: field.maps.index.values[tap.i],
      share: tap.weight / whole.total,
      mean: [x - tap.dx, y - tap.dy],
      color: vectors[k].slice(0, 3),
      change: rgb.map((value, c) => value - without[c]),
    };
  });
  contributions.sort((one, other) => other.share - one.share);
  const column = clamp(Math.floor(x), 0, field.width - 1);
  const row = clamp(Math.floor(y), 0, field.height - 1);
  const i = row * field.width + column;
  const { index, second, confidence } = choose(field, i);
  return {
    x, y, scale: [seen, seen], column, row, kernel: field.maps.index.values[i],
    chosen: index, second, confidence, splatted, residual, rgb, contributions,
  };
}

// What the classifier says of a pixel: softmax of the squared distances to the bank.
export function choose(field, i) {
  const predicted = [0, 1, 2].map((c) => channel(field, field.maps.evidence, c, i));
  const scores = new Float64Array(field.kernels);
  let [best, next] = [0, 0];
  for (let k = 0; k < field.kernels; k++) {
    let distance = 0;
    for (let c = 0; c < 3; c++) distance += (predicted[c] - field.bank[4 * k + c]) ** 2;
    scores[k] = -distance / (2 * TEMPERATURE);
    if (k === 0) continue;
    if (scores[k] > scores[best]) [best, next] = [k, best];
    else if (next === best || scores[k] > scores[next]) next = k;
  }
  let [total, weighted] = [0, 0];
  for (const score of scores) {
    const part = Math.exp(score - scores[best]);
    total += part;
    weighted += part * (score - scores[best]);
  }
  const entropy = (Math.log(total) - weighted / total) / Math.log(2);
  return { index: best, second: next, confidence: 1 / total, entropy };
}
