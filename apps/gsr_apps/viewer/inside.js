// What lies inside the field: what was picked, what is known of it, and what is drawn of that.

import { Answers } from "./answers.js";
import { OVERLAYS, choicesOf } from "./overlays.js";
import { drawBrush, drawMarker, drawRegion } from "./outlines.js";

export class Inside {
  /**
   * @param {{ redraw: () => void, failed: (error: any) => void, look: () => any }} act something new is
   *   there; what went wrong; the place and the state that overlays are drawn for
   */
  constructor({ redraw, failed, look }) {
    this.act = { redraw, failed, look };
    this.answers = new Answers(null);
    this.forget();
  }

  /**
   * Of another picture. With `keep` it is the same one, edited: the point and the kernels that were
   * picked stay, and so does what was seen until the new is there.
   * @param {any} picture
   * @param {import("./transport.js").Transport} transport
   * @param {boolean} keep
   */
  use(picture, transport, keep = false) {
    this.stop();
    const { point, lit, region, explanation } = this;
    const seen = { ...this.seen, ...this.found };
    this.forget();
    this.picture = picture;
    this.answers = new Answers(transport);
    if (keep) Object.assign(this, { point, lit, region, explanation, seen });
  }

  stop() {
    this.answers.stop();
  }

  forget() {
    /** @type {Record<string, any>} what overlays loaded, and what they loaded before the last edit */
    this.found = {};
    /** @type {Record<string, any>} */
    this.seen = {};
    /** @type {Record<string, object>} the newest loading of each overlay */
    this.turns = {};
    this.choices = null;
    this.explanation = null;
    this.selected = null;
    this.footprint = null;
    this.brush = null;
    /** @type {[number, number] | null} where the pointer is, picture pixels */
    this.hover = null;
    this.shown = Infinity; // terms of the explained sum that are drawn
    /** @type {[number, number] | null} */
    this.point = null;
    /** @type {number[]} */
    this.lit = [];
    /** @type {import("./transport.js").Rectangle | null} */
    this.region = null;
  }

  /** What there is to see, for an overlay. */
  see() {
    const { picture, point, explanation, selected, footprint, lit, hover, shown } = this;
    return { ...this.act.look(), picture, point, explanation, selected, footprint, lit, hover, shown };
  }

  ask(what, args, channel) {
    return this.answers.ask(what, args, channel);
  }

  /** Fetch what the overlays that are on need for this view. */
  refresh() {
    const see = this.see();
    return Promise.all(OVERLAYS.filter((one) => one.load && one.wanted(see)).map((one) => this.load(one, see)));
  }

  /**
   * @param {import("./overlays.js").Overlay} overlay
   * @param {any} see
   */
  async load({ name, load }, see) {
    const turn = (this.turns[name] = {});
    try {
      const found = await load((what, args) => this.ask(what, args), see, this.found[name]);
      if (this.turns[name] !== turn) return;
      this.found[name] = found;
      this.act.redraw();
    } catch (error) {
      this.act.failed(error);
    }
  }

  /** What each pixel picked, for `at`. */
  async loadChoices() {
    if (this.choices) return;
    const { picture } = this;
    try {
      const choices = await choicesOf((what) => this.ask(what), picture);
      if (picture === this.picture) this.choices = choices;
    } catch (error) {
      this.act.failed(error);
    }
  }

  /**
   * Light up the pixels that picked one of these kernels.
   * @param {number[]} kernels
   */
  light(kernels) {
    this.lit = kernels;
    this.act.redraw();
    return this.refresh();
  }

  async explain(x, y, scale) {
    this.point = [x, y];
    try {
      this.explanation = await this.ask("explain", { x, y, scale });
      this.act.redraw();
    } catch (error) {
      this.act.failed(error);
    }
  }

  /** Everything one Gaussian touches. */
  async select(part, scale) {
    this.selected = part;
    this.footprint = null;
    try {
      const found = await this.ask("footprint", { column: part.column, row: part.row, scale });
      const bitmap = await footprintBitmap(found);
      if (this.selected === part) this.footprint = { ...found, bitmap };
      this.act.redraw();
    } catch (error) {
      this.act.failed(error);
    }
  }

  /** The pointer is over another place, or has left. */
  hoverAt(place) {
    const had = this.hover;
    this.hover = place;
    // Only what is outlined lights up.
    if ((had || place) && OVERLAYS.some(({ name, wanted }) => ["xray", "ellipses"].includes(name) && wanted(this.see()))) {
      this.act.redraw();
    }
  }

  deselect() {
    this.selected = this.footprint = null;
    this.act.redraw();
  }

  closePoint() {
    this.answers.drop("explain");
    this.point = this.explanation = null;
    this.deselect();
  }

  /** What the network said at a pixel: { kernel, second, confidence }, once it is known. */
  at(column, row) {
    if (!this.choices) return null;
    const i = row * this.picture.width + column;
    const { kernel, second, confidence } = this.choices;
    return { kernel: kernel[i], second: second[i], confidence: confidence[i] / 255 };
  }

  /** What an overlay draws: what it loaded last, if need be before the last edit. */
  latest(name) {
    return this.found[name] ?? this.seen[name];
  }

  /** Draw the overlays; what the status line says of them. */
  paint(context) {
    const see = this.see();
    const said = OVERLAYS.filter((one) => one.wanted(see)).map((one) =>
      one.draw(context, see, this.latest(one.name)));
    return said.filter(Boolean).join(", ");
  }

  /** The explanation alone. */
  paintExplained(context) {
    const see = this.see();
    const explained = OVERLAYS.find(({ name }) => name === "contributions");
    if (explained.wanted(see)) explained.draw(context, see, null);
  }

  /** Marks that belong on both panes. */
  paintMarks(context) {
    const { viewport, dpr } = this.act.look();
    if (this.point) drawMarker(context, viewport, ...this.point, dpr);
    if (this.region) drawRegion(context, viewport, this.region, dpr);
    if (this.brush) drawBrush(context, viewport, this.brush.x, this.brush.y, this.brush.radius, dpr);
  }
}

// Shares as a glow: the accent's colour, as strong as the share.
function footprintBitmap({ columns, rows, shares }) {
  const bytes = Uint8Array.from(atob(shares), (letter) => letter.charCodeAt(0));
  const pixels = new ImageData(columns, rows);
  bytes.forEach((share, i) => pixels.data.set([242, 179, 76, 0.85 * share], 4 * i));
  return createImageBitmap(pixels);
}
