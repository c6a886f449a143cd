// The line below the bar: how good the pixels are, where the pointer is, what the outlines mean.

import { h } from "./dom.js";

export class Status {
  constructor() {
    this.quality = h("span", { className: "gsr-quality" });
    this.renderer = h("span", { className: "gsr-renderer" });
    this.place = h("span", { className: "gsr-place" });
    this.outlines = h("span", { className: "gsr-outlines" });
    this.element = h("div", { className: "gsr-status", role: "status", "aria-live": "off" },
      this.quality, this.renderer, this.place, this.outlines);
  }

  /**
   * @param {boolean} exact whether the pixels on show are the renderer's own
   * @param {{ done: number, total: number } | null} [arriving] how far the field is, while it is being made
   */
  showQuality(exact, arriving = null) {
    const part = arriving && arriving.done < arriving.total;
    this.quality.textContent = (exact ? "exact" : "preview")
      + (part ? ` · Gaussians: ${Math.floor((100 * arriving.done) / arriving.total)} %` : "");
    this.quality.dataset.quality = exact ? "exact" : "preview";
    this.quality.title = exact
      ? "These pixels are the renderer's own, without loss"
      : "A quick, coarser picture while the exact one is made";
  }

  /**
   * Who drew the field, and what that leaves out.
   * @param {{ by?: string, shown?: string } | null} frame
   */
  showRenderer(frame) {
    const here = frame?.by === "browser";
    const who = here ? "drawn by this browser" : "drawn by the app";
    this.renderer.textContent = frame ? [who, frame.shown].filter(Boolean).join(": ") : "";
    this.renderer.dataset.by = frame ? (here ? "browser" : "server") : "";
    this.renderer.title = here
      ? "The graphics processor draws the Gaussians here, within two grey levels of the library's own pixels"
      : "The app draws what this browser cannot, or not fast enough: it takes WebGL2 and a graphics processor";
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
