// From the picture to what it is made of: outlines first, then Gaussians filled with their own colour.

import { packedCss } from "./colors.js";
import { addEllipse, shapesOf, strokes, visibleOnes, MOVING_LIMIT } from "./outlines.js";

const FROM = 12; // CSS pixels per picture pixel at which faint outlines begin to show
const FULL = 20; // and at which they are all there
const FAINT = 0.3;
const OPAQUE = 0.97; // of the veil over the picture, at the far end

const part = (value) => Math.min(1, Math.max(0, value));

/** How strongly outlines are seen, 0 to 1: by the slider, or by themselves from close up. */
export function strengthOf({ state, viewport, dpr }) {
  if (state.ellipses) return state.xray;
  const near = state.near ? FAINT * part((viewport.scale / dpr - FROM) / (FULL - FROM)) : 0;
  return Math.max(near, part(2 * state.xray));
}

/** Returns the step at which Gaussians were drawn: every step-th row and column. */
export function drawXray(context, see, list) {
  const { viewport, dpr, moving, state, picture } = see;
  const { sigma, xray } = state;
  const shape = shapesOf(list, picture.kernels);
  const [drawn, step] = thinned(visibleOnes(viewport, list, picture.kernels, sigma), list, moving);
  context.save();
  if (xray > 0) {
    context.fillStyle = `rgb(17 18 20 / ${OPAQUE * xray})`;
    context.fillRect(0, 0, viewport.width, viewport.height);
    context.globalAlpha = part(1.6 * xray) * 0.82;
    for (const i of drawn) {
      context.beginPath();
      addEllipse(context, viewport, list.x[i], list.y[i], shape(i), sigma);
      context.fillStyle = packedCss(list.color[i]);
      context.fill();
    }
  }
  outline(context, see, list, drawn, shape, dpr);
  context.restore();
  return step;
}

// A light line beside a dark one is seen on any colour.
function outline(context, see, list, drawn, shape, dpr) {
  const { viewport, state } = see;
  const strength = strengthOf(see) * (state.xray > 0.5 ? 1.4 - 0.8 * state.xray : 1);
  context.beginPath();
  for (const i of drawn) addEllipse(context, viewport, list.x[i], list.y[i], shape(i), state.sigma);
  for (const [width, color] of strokes([2.2, "0 0 0"], [1, "255 255 255"])) {
    context.globalAlpha = 1;
    context.lineWidth = width * dpr;
    context.strokeStyle = `rgb(${color} / ${0.8 * strength})`;
    context.stroke();
  }
}

function thinned(visible, list, moving) {
  let [drawn, step] = [visible, list.step];
  while (moving && drawn.length > MOVING_LIMIT) {
    step *= 2;
    drawn = visible.filter((i) => list.column[i] % step === 0 && list.row[i] % step === 0);
  }
  return [drawn, step];
}

/** Index of the Gaussian that a point lies deepest in, within `sigma`, or -1. */
export function gaussianAt([x, y], list, shape, sigma) {
  let [best, nearest] = [-1, sigma ** 2];
  for (let i = 0; i < list.x.length; i++) {
    const { major, minor, angle } = shape(i);
    const [dx, dy] = [x - list.x[i], y - list.y[i]];
    if (Math.abs(dx) + Math.abs(dy) > 2 * major * sigma) continue;
    const along = (dx * Math.cos(angle) + dy * Math.sin(angle)) / major;
    const across = (dy * Math.cos(angle) - dx * Math.sin(angle)) / minor;
    const distance = along ** 2 + across ** 2;
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

/** Light up the Gaussian under the pointer. */
export function drawUnder(context, { viewport, hover, state, picture, dpr }, list) {
  const shape = shapesOf(list, picture.kernels);
  const i = gaussianAt(hover, list, shape, Math.max(1, state.sigma));
  if (i < 0) return;
  context.save();
  context.beginPath();
  addEllipse(context, viewport, list.x[i], list.y[i], shape(i), state.sigma);
  context.fillStyle = packedCss(list.color[i]);
  context.fill();
  for (const [width, color] of strokes([5, "rgb(0 0 0 / 60%)"], [2.5, "#f2b34c"])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.stroke();
  }
  context.restore();
}
