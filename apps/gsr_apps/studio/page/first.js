// The first ten seconds: a dive into a telling place, and a line that says what hands can do.

import { h } from "../viewer/dom.js";
import { reduced } from "../viewer/motion.js";

const KEY = "gsr-seen";
const REST_MS = 700; // at the whole picture, to see what it is of
const DIVE_MS = 3600;
const DEEP = 14; // CSS pixels per picture pixel, where both methods are told apart at a glance
const HINT_MS = 14_000;
const TOUCHES = ["pointerdown", "wheel", "keydown"];

// Private windows and strict settings may forbid to keep anything.
function seen() {
  try {
    const before = localStorage.getItem(KEY);
    localStorage.setItem(KEY, "1");
    return before !== null;
  } catch {
    return true;
  }
}

export class First {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = h("p", { className: "gsr-hint", role: "status", hidden: true },
      "Scroll to zoom, drag the line, click a pixel to ask why.");
  }

  /** Once for everybody, and only where it is known what is worth seeing. */
  async show() {
    const { viewer } = this;
    if (seen() || !viewer.picture?.focus) return;
    this.hint();
    if (reduced()) return;
    const touched = new Promise((resolve) => {
      this.touch = () => resolve(true);
      for (const kind of TOUCHES) addEventListener(kind, this.touch, { capture: true, once: true });
    });
    const { width, height, focus } = viewer.picture;
    viewer.look({ x: width / 2, y: height / 2, zoom: viewer.fitZoom });
    const whole = JSON.stringify(viewer.place);
    const rest = new Promise((resolve) => { setTimeout(resolve, REST_MS); });
    if (!(await Promise.race([touched, rest])) && JSON.stringify(viewer.place) === whole) {
      const arrived = viewer.fly({ x: focus[0] * width, y: focus[1] * height, zoom: DEEP }, DIVE_MS);
      if (await Promise.race([touched, arrived.then(() => false)])) viewer.hold();
    }
    for (const kind of TOUCHES) removeEventListener(kind, this.touch, { capture: true });
  }

  hint() {
    this.element.hidden = false;
    const leave = () => { this.element.hidden = true; };
    setTimeout(leave, HINT_MS);
    // A hand that zooms has read it.
    addEventListener("wheel", () => setTimeout(leave, 1500), { once: true, passive: true });
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, leave, { once: true });
  }
}
