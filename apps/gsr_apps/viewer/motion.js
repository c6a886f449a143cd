// Moves that take a moment: eased jumps, and a picture that runs on when it is let go.

const REDUCED = "(prefers-reduced-motion: reduce)";

/** Whether who is looking asked for less motion. */
export function reduced() {
  return matchMedia(REDUCED).matches;
}

/** Slow at both ends. */
export function eased(part) {
  return part * part * (3 - 2 * part);
}

/** How far something has run after `ms` that was let go at `speed` per millisecond and slows down evenly. */
export function glided(speed, ms, slowing = 260) {
  return speed * slowing * (1 - Math.exp(-ms / slowing));
}

/** One motion at a time; a newer one, or a hand, takes the place of the last. */
export class Motion {
  constructor() {
    this.frame = 0;
    this.running = false;
  }

  /**
   * Call `step(part, ms)` in every frame until `part` is 1. With reduced motion only the end is shown.
   * @param {number} duration milliseconds
   * @param {(part: number, ms: number) => void} step
   * @returns {Promise<boolean>} whether it came to its end
   */
  run(duration, step) {
    this.stop();
    if (reduced()) {
      step(1, duration);
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      this.ended = resolve;
      this.running = true;
      const begin = performance.now();
      const next = (now) => {
        const ms = Math.min(duration, Math.max(0, now - begin));
        if (ms < duration) this.frame = requestAnimationFrame(next);
        step(ms / duration, ms);
        if (ms === duration) this.end(true);
      };
      this.frame = requestAnimationFrame(next);
    });
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.end(false);
  }

  end(whole) {
    this.running = false;
    this.ended?.(whole);
    this.ended = null;
  }
}
