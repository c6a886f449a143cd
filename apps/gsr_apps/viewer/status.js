// The line below the bar: how good the pixels are, where the pointer is, what the outlines mean.

import { h } from "./dom.js";

export class Status {
  constructor() {
    this.quality = h("span", { className: "gsr-quality" });
    this.place = h("span", { className: "gsr-place" });
    this.outlines = h("span", { className: "gsr-outlines" });
    this.element = h("div", { className: "gsr-status", role: "status", "aria-live": "off" },
      this.quality, this.place, this.outlines);
  }

  /** @param {boolean} exact whether the pixels on show are the renderer's own */
  showQuality(exact) {
    this.quality.textContent = exact ? "exact" : "preview";
    this.quality.dataset.quality = exact ? "exact" : "preview";
    this.quality.title = exact
      ? "These pixels are the renderer's own, without loss"
      : "A quick, coarser picture while the exact one is made";
  }

  /**
   * @param {[number, number] | null} pixel column and row, or null
   * @param {{ kernel: number, second: number, confidence: number } | null} choice of that pixel, if known
   */
  showPlace(pixel, choice = null) {
    const said = choice
      ? ` · kernel ${choice.kernel}, ${Math.round(100 * choice.confidence)} % sure; next ${choice.second}`
      : "";
    this.place.textContent = pixel ? `column ${pixel[0]}, row ${pixel[1]}${said}` : "";
  }

  /** @param {string} text */
  showOutlines(text) {
    this.outlines.textContent = text;
  }
}
