// The signed difference of two panes at the live zoom: grey where they agree, brighter where the
// second is brighter.
//
// It is made by drawing alone: browsers that protect from fingerprinting put noise into what is read
// back from a canvas.

import { drawPane } from "./layers.js";

const GREY = "rgb(128 128 128)";

export class Difference {
  constructor() {
    const made = () => document.createElement("canvas").getContext("2d");
    this.first = made();
    this.second = made();
    this.gained = made();
    this.sum = made();
  }

  // Paint 128 + gain * (second - first) into the pane; the gain is a whole number.
  paint(context, pane, viewport, picture, frames, gain) {
    const size = { width: pane.width, height: pane.height };
    for (const one of [this.first, this.second, this.gained, this.sum]) Object.assign(one.canvas, size);
    const local = { ...pane, x: 0, y: 0, clipX: 0, clipWidth: pane.width };
    [this.first, this.second].forEach((one, i) => drawPane(one, local, viewport, picture, frames[i]));
    fill(this.sum, GREY);
    this.add(this.second, this.first, gain);
    invert(this.sum);
    this.add(this.first, this.second, gain);
    invert(this.sum);
    draw(this.sum, "destination-in", this.first); // nothing outside of the picture
    context.drawImage(this.sum.canvas, pane.x, pane.y);
  }

  // sum + gain * max(0, more - less), which never leaves 0 .. 255.
  add(more, less, gain) {
    draw(this.gained, "copy", more);
    invert(this.gained);
    draw(this.gained, "lighter", less); // 255 - more + less, at most 255
    invert(this.gained);
    for (let i = 0; i < gain; i++) draw(this.sum, "lighter", this.gained);
  }
}

function draw(onto, operation, from) {
  onto.globalCompositeOperation = operation;
  onto.drawImage(from.canvas, 0, 0);
  onto.globalCompositeOperation = "source-over";
}

function fill(context, color, operation = "source-over") {
  context.globalCompositeOperation = operation;
  context.fillStyle = color;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.globalCompositeOperation = "source-over";
}

function invert(context) {
  fill(context, "white", "difference");
}
