// What is shown, besides the place: plain values that a host can keep, put in an address and give back.

import { MAPS } from "./maps.js";
import { COLORINGS } from "./overlay.js";

export const MODES = ["side", "wipe", "difference", "one"];
export const GAINS = [1, 2, 4, 8, 16];

export const INITIAL = {
  mode: "side", wipe: 0.5, sources: ["bicubic", "gsr:result"], gain: 4,
  ellipses: false, sigma: 1, colorBy: "kernel", offsets: false, map: "none", opacity: 0.6,
};

const among = (values) => (value) => values.includes(value);
const between = (low, high) => (value) => value >= low && value <= high;
const flag = (value) => typeof value === "boolean";

const ACCEPTED = {
  mode: among(MODES),
  wipe: between(0.02, 0.98),
  sources: (value) => Array.isArray(value) && value.length === 2,
  gain: among(GAINS),
  ellipses: flag,
  sigma: between(0.5, 2),
  colorBy: among(Object.keys(COLORINGS)),
  offsets: flag,
  map: among(MAPS.map(([name]) => name)),
  opacity: between(0.1, 1),
};

// The members of `part` that make sense.
export function sensible(part) {
  return Object.fromEntries(Object.entries(part).filter(([key, value]) => ACCEPTED[key]?.(value)));
}
