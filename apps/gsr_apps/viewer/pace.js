// What a frame may leave out while the view moves, by the time that frames took before.

const FRAME_MS = 14; // of the 16.7 between two frames of a screen
const COARSEST = 0.35; // of the pixels along a side
const REMEMBERED = 0.6; // of what was measured before

/** @typedef {{ layer: string, part: number }} Effort layer to draw, and how many of the pixels along a side */

export class Pace {
  constructor() {
    /** @type {Record<string, number>} pixels per millisecond of each layer */
    this.speeds = {};
    this.latest = 0; // milliseconds of the last frame
  }

  /**
   * @param {string} layer
   * @param {number} pixels
   * @param {number} milliseconds
   */
  learn(layer, pixels, milliseconds) {
    const speed = pixels / Math.max(0.1, milliseconds);
    const before = this.speeds[layer] ?? speed;
    this.speeds[layer] = REMEMBERED * before + (1 - REMEMBERED) * speed;
    this.latest = milliseconds;
  }

  /**
   * What to draw in time: all of it, else the Gaussians alone, else fewer pixels too.
   * @param {string} layer that is wanted
   * @param {number} pixels
   * @returns {Effort}
   */
  effort(layer, pixels) {
    const inTime = (name) => pixels <= (this.speeds[name] ?? Infinity) * FRAME_MS;
    if (inTime(layer)) return { layer, part: 1 };
    // The decoder is most of the work and a tenth of a decibel.
    const light = layer === "result" ? "gaussians" : layer;
    if (inTime(light)) return { layer: light, part: 1 };
    return { layer: light, part: Math.max(COARSEST, Math.sqrt((this.speeds[light] * FRAME_MS) / pixels)) };
  }
}

/**
 * What a frame left out, for the status line.
 * @param {string} wanted layer
 * @param {Effort} effort
 */
export function leftOut(wanted, { layer, part }) {
  const words = [];
  if (layer !== wanted) words.push("Gaussians only");
  if (part < 1) words.push(`${Math.round(100 * part)} % of the pixels a side`);
  return words.join(", ");
}
