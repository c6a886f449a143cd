// The signed difference of two panes at the live zoom: grey where they agree, brighter where the
// second is brighter.

import { drawPane } from "./layers.js";

export class Difference {
  constructor() {
    this.canvases = [0, 1].map(() => document.createElement("canvas"));
  }

  // Paint gain * (second - first) into the pane.
  paint(context, pane, viewport, picture, frames, gain) {
    const [first, second] = this.canvases.map((canvas, i) => this.read(canvas, pane, viewport, picture, frames[i]));
    const a = first.data;
    const b = second.data;
    for (let i = 0; i < b.length; i += 4) {
      if (!a[i + 3]) continue; // outside of the picture
      for (let k = i; k < i + 3; k++) b[k] = 128 + gain * (b[k] - a[k]); // clamped by the array
    }
    context.putImageData(second, pane.x, pane.y);
  }

  read(canvas, pane, viewport, picture, frame) {
    Object.assign(canvas, { width: pane.width, height: pane.height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    drawPane(context, { ...pane, x: 0, y: 0, clipX: 0, clipWidth: pane.width }, viewport, picture, frame);
    return context.getImageData(0, 0, pane.width, pane.height);
  }
}
