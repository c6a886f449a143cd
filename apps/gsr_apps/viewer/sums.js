// An explanation drawn at the point itself: whose share is how large, and what they add up to.

import { rgbCss } from "./colors.js";
import { strokes } from "./outlines.js";

const LABELLED = 0.04; // share from which it is written
const MOST_LABELS = 6;
const RADIUS = 44; // CSS pixels from the point to a label, unless its Gaussian lies farther out
const GAP = 0.8; // radians between two labels
const SWATCH = 9; // CSS pixels, radius of the sum at the point

/** The sum of the first `count` terms, RGB in [0, 1]. */
export function sumOf(contributions, count) {
  const sum = [0, 0, 0];
  for (const { share, color } of contributions.slice(0, count)) color.forEach((v, k) => { sum[k] += share * v; });
  return sum;
}

/** Angles near the wanted ones with `gap` between neighbours, in the same order. */
export function spread(angles, gap = GAP) {
  const turn = 2 * Math.PI;
  const order = angles.map((angle, i) => [angle, i]).sort((a, b) => a[0] - b[0]);
  if (!order.length) return [];
  const free = Math.min(gap, turn / order.length);
  const placed = [];
  order.forEach(([angle], k) => placed.push(k ? Math.max(angle, placed[k - 1] + free) : angle));
  // Around the circle the last one may have run into the first.
  const over = placed.at(-1) + free - (placed[0] + turn);
  if (over > 0) placed.forEach((_, k) => { placed[k] = placed[0] + (k * turn) / order.length; });
  const found = [];
  order.forEach(([, i], k) => { found[i] = placed[k]; });
  return found;
}

/** Shares around the point, each with a line to its Gaussian, and the sum so far in the middle. */
export function drawSum(context, { viewport, explanation, point, dpr, shown }) {
  const { contributions, splatted } = explanation;
  const [px, py] = viewport.toScreen(...point);
  const parts = contributions.slice(0, shown).filter(({ share }) => share >= LABELLED).slice(0, MOST_LABELS);
  const means = parts.map(({ mean }) => viewport.toScreen(...mean));
  const angles = spread(means.map(([x, y]) => Math.atan2(y - py, x - px)));
  context.save();
  context.font = `600 ${12 * dpr}px system-ui, "DejaVu Sans", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  parts.forEach(({ share }, i) => {
    const [mx, my] = means[i];
    const radius = Math.max(RADIUS * dpr, Math.hypot(mx - px, my - py));
    const [x, y] = [px + radius * Math.cos(angles[i]), py + radius * Math.sin(angles[i])];
    context.beginPath();
    context.moveTo(mx, my);
    context.lineTo(x, y);
    for (const [width, color] of strokes([3, "rgb(0 0 0 / 55%)"], [1.2, "#fff"])) {
      context.lineWidth = width * dpr;
      context.strokeStyle = color;
      context.stroke();
    }
    write(context, `${Math.round(100 * share)} %`, x, y, dpr);
  });
  const sum = shown >= contributions.length ? splatted : sumOf(contributions, shown);
  context.beginPath();
  context.arc(px, py, SWATCH * dpr, 0, 2 * Math.PI);
  context.fillStyle = rgbCss(sum);
  context.fill();
  for (const [width, color] of strokes([4, "rgb(0 0 0 / 60%)"], [2, "#fff"])) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.stroke();
  }
  context.restore();
}

function write(context, text, x, y, dpr) {
  const half = context.measureText(text).width / 2 + 5 * dpr;
  context.beginPath();
  context.roundRect(x - half, y - 9 * dpr, 2 * half, 18 * dpr, 5 * dpr);
  context.fillStyle = "rgb(15 16 17 / 85%)";
  context.fill();
  context.fillStyle = "#fff";
  context.fillText(text, x, y);
}
