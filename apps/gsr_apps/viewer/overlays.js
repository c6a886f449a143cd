// What can be drawn over a pane that shows the field, from the bottom up. Adding one is one entry:
//
//   name     of its answer; with a `label`, also of a switch in the viewer's state
//   label, title   of its switch in the bar under the picture; none where something else turns it on
//   wanted(see)    whether it is on
//   load(ask, see, last) -> what it needs for this view, `last` if that is still good; ask(what, args)
//   draw(context, see, found) -> a few words for the status line, or nothing
//
// `see` is what there is to see: { picture, viewport, state, dpr, moving, point, explanation, selected,
// footprint, lit, hover }, see `Inside.see`. The context's origin is the pane's corner, its unit a device pixel.

import { litBitmap, mapBitmap, splitChoices } from "./maps.js";
import { drawContributions, drawEllipses, drawMap, drawOffsets } from "./outlines.js";
import { drawSum } from "./sums.js";
import { drawUnder, drawXray, strengthOf } from "./xray.js";

/**
 * @typedef {object} Overlay
 * @property {string} name
 * @property {string} [label]
 * @property {string} [title]
 * @property {(see: any) => boolean} wanted
 * @property {(ask: (what: string, args?: any) => Promise<any>, see: any, last: any) => Promise<any>} [load]
 * @property {(context: CanvasRenderingContext2D, see: any, found: any) => string | void} draw
 */

const MOST_ELLIPSES = 12_000;
const MOST_MOVING_OFFSETS = 4000;

/** @type {Overlay} Pixels that picked one of the kernels that are lit; all others go dark. */
const lit = {
  name: "lit",
  wanted: (see) => see.lit.length > 0,
  async load(ask, { lit: kernels, picture }, last) {
    if (last?.kernels === kernels) return last;
    const choices = await choicesOf(ask, picture);
    return { kernels, bitmap: await litBitmap(kernels, choices, picture) };
  },
  draw(context, see, found) {
    if (found?.kernels === see.lit) drawMap(context, see.viewport, found.bitmap, 1);
  },
};

/** @type {Overlay} What the network decided, pixel by pixel. */
const map = {
  name: "map",
  wanted: (see) => see.state.map !== "none",
  async load(ask, { state, picture }, last) {
    const kind = state.map;
    if (last?.kind === kind) return last;
    return { kind, bitmap: await mapBitmap(kind, await choicesOf(ask, picture), picture) };
  },
  draw(context, see, found) {
    if (found?.kind === see.state.map) drawMap(context, see.viewport, found.bitmap, see.state.opacity);
  },
};

/** @type {Overlay} Everything that one chosen Gaussian touches. */
const footprint = {
  name: "footprint",
  wanted: (see) => Boolean(see.footprint),
  draw(context, see) {
    drawMap(context, see.viewport, see.footprint.bitmap, 1, see.footprint, true);
  },
};

/** @type {Overlay} */
const ellipses = {
  name: "ellipses",
  label: "Ellipses",
  title: "Outlines of the Gaussians",
  wanted: (see) => see.state.ellipses,
  load: (ask, see) => listed(ask, see),
  draw(context, see, list) {
    if (!list) return "";
    const { sigma, colorBy } = see.state;
    const how = { sigma, colorBy, dpr: see.dpr, moving: see.moving };
    const step = drawEllipses(context, see.viewport, list, see.picture.kernels, how);
    if (see.hover) drawUnder(context, see, list);
    return `ellipses at ${sigma.toFixed(1)} σ, ${every(step)}`;
  },
};

/** @type {Overlay} */
const offsets = {
  name: "offsets",
  label: "Offsets",
  title: "From each pixel's centre to where its Gaussian lies",
  wanted: (see) => see.state.offsets,
  load: (ask, see) => listed(ask, see),
  draw(context, see, list) {
    if (!list || (see.moving && list.x.length > MOST_MOVING_OFFSETS)) return;
    drawOffsets(context, see.viewport, list, see.dpr);
  },
};

/** @type {Overlay} The Gaussians that made the colour of the point that was clicked. */
const contributions = {
  name: "contributions",
  wanted: (see) => Boolean(see.explanation),
  draw(context, see) {
    const { viewport, explanation, picture, state, dpr, selected, shown } = see;
    drawContributions(context, viewport, explanation, picture.kernels, state.sigma, dpr, selected, shown);
    if (see.point) drawSum(context, see);
  },
};

/** @type {Overlay} The Gaussians themselves: faint outlines from close up, and as much of them as is wanted. */
const xray = {
  name: "xray",
  wanted: (see) => strengthOf(see) > 0,
  load: (ask, see) => listed(ask, see),
  draw(context, see, list) {
    if (!list) return "";
    const step = drawXray(context, see, list);
    if (see.hover) drawUnder(context, see, list);
    return see.state.xray ? `Gaussians at ${see.state.sigma.toFixed(1)} σ, ${every(step)}` : "";
  },
};

export const OVERLAYS = [lit, map, xray, footprint, ellipses, offsets, contributions];

/** Those with a switch of their own. */
export const SWITCHED = OVERLAYS.filter((overlay) => overlay.label);

export async function choicesOf(ask, { width, height }) {
  return splitChoices(await ask("choices"), width * height);
}

function listed(ask, { viewport, dpr }) {
  const view = viewport.visible();
  const pad = 0.1;
  const area = {
    x: view.x - pad * view.width, y: view.y - pad * view.height,
    width: (1 + 2 * pad) * view.width, height: (1 + 2 * pad) * view.height,
  };
  // Outlines closer than this would only hide each other and the picture.
  const spacing = Math.max(1, (6 * dpr) / viewport.scale);
  const cells = (area.width + 4) * (area.height + 4);
  const limit = Math.round(Math.min(MOST_ELLIPSES, Math.max(100, cells / Math.ceil(spacing) ** 2)));
  return ask("ellipses", { view: area, limit });
}

function every(step) {
  if (step === 1) return "all drawn";
  return `every ${step}${{ 2: "nd", 3: "rd" }[step] ?? "th"} row and column drawn`;
}
