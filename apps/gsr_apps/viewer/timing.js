// How long frames take, for those who want to know: the key F shows it, and hides it again.

import { h } from "./dom.js";

const KEPT = 30; // frames

export class Timing {
  /**
   * @param {HTMLElement} stage that has the keyboard
   * @param {HTMLElement} line to stand in
   */
  constructor(stage, line) {
    /** @type {number[]} */
    this.times = [];
    this.element = h("span", { className: "gsr-timing", hidden: true });
    line.append(this.element);
    stage.addEventListener("keydown", (event) => {
      const other = event.ctrlKey || event.metaKey || event.altKey || event.target !== stage;
      if (other || event.key.toLowerCase() !== "f") return;
      this.element.hidden = !this.element.hidden;
      this.show();
    });
  }

  /** @param {import("./frames.js").Frame} frame */
  add(frame) {
    this.times = [...this.times, frame.milliseconds].slice(-KEPT);
    this.latest = frame;
    if (!this.element.hidden) this.show();
  }

  show() {
    if (!this.latest) return;
    const { bitmap, milliseconds, by } = this.latest;
    const where = by === "browser" ? "this browser" : "the app";
    this.element.textContent = `${milliseconds.toFixed(1)} ms for ${bitmap.width} × ${bitmap.height} by ${where}, `
      + `median ${median(this.times).toFixed(1)} ms of ${this.times.length}`;
  }
}

/** @param {number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
