// What several tests need.

import { Viewport } from "../../../apps/gsr_apps/viewer/viewport.js";

/** Numbers that look random and are the same each time. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (1664525 * state + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** A viewport of 200 x 150 device pixels on a picture. */
export function viewportOf({ width = 40, height = 30, cx = 20, cy = 15, scale = 8 } = {}) {
  const viewport = new Viewport();
  Object.assign(viewport, { picture: { width, height }, width: 200, height: 150, cx, cy });
  viewport.setScale(scale);
  return viewport;
}

/** A promise and what settles it. */
export function later() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
