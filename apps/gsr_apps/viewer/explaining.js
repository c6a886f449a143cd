// A click that explains: the point that was asked about, its panel, the Gaussian chosen in it.

import { Explainer } from "./explainer.js";
import { LARGEST } from "./viewport.js";

const SMALLEST = 1 / LARGEST;

export class Explaining {
  /**
   * @param {import("./inside.js").Inside} inside
   * @param {{ scale: () => number, onScreen: () => boolean, left: () => void, point: (explanation: any) => void }} act
   *   the magnification; whether a side shows the field; the keyboard needs another place; something
   *   else is explained, or null
   */
  constructor(inside, act) {
    this.inside = inside;
    this.act = act;
    this.panel = new Explainer({ close: () => this.close(), select: (part) => this.select(part) });
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
    const { scrollTop } = this.element;
    this.show();
    if (again) this.element.scrollTop = scrollTop;
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
    this.panel.show(explanation, picture.kernels, { selected, onScreen: this.act.onScreen() });
  }

  hide() {
    this.panel.hide();
  }

  close() {
    this.inside.closePoint();
    if (this.element.contains(document.activeElement)) this.act.left();
    this.hide();
    this.act.point(null);
  }
}
