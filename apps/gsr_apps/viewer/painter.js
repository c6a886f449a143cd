// Draws the two panes: pixels on one canvas, what lies inside on the other.

import { Difference } from "./difference.js";
import { clip, drawPane } from "./layers.js";
import { drawMissing } from "./outlines.js";
import { isField } from "./sources.js";

export class Painter {
  /**
   * @param {HTMLCanvasElement} pixels
   * @param {HTMLCanvasElement} marks
   * @param {import("./inside.js").Inside} inside
   */
  constructor(pixels, marks, inside) {
    this.pixels = pixels;
    this.marks = marks;
    this.inside = inside;
    this.difference = new Difference();
  }

  /**
   * @param {import("./panes.js").Pane[]} panes
   * @param {import("./viewport.js").Viewport} viewport
   * @param {any} state
   * @param {any} picture
   * @param {(import("./frames.js").Frame | null)[]} frames
   * @param {number[][]} missing rectangles of the field that are interpolated so far
   * @returns {string} what the status line says of the outlines
   */
  paint(panes, viewport, state, picture, frames, missing = []) {
    const context = this.pixels.getContext("2d");
    context.clearRect(0, 0, this.pixels.width, this.pixels.height);
    if (state.mode === "difference") {
      this.difference.paint(context, panes[1], viewport, picture, frames, state.gain);
    } else {
      panes.forEach((pane, i) => {
        if (pane.clipWidth) drawPane(context, pane, viewport, picture, frames[i]);
      });
    }
    return this.paintMarks(panes, state, viewport, missing);
  }

  paintMarks(panes, { sources, mode }, viewport, missing) {
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    // On the right side; on the left too when it shows the field and the right side does not.
    const inside = isField(sources[1]) || !isField(sources[0]) ? 1 : 0;
    let said = "";
    panes.forEach((pane, i) => {
      if (!pane.clipWidth) return;
      context.save();
      clip(context, pane);
      context.translate(pane.x, pane.y);
      if (isField(sources[i]) && sources[i] !== "gsr:lr") drawMissing(context, viewport, missing);
      if (i === inside || mode === "difference") said = this.inside.paint(context);
      else this.inside.paintExplained(context); // wherever it was asked
      this.inside.paintMarks(context);
      context.restore();
    });
    return said;
  }
}
