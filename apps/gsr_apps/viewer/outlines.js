// Drawn on top of the pixels: maps, outlines of Gaussians, the explained point, a footprint.

import {
  directionCss, kernelCss, numberCss, packedCss, rampCss, rgbCss, sizeCss,
} from "./colors.js";
import { placeOf } from "./layers.js";

/** @typedef {[width: number, color: string, dash?: number[]]} Stroke in CSS pixels */

/** @type {(...strokes: Stroke[]) => Stroke[]} a dark rim first, so that it is seen on any picture */
export const strokes = (...all) => all;

export const MOVING_LIMIT = 3000; // outlines that are redrawn for every pointer event
const OUTLINED_LIMIT = 900; // up to here each gets a dark rim, to be seen on any picture

// A bitmap over a rectangle of the picture.
export function drawMap(context, viewport, bitmap, opacity, area = null, smooth = false) {
  const { x, y, width, height } = area ?? { x: 0, y: 0, ...viewport.picture };
  context.save();
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = smooth;
  context.drawImage(bitmap, ...placeOf(viewport, x, y, width, height));
  context.restore();
}

// What a Gaussian looks like: its kernel, or a shape of its own after kernels were mixed.
export function shapeOf(part, kernels) {
  const { major, minor, angle } = part;
  return major === undefined ? kernels[part.kernel] : { ...kernels[part.kernel], major, minor, angle };
}

// The same for the i-th of a list: (i) to shape.
export function shapesOf(list, kernels) {
  if (!list.major) return (i) => kernels[list.kernel[i]];
  return (i) => ({
    major: list.major[i], minor: list.minor[i], angle: list.angle[i], opacity: list.opacity?.[i],
  });
}

// A colour for each shape; those of the bank are worked out once.
function byShape(list, kernels, colorOf) {
  const shape = shapesOf(list, kernels);
  if (list.major) return (i) => colorOf(shape(i));
  const colors = kernels.map(colorOf);
  return (i) => colors[list.kernel[i]];
}

// How an ellipse gets its colour: (list, kernels) to (i) to CSS. `gsr/field/svg.py` has the same.
export const COLORINGS = {
  kernel: (list, kernels) => byShape(list, kernels, kernelCss),
  direction: (list, kernels) => byShape(list, kernels, directionCss),
  size: (list, kernels) => byShape(list, kernels, sizeCss),
  opacity: (list, kernels) => byShape(list, kernels, ({ opacity }) => rampCss(opacity ?? 1)),
  confidence: (list) => (i) => rampCss(list.confidence?.[i] ?? 1),
  own: (list) => (i) => packedCss(list.color[i]),
  number: (list) => (i) => numberCss(list.kernel[i]),
};

// Returns the step at which Gaussians were drawn: every step-th row and column.
export function drawEllipses(context, viewport, list, kernels, options) {
  const { sigma, colorBy, dpr, moving } = options;
  const chosen = visibleOnes(viewport, list, kernels, sigma);
  let step = list.step;
  let drawn = chosen;
  while (moving && drawn.length > MOVING_LIMIT) {
    step *= 2;
    drawn = chosen.filter((i) => list.column[i] % step === 0 && list.row[i] % step === 0);
  }
  context.save();
  if (drawn.length <= OUTLINED_LIMIT) {
    context.lineWidth = 2.4 * dpr;
    context.strokeStyle = "rgba(0, 0, 0, 0.35)";
    strokeAll(context, viewport, list, kernels, drawn, sigma);
  }
  context.lineWidth = (drawn.length > 4000 ? 1 : 1.5) * dpr;
  // One path per colour: a stroke costs more than the ellipses in it.
  for (const [color, own] of grouped(drawn, COLORINGS[colorBy](list, kernels))) {
    context.strokeStyle = color;
    strokeAll(context, viewport, list, kernels, own, sigma);
  }
  context.restore();
  return step;
}

function grouped(drawn, colorOf) {
  const groups = new Map();
  for (const i of drawn) {
    const color = colorOf(i);
    if (!groups.has(color)) groups.set(color, []);
    groups.get(color).push(i);
  }
  return groups;
}

function strokeAll(context, viewport, list, kernels, drawn, sigma) {
  const shape = shapesOf(list, kernels);
  context.beginPath();
  for (const i of drawn) {
    addEllipse(context, viewport, list.x[i], list.y[i], shape(i), sigma);
  }
  context.stroke();
}

export function visibleOnes(viewport, list, kernels, sigma) {
  const shape = shapesOf(list, kernels);
  const chosen = [];
  for (let i = 0; i < list.x.length; i++) {
    const reach = shape(i).major * sigma * viewport.scale;
    const [x, y] = viewport.toScreen(list.x[i], list.y[i]);
    const inside =
      x > -reach && y > -reach && x < viewport.width + reach && y < viewport.height + reach;
    if (inside) chosen.push(i);
  }
  return chosen;
}

export function addEllipse(context, viewport, x, y, kernel, sigma) {
  const [px, py] = viewport.toScreen(x, y);
  const size = sigma * viewport.scale;
  const [major, minor] = [kernel.major * size, kernel.minor * size];
  // Begin on the outline, or a line would lead there from the last one.
  context.moveTo(px + major * Math.cos(kernel.angle), py + major * Math.sin(kernel.angle));
  context.ellipse(px, py, major, minor, kernel.angle, 0, 2 * Math.PI);
}

// From each pixel's centre to where its Gaussian really lies.
export function drawOffsets(context, viewport, list, dpr) {
  context.save();
  for (const [width, color] of strokes([3, "rgba(0, 0, 0, 0.5)"], [1.3, "#fff"])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = context.fillStyle = color;
    context.beginPath();
    for (let i = 0; i < list.x.length; i++) {
      const [x0, y0] = viewport.toScreen(list.column[i] + 0.5, list.row[i] + 0.5);
      const [x1, y1] = viewport.toScreen(list.x[i], list.y[i]);
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.moveTo(x1 + width * dpr, y1);
      context.arc(x1, y1, width * dpr, 0, 2 * Math.PI);
    }
    context.stroke();
  }
  context.restore();
}

// Gaussians that made a colour: filled with the colour they brought, as strong as their share.
export function drawContributions(context, viewport, explanation, kernels, sigma, dpr, selected, shown) {
  const largest = explanation.contributions[0]?.share || 1;
  context.save();
  for (const part of explanation.contributions.slice(0, shown).reverse()) {
    const chosen = selected && part.column === selected.column && part.row === selected.row;
    const strength = chosen ? 1 : part.share / largest;
    if (strength < 0.02) continue;
    context.beginPath();
    addEllipse(context, viewport, ...part.mean, shapeOf(part, kernels), sigma);
    context.globalAlpha = (selected && !chosen ? 0.3 : 1) * (0.15 + 0.7 * strength);
    context.fillStyle = rgbCss(part.color);
    context.fill();
    context.globalAlpha = 0.3 + 0.7 * strength;
    for (const [wider, color] of strokes([2, "rgba(0, 0, 0, 0.6)"], [0, chosen ? "#f2b34c" : "#fff"])) {
      context.lineWidth = (1 + strength + wider) * dpr;
      context.strokeStyle = color;
      context.stroke();
    }
  }
  context.restore();
}

export function drawMarker(context, viewport, x, y, dpr) {
  const [px, py] = viewport.toScreen(x, y);
  const near = 4 * dpr;
  const far = 11 * dpr;
  context.save();
  for (const [width, color] of strokes([3.5, "rgba(0, 0, 0, 0.7)"], [1.5, "#fff"])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(px + near * dx, py + near * dy);
      context.lineTo(px + far * dx, py + far * dy);
    }
    context.stroke();
  }
  context.restore();
}

// A rectangle of the picture, while it is drawn or kept.
export function drawRegion(context, viewport, region, dpr) {
  const place = placeOf(viewport, region.x, region.y, region.width, region.height);
  context.save();
  for (const [width, color, dash] of strokes([3, "rgba(0, 0, 0, 0.6)", []], [1.5, "#f2b34c", [6, 4]])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.setLineDash(dash.map((n) => n * dpr));
    context.strokeRect(...place);
  }
  context.restore();
}

export function drawBrush(context, viewport, x, y, radius, dpr) {
  const [px, py] = viewport.toScreen(x, y);
  context.save();
  context.beginPath();
  context.arc(px, py, radius * viewport.scale, 0, 2 * Math.PI);
  for (const [width, color] of strokes([3, "rgba(0, 0, 0, 0.6)"], [1.5, "#f2b34c"])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.stroke();
  }
  context.restore();
}

// Rectangles whose Gaussians are still to be made: the picture below them is only interpolated.
export function drawMissing(context, viewport, rectangles) {
  context.save();
  context.strokeStyle = "rgba(242, 179, 76, 0.55)";
  context.setLineDash([6, 6]);
  for (const [x, y, width, height] of rectangles) {
    const [left, top, across, down] = placeOf(viewport, x, y, width, height);
    context.strokeRect(left + 0.5, top + 0.5, across - 1, down - 1);
  }
  context.restore();
}
