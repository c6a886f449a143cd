// The stage on the screen: its size in device pixels, and how that is divided.

import { layout, paneAt } from "./panes.js";

/** @typedef {import("./panes.js").Pane} Pane */

export class Screen {
  /**
   * @param {HTMLElement} stage
   * @param {HTMLCanvasElement[]} canvases as large as it
   * @param {() => void} changed another size or density
   */
  constructor(stage, canvases, changed) {
    this.stage = stage;
    this.canvases = canvases;
    this.changed = changed;
    this.dpr = window.devicePixelRatio || 1;
    /** @type {Pane[]} */
    this.panes = [];
    this.observe();
  }

  // In device pixels, which a browser that rounds knows better than we do.
  observe() {
    this.observer = new ResizeObserver(([entry]) => {
      const [size] = entry.devicePixelContentBoxSize ?? [];
      this.observed = size && [size.inlineSize, size.blockSize];
      this.changed();
    });
    try {
      this.observer.observe(this.stage, { box: "device-pixel-content-box" });
    } catch { // Safari: there a window that moves to another screen is seen by its density
      this.observer.observe(this.stage);
      this.watchDensity();
    }
  }

  watchDensity() {
    this.density = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.densityChanged = () => {
      this.watchDensity();
      this.changed();
    };
    this.density.addEventListener("change", this.densityChanged, { once: true });
  }

  /**
   * Divide the stage as it is now.
   * @param {string} mode
   * @param {number} wipe
   */
  divide(mode, wipe) {
    this.dpr = window.devicePixelRatio || 1;
    const [width, height] = this.size();
    for (const canvas of this.canvases) {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    }
    this.panes = layout(mode, width, height, this.dpr, wipe);
  }

  // Its size when it was last observed, unless that is over: then it comes again in a moment.
  size() {
    const { clientWidth, clientHeight } = this.stage;
    return [clientWidth, clientHeight].map((length, axis) => {
      const computed = length * this.dpr;
      const observed = this.observed?.[axis] ?? computed;
      return Math.max(1, Math.round(Math.abs(observed - computed) <= this.dpr ? observed : computed));
    });
  }

  /**
   * CSS pixels of the stage -> device pixels of the pane under them.
   * @returns {[number, number]}
   */
  local(x, y) {
    const [px, py] = [x * this.dpr, y * this.dpr];
    const pane = this.panes[paneAt(this.panes, px, py)];
    return [px - pane.x, py - pane.y];
  }

  /** The middle of the right pane, CSS pixels of the stage. */
  centre() {
    const pane = this.panes[1];
    return [(pane.x + pane.width / 2) / this.dpr, (pane.y + pane.height / 2) / this.dpr];
  }

  destroy() {
    this.observer.disconnect();
    this.density?.removeEventListener("change", this.densityChanged);
  }
}
