// The whole picture, small, in a corner of the stage, and what part of it is seen.

import { h } from "./dom.js";
import { strokes } from "./outlines.js";

const LONGEST = 140; // CSS pixels
const CROPPED = 1.15; // it comes when so much more of the picture would fit

/** The size of the small picture, CSS pixels. */
export function smallSize({ width, height }) {
  const factor = LONGEST / Math.max(width, height);
  return [Math.max(8, Math.round(width * factor)), Math.max(8, Math.round(height * factor))];
}

export class Navigator {
  /** @param {(x: number, y: number) => void} look another middle, picture pixels */
  constructor(look) {
    this.canvas = h("canvas", {});
    this.drawn = null; // the bitmap that was made small
    this.dpr = 1;
    this.element = h("div", {
      className: "gsr-navigator", hidden: true, title: "The whole picture: drag to move",
    }, this.canvas);
    this.element.setAttribute("aria-hidden", "true"); // arrow keys do the same
    const go = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const { width, height } = this.picture;
      look((width * (event.clientX - box.left)) / box.width, (height * (event.clientY - box.top)) / box.height);
    };
    for (const kind of ["pointerdown", "pointermove", "pointerup", "wheel"]) {
      this.element.addEventListener(kind, (event) => event.stopPropagation());
    }
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      go(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) go(event);
    });
  }

  /**
   * @param {any} picture with its bitmap, once that is there
   * @param {import("./viewport.js").Viewport} viewport
   */
  show(picture, viewport) {
    this.picture = picture;
    const { bitmap } = picture;
    this.element.hidden = !bitmap || viewport.scale < CROPPED * viewport.fitScale;
    if (this.element.hidden) return;
    const [width, height] = smallSize(picture);
    const { dpr } = viewport;
    if (this.drawn !== bitmap || this.dpr !== dpr) this.make(bitmap, width, height, dpr);
    const context = this.canvas.getContext("2d");
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.small, 0, 0, width, height);
    const seen = viewport.seen();
    const factor = width / picture.width;
    const least = (length) => Math.max(3, length * factor);
    for (const [line, color] of strokes([3, "rgb(0 0 0 / 70%)"], [1.5, "#f2b34c"])) {
      context.strokeStyle = color;
      context.lineWidth = line;
      context.strokeRect(seen.x * factor, seen.y * factor, least(seen.width), least(seen.height));
    }
  }

  // The picture is made small once; drawing it from its full size in every frame would cost.
  make(bitmap, width, height, dpr) {
    Object.assign(this.canvas, { width: Math.round(width * dpr), height: Math.round(height * dpr) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.small = h("canvas", { width: this.canvas.width, height: this.canvas.height });
    const context = this.small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
    Object.assign(this, { drawn: bitmap, dpr });
  }
}
