// A kernel to take hold of: its one-sigma ellipse over a few picture pixels, with handles for the
// long and the short axis, and sliders for those who would rather not drag.

import { debounce, h } from "../viewer/dom.js";

const SIDE = 220; // CSS pixels
const SPAN = 6; // picture pixels across
const REACH = 9; // CSS pixels around a handle that take hold of it
const SIGMA = [0.1, 2.8]; // half axes in picture pixels
const QUIET_MS = 800; // after which a slider that is moved by keys counts as let go
const LEAST_RATIO = 0.12; // of the short to the long axis; thinner ones have no covariance to speak of

export class Handles {
  // changed(shape): while it is dragged; done(): it was let go
  constructor({ changed, done }) {
    this.changed = changed;
    this.done = done;
    this.shape = null;
    this.held = null;
    this.canvas = h("canvas", { className: "gsr-kernel-shape", "aria-hidden": "true" });
    this.sliders = {
      major: slider("Long half axis", ...SIGMA, 0.01, (v) => this.set({ major: v }), done),
      minor: slider("Short half axis", ...SIGMA, 0.01, (v) => this.set({ minor: v }), done),
      degrees: slider("Direction", -90, 90, 1, (v) => this.set({ angle: (v * Math.PI) / 180 }), done),
      opacity: slider("Opacity", 0.01, 0.99, 0.01, (v) => this.set({ opacity: v }), done),
    };
    this.element = h("div", { className: "gsr-handles" }, this.canvas,
      h("div", {}, ...Object.values(this.sliders).map((one) => one.element)));
    this.listen();
  }

  // shape: { major, minor, angle, opacity }, in picture pixels and radians; null for none
  show(shape, color = "#f2b34c") {
    this.shape = shape && { ...shape };
    this.color = color;
    this.element.hidden = !shape;
    this.draw(true);
  }

  set(part) {
    const wanted = { ...this.shape, ...part };
    wanted.major = Math.min(SIGMA[1], Math.max(SIGMA[0], wanted.major));
    wanted.minor = Math.min(wanted.major, Math.max(SIGMA[0], LEAST_RATIO * wanted.major, wanted.minor));
    wanted.angle = wrapped(wanted.angle);
    this.shape = wanted;
    this.draw();
    this.changed(wanted);
  }

  listen() {
    const { canvas } = this;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const unit = SPAN / box.width;
      return [(event.clientX - box.left) * unit - SPAN / 2, (event.clientY - box.top) * unit - SPAN / 2];
    };
    canvas.addEventListener("pointerdown", (event) => {
      this.held = this.nearest(...place(event));
      if (this.held) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      canvas.style.cursor = this.held ? "grabbing" : this.nearest(x, y) ? "grab" : "default";
      if (this.held) this.drag(x, y);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, () => {
        if (this.held) this.done();
        this.held = null;
      });
    }
  }

  drag(x, y) {
    const length = Math.hypot(x, y);
    const angle = Math.atan2(y, x);
    if (this.held === "major") this.set({ major: Math.max(length, this.shape.minor), angle });
    else this.set({ minor: length, angle: angle - Math.PI / 2 });
  }

  ends() {
    const { major, minor, angle } = this.shape;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return { major: [major * cos, major * sin], minor: [-minor * sin, minor * cos] };
  }

  // The handle under a place, on either side of the centre.
  nearest(x, y) {
    if (!this.shape) return null;
    const reach = (REACH * SPAN) / SIDE;
    const away = (/** @type {number[]} */ [ex, ey]) => Math.min(Math.hypot(x - ex, y - ey), Math.hypot(x + ex, y + ey));
    const { major, minor } = this.ends();
    const nearer = away(minor) < away(major) ? "minor" : "major";
    return Math.min(away(minor), away(major)) <= reach ? nearer : null;
  }

  // all: also the slider that has the focus, which else knows better
  draw(all = false) {
    if (!this.shape) return;
    const { major, minor, angle, opacity } = this.shape;
    const shown = { major, minor, degrees: (angle * 180) / Math.PI, opacity };
    for (const [name, one] of Object.entries(this.sliders)) one.show(shown[name], all);
    const dpr = window.devicePixelRatio || 1;
    const { canvas } = this;
    Object.assign(canvas, { width: SIDE * dpr, height: SIDE * dpr });
    const context = canvas.getContext("2d");
    const unit = (SIDE * dpr) / SPAN;
    context.translate(canvas.width / 2, canvas.height / 2);
    drawGrid(context, unit, dpr);
    context.beginPath();
    context.ellipse(0, 0, major * unit, minor * unit, angle, 0, 2 * Math.PI);
    context.globalAlpha = 0.15 + 0.6 * opacity;
    context.fillStyle = this.color;
    context.fill();
    context.globalAlpha = 1;
    // A dark rim, so that pale kernels show on a light ground too.
    for (const { width, color } of [{ width: 4, color: "rgba(0, 0, 0, 0.45)" }, { width: 2, color: this.color }]) {
      context.lineWidth = width * dpr;
      context.strokeStyle = color;
      context.stroke();
    }
    this.drawEnds(context, unit, dpr);
  }

  drawEnds(context, unit, dpr) {
    for (const [name, [x, y]] of Object.entries(this.ends())) {
      for (const sign of [1, -1]) {
        context.beginPath();
        if (name === "major") context.arc(sign * x * unit, sign * y * unit, 5.5 * dpr, 0, 7);
        else context.rect((sign * x * unit) - 4.5 * dpr, (sign * y * unit) - 4.5 * dpr, 9 * dpr, 9 * dpr);
        context.fillStyle = "#fff";
        context.fill();
        context.lineWidth = 1.5 * dpr;
        context.strokeStyle = "#222";
        context.stroke();
      }
    }
  }
}

// Borders of picture pixels, the kernel's own in the middle.
function drawGrid(context, unit, dpr) {
  context.strokeStyle = "rgba(128, 128, 128, 0.45)";
  context.lineWidth = dpr;
  context.beginPath();
  for (let edge = -SPAN / 2 + 0.5; edge < SPAN / 2; edge++) {
    context.moveTo(edge * unit, -SPAN * unit);
    context.lineTo(edge * unit, SPAN * unit);
    context.moveTo(-SPAN * unit, edge * unit);
    context.lineTo(SPAN * unit, edge * unit);
  }
  context.stroke();
}

// A key changes a slider at each press: only when none has come for a while, the edit is over.
function slider(label, min, max, step, change, done) {
  const quiet = debounce(QUIET_MS, done);
  const shown = h("output", {});
  const input = h("input", {
    type: "range", min, max, step, "aria-label": label,
    oninput: () => {
      quiet.cancel();
      change(Number(input.value));
    },
    onchange: quiet,
    onblur: () => {
      quiet.cancel();
      done();
    },
  });
  return {
    element: h("label", {}, h("span", {}, label), shown, input),
    show(value, all) {
      if (all || document.activeElement !== input) input.value = value;
      shown.textContent = step === 1 ? `${Math.round(value)}°` : value.toFixed(2);
    },
  };
}

function wrapped(angle) {
  const half = Math.PI / 2;
  return ((((angle + half) % Math.PI) + Math.PI) % Math.PI) - half;
}

// What the server calls a kernel: standard deviations along x and y, and their correlation.
export function parametersOf({ major, minor, angle, opacity }) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const xx = (major * cos) ** 2 + (minor * sin) ** 2;
  const yy = (major * sin) ** 2 + (minor * cos) ** 2;
  const xy = (major ** 2 - minor ** 2) * cos * sin;
  return { sigma_x: Math.sqrt(xx), sigma_y: Math.sqrt(yy), rho: xy / Math.sqrt(xx * yy), opacity };
}
