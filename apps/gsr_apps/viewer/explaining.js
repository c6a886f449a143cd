// A click that explains: the point that was asked about, its panel, the Gaussian chosen in it.

import { Explainer } from "./explainer.js";
import { Motion } from "./motion.js";
import { LARGEST } from "./viewport.js";

const SMALLEST = 1 / LARGEST;
const SUM_MS = 900; // in which the sum builds up

export class Explaining {
  /**
   * @param {import("./inside.js").Inside} inside
   * @param {{ scale: () => number, dpr: () => number, onScreen: () => boolean, left: () => void,
   *   point: (explanation: any) => void }} act the magnification, device pixels; those of a CSS pixel;
   *   whether a side shows the field; the keyboard needs another place; something else is explained, or null
   */
  constructor(inside, act) {
    this.inside = inside;
    this.act = act;
    this.panel = new Explainer({
      close: () => this.close(), select: (part) => this.select(part), step: (by) => this.step(by),
    });
    this.motion = new Motion();
    this.element = this.panel.element;
  }

  /** Explain a point of the picture; `again` after a change of the view or of the field. */
  async explain(x, y, again = false) {
    const { inside } = this;
    const { width, height } = inside.picture ?? {};
    if (!(x >= 0 && y >= 0 && x <= width && y <= height)) return;
    if (!again) inside.deselect();
    await inside.explain(x, y, Math.min(LARGEST, Math.max(SMALLEST, this.act.scale())));
    if (!inside.explanation) return;
    if (!again) inside.shown = 0;
    const { scrollTop } = this.element;
    this.show();
    if (again) this.element.scrollTop = scrollTop;
    else this.sum();
    this.act.point(inside.explanation);
  }

  /** Everything that one of the Gaussians touches; again, and it is gone. */
  select(part) {
    const { selected } = this.inside;
    if (selected && selected.column === part.column && selected.row === part.row) this.inside.deselect();
    else this.inside.select(part, Math.min(LARGEST, Math.max(1, this.act.scale())));
    this.show();
  }

  show() {
    const { explanation, selected, picture } = this.inside;
    this.panel.show(explanation, picture.kernels, {
      selected, onScreen: this.act.onScreen(), dpr: this.act.dpr(), shown: this.inside.shown,
    });
  }

  /** Where the panel goes, away from what it explains: the point lies on the right, and below. */
  away(right, below) {
    this.element.classList.toggle("gsr-left", right);
    this.element.classList.toggle("gsr-above", below);
  }

  /** Let the sum build up, term by term. */
  sum() {
    const { contributions } = this.inside.explanation;
    this.motion.run(SUM_MS, (part) => this.showTerms(part < 1 ? Math.floor(part * contributions.length) : Infinity));
  }

  /** One term more or less. */
  step(by) {
    this.motion.stop();
    const { length } = this.inside.explanation.contributions;
    this.showTerms(Math.min(length, Math.max(0, Math.min(length, this.inside.shown) + by)));
  }

  showTerms(count) {
    if (!this.inside.explanation || count === this.inside.shown) return;
    this.inside.shown = count;
    this.panel.showTerms(this.inside.explanation, count);
    this.inside.act.redraw();
  }

  hide() {
    this.panel.hide();
  }

  close() {
    this.motion.stop();
    this.inside.closePoint();
    if (this.element.contains(document.activeElement)) this.act.left();
    this.hide();
    this.act.point(null);
  }
}
