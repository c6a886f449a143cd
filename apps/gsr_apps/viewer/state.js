// What is shown, besides the place: plain values that a host can keep, put in an address and give back.

import { MAPS } from "./maps.js";
import { COLORINGS } from "./outlines.js";
import { SWITCHED } from "./overlays.js";

/** @typedef {{ mode: string, wipe: number, sources: string[], gain: number, sigma: number, colorBy: string,
 *   map: string, opacity: number, xray: number, near: boolean, [overlay: string]: any }} State */

export const MODES = ["side", "wipe", "difference", "one"];
export const GAINS = [1, 2, 4, 8, 16];

const switches = (value) => Object.fromEntries(SWITCHED.map(({ name }) => [name, value]));

/** @type {State} */
export const INITIAL = {
  mode: "side", wipe: 0.5, sources: ["bicubic", "gsr:result"], gain: 4,
  sigma: 1, colorBy: "kernel", map: "none", opacity: 0.6, xray: 0, near: true, ...switches(false),
};

const among = (values) => (value) => values.includes(value);
const between = (low, high) => (value) => typeof value === "number" && value >= low && value <= high;
const flag = (value) => typeof value === "boolean";

const ACCEPTED = {
  mode: among(MODES),
  wipe: between(0.02, 0.98),
  sources: (value) => Array.isArray(value) && value.length === 2,
  gain: among(GAINS),
  sigma: between(0.5, 2),
  colorBy: among(Object.keys(COLORINGS)),
  map: among(MAPS.map(([name]) => name)),
  opacity: between(0.1, 1),
  xray: between(0, 1), // from the picture to its Gaussians
  near: flag, // faint ellipses when one looks closely
  ...switches(flag),
};

/**
 * The members of `part` that make sense.
 * @param {Partial<State>} part
 * @returns {Partial<State>}
 */
export function sensible(part) {
  const makesSense = ([key, value]) => Object.hasOwn(ACCEPTED, key) && ACCEPTED[key](value);
  return Object.fromEntries(Object.entries(part).filter(makesSense));
}
