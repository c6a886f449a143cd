// The viewer: two renderings of one picture at one live zoom, and what lies inside.
//
//   const viewer = mount(element, { scale, methods, state, edits });
//   viewer.open(picture, transport);          // what `payloads.describe` gives, and see transport.js
//   viewer.change({ mode: "wipe" });          // part of the state, see state.js
//   viewer.on("point", (explanation) => {});  // see EVENTS; returns what stops it
//   viewer.look({ x, y, zoom });              // place and CSS pixels per picture pixel
//   viewer.select([x, y]);                    // explain a point; null closes it
//   viewer.highlight({ kernels, region, brush });
//   viewer.say("a sentence");
//
// Hosts use what is described here and nothing else: the members of `viewer` besides are its own.
// No build step and nothing from the network but what the transport fetches.

import { Arrival } from "./arrival.js";
import { makeControls } from "./controls.js";
import { debounce, h } from "./dom.js";
import { Events } from "./events.js";
import { Explaining } from "./explaining.js";
import { MARGIN } from "./feed.js";
import { Frames } from "./frames.js";
import { Inside } from "./inside.js";
import { Painter } from "./painter.js";
import { eased, glided, Motion } from "./motion.js";
import { Navigator } from "./navigator.js";
import { listen } from "./pointer.js";
import { Screen } from "./screen.js";
import { canReset, changedIn, isField, sourcesOf } from "./sources.js";
import { makeStage } from "./stage.js";
import { INITIAL, sensible } from "./state.js";
import { Status } from "./status.js";
import { Timing } from "./timing.js";
import { placeOnly, unwanted } from "./transport.js";
import { Viewport } from "./viewport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./state.js").State} State */
/** @typedef {{ down(x: number, y: number): void, move(x: number, y: number): void, up(): void, cancel(): void,
 *   hover?(x: number, y: number): void }} Tool that takes the pointer; places are picture pixels */
/** @typedef {{ scale?: number, methods?: any[], state?: Partial<State>,
 *   edits?: { open(): void, reset(): void }, measure?: () => void }} Options the first magnification,
 *   methods to offer, how it begins, where edits are seen and taken back, and how a ground truth is had,
 *   if the host has such a place */

const SETTLE_MS = 150;
const RETRY_MS = 1200;
const JUMP_MS = 160;
const GLIDE_MS = 900;
const BUSY = 503;

/** view: it settled, with the visible rectangle; state: with the state; point: with what is explained, or
 *  null; hover: with [column, row] or null; scores: with { scores }; error: with an error */
export const EVENTS = ["view", "state", "point", "hover", "scores", "error"];

/**
 * @param {HTMLElement} element
 * @param {Options} [options]
 */
export function mount(element, options = {}) {
  return new Viewer(element, options);
}

export class Viewer {
  /**
   * @param {HTMLElement} element
   * @param {Options} options
   */
  constructor(element, { scale = 4, methods = [], state = {}, edits = null, measure = null }) {
    this.methods = methods;
    this.firstScale = scale;
    /** Whether the wheel zooms; else it scrolls the page, and zooms with the control key only. */
    this.wheel = true;
    this.edits = edits;
    this.measure = measure;
    this.motion = new Motion();
    /** @type {State} read only; `change` is the way to another */
    this.state = { ...INITIAL, ...sensible(state) };
    /** @type {any} what is open, as it was given */
    this.picture = null;
    /** @type {Tool | null} */
    this.tool = null;
    this.moving = false;
    this.painted = 0; // frames drawn, for those who measure
    this.events = new Events(EVENTS);
    this.viewport = new Viewport();
    const failed = (error) => this.failed(error);
    this.inside = new Inside({
      redraw: () => this.draw(), failed,
      look: () => ({ viewport: this.viewport, state: this.state, dpr: this.dpr, moving: this.moving }),
    });
    this.pixels = new Frames({ received: (frame) => this.received(frame), failed });
    this.arrival = new Arrival({
      ask: () => this.transport.ask("tiles", { view: placeOnly(this.viewport.request(MARGIN) ?? this.view) }),
      told: (told, nearer) => this.arrived(told, nearer), failed,
    });
    this.settle = debounce(SETTLE_MS, () => this.settled());
    this.build(element);
  }

  // --- for hosts -----------------------------------------------------------------------------

  /**
   * Hear of one of EVENTS.
   * @param {string} event
   * @param {(value?: any) => void} run
   * @returns {() => void} stops that
   */
  on(event, run) {
    return this.events.on(event, run);
  }

  /**
   * Show another picture, from `view` ({ x, y, scale }) if there is one. With `edited` it is the same
   * one, edited: the view and what was picked stay, and the old frames until there are new ones.
   * @param {any} picture
   * @param {Transport} transport
   * @param {{ edited?: boolean, view?: { x: number, y: number, scale: number } | null }} [how]
   */
  async open(picture, transport, { edited = false, view = null } = {}) {
    if (!edited) {
      this.pixels.clear();
      this.transport?.stop?.();
      this.subject = {}; // the same for all edits of a picture: a preview of the last one may still come
    }
    const bitmap = edited ? this.picture.bitmap : null;
    if (!this.panes.length) this.resized(); // before the stage was observed for the first time
    this.picture = { ...picture, bitmap };
    this.transport = this.pixels.transport = transport;
    this.inside.use(this.picture, transport, edited);
    this.stage.removeAttribute("data-ready");
    this.controls.showLegend(picture.kernels);
    this.dropMissingSources();
    this.placeLabels();
    if (!edited) this.begin(view);
    this.moved(() => {});
    if (picture.growing) this.arrival.watch();
    else this.arrival.stop();
    if (!bitmap) await this.loadBackdrop(this.picture);
  }

  /**
   * Change part of the state; members that make no sense are left out.
   * @param {Partial<State>} part
   */
  change(part) {
    Object.assign(this.state, sensible(part));
    this.controls.show(this.state);
    if ("mode" in part) this.resized();
    if (!this.picture) return;
    if ("sources" in part || "mode" in part) {
      this.dropMissingSources();
      this.placeLabels();
      this.moved(() => {});
    }
    this.refresh();
    this.draw();
    this.events.emit("state", this.state);
  }

  /** Where it looks: the middle, picture pixels, and CSS pixels per picture pixel. */
  get place() {
    const { cx, cy, scale } = this.viewport;
    return { x: cx, y: cy, zoom: scale / this.dpr };
  }

  /**
   * Look somewhere else; what is left out stays.
   * @param {{ x?: number, y?: number, zoom?: number }} place
   */
  look({ x, y, zoom }) {
    const { viewport } = this;
    this.moved(() => {
      if (zoom !== undefined) viewport.setScale(zoom * this.dpr);
      Object.assign(viewport, { cx: x ?? viewport.cx, cy: y ?? viewport.cy });
      viewport.keepInside();
    });
  }

  /**
   * Move to another place evenly, as a hand would; a hand ends it.
   * @param {{ x?: number, y?: number, zoom?: number }} place
   * @param {number} [duration] milliseconds
   * @returns {Promise<boolean>} whether it got there
   */
  fly(place, duration = JUMP_MS) {
    const from = this.place;
    const to = { ...from, ...place };
    const { largest, smallest } = this.viewport;
    to.zoom = Math.min(largest, Math.max(smallest, to.zoom * this.dpr)) / this.dpr;
    let last = from;
    return this.motion.run(duration, (part) => {
      const { x, y, zoom } = this.place;
      // Somebody else looks elsewhere: that was meant.
      if (part < 1 && [x - last.x, y - last.y, zoom - last.zoom].some((by) => Math.abs(by) > 1e-6)) {
        this.motion.stop();
        return;
      }
      const at = eased(part);
      const now = from.zoom * (to.zoom / from.zoom) ** at;
      // The middle moves in step with what is seen: a flight to one fixed point.
      const way = Math.abs(to.zoom - from.zoom) < 1e-9 ? at : (1 / from.zoom - 1 / now) / (1 / from.zoom - 1 / to.zoom);
      const next = { x: from.x + way * (to.x - from.x), y: from.y + way * (to.y - from.y), zoom: now };
      this.look(part < 1 ? next : to);
      last = this.place;
    });
  }

  /** End what moves by itself. */
  hold() {
    this.motion.stop();
  }

  /** The whole picture as large as it fits, CSS pixels per picture pixel. */
  get fitZoom() {
    return this.viewport.fitScale / this.dpr;
  }

  /**
   * Show a rectangle [x, y, width, height] of the picture as large as it fits.
   * @param {number[]} rectangle
   */
  showRectangle([x, y, width, height]) {
    const scale = Math.min(this.viewport.width / width, this.viewport.height / height);
    this.look({ x: x + width / 2, y: y + height / 2, zoom: scale / this.dpr });
  }

  /** The visible rectangle of the plane, its size in device pixels, and the scale between them. */
  get view() {
    return this.viewport.visible();
  }

  /** The visible part of the picture. */
  get seen() {
    return this.viewport.seen();
  }

  /** The same place in another size of the same picture, to open it there. */
  placeIn(picture) {
    return this.viewport.placeIn(picture);
  }

  /**
   * What a side can show, as the menus list it.
   * @returns {{ value: string, label: string, about: string, group?: string }[]}
   */
  get sources() {
    return sourcesOf(this.methods, this.picture);
  }

  /**
   * Explain a point of the picture, or close what is explained.
   * @param {number[] | null} point
   */
  async select(point) {
    if (point) await this.explaining.explain(point[0], point[1]);
    else this.explaining.close();
  }

  /** The point that is explained, or null. */
  get selected() {
    return this.inside.point;
  }

  /**
   * Light up kernels, mark a region of the picture, show a brush; what is left out stays.
   * @param {{ kernels?: number[], region?: import("./transport.js").Rectangle | null,
   *   brush?: { x: number, y: number, radius: number } | null }} what
   */
  highlight({ kernels, ...marks }) {
    Object.assign(this.inside, marks);
    if (kernels) this.inside.light(kernels);
    this.draw();
  }

  /** The kernels that are lit and the region that is marked. */
  get highlighted() {
    return { kernels: this.inside.lit, region: this.inside.region };
  }

  /**
   * A sentence over the picture; "" takes it away.
   * @param {string} text
   */
  say(text) {
    this.parts.message.textContent = text;
  }

  /** The sentence over the picture. */
  get said() {
    return this.parts.message.textContent;
  }

  /**
   * Give the pointer to a tool, or back to panning.
   * @param {Tool | null} tool
   */
  use(tool) {
    this.tool = tool;
    this.stage.classList.toggle("gsr-tool", Boolean(tool));
    this.highlight({ brush: null });
  }

  /** Methods to offer, once the host knows them. */
  offer(methods) {
    this.methods = methods;
    this.placeLabels();
  }

  /** Put a panel of the host beside the picture. */
  dock(panel) {
    this.row.append(panel);
  }

  /** Put an element of the host over the picture. */
  cover(element) {
    this.stage.append(element);
  }

  /** Give the picture the keyboard. */
  focus() {
    this.stage.focus({ preventScroll: true });
  }

  /** Ask for everything again, say after the host lost and found its server. */
  reload() {
    this.pixels.outdate();
    this.moved(() => {});
  }

  destroy() {
    this.motion.stop();
    this.controls.destroy();
    this.screen.destroy();
    this.settle.cancel();
    this.arrival.stop();
    this.pixels.stop();
    this.transport?.stop?.();
    this.inside.stop();
    this.element.remove();
  }

  // --- its parts -----------------------------------------------------------------------------

  build(element) {
    const act = (this.act = this.verbs());
    this.controls = makeControls(this.state, {
      scale: (value) => this.zoomTo(value), jump: (value) => this.jump(value), change: (part) => this.change(part),
    });
    this.explaining = new Explaining(this.inside, {
      scale: () => this.viewport.scale,
      dpr: () => this.dpr,
      onScreen: () => [0, 1].some((i) => this.active(i) && isField(this.state.sources[i])),
      left: () => this.focus(),
      point: (explanation) => this.events.emit("point", explanation),
    });
    this.parts = makeStage({
      edits: this.edits, measure: this.measure, source: (i, value) => this.show(i, value),
      wipe: (wipe) => {
        this.state.wipe = Math.min(0.98, Math.max(0.02, wipe));
        this.resized();
        this.events.emit("state", this.state);
      },
    });
    this.stage = this.parts.element;
    this.status = new Status();
    this.timing = new Timing(this.stage, this.status.element);
    this.navigator = new Navigator((x, y) => this.act.look(x, y));
    this.stage.append(this.navigator.element, this.status.element);
    this.row = h("div", { className: "gsr-row" }, this.stage, this.explaining.element);
    this.element = h("div", { className: "gsr-viewer" }, this.row, this.controls.element);
    /** @type {any} */ (this.element).gsr = this;
    element.append(this.element);
    this.painter = new Painter(this.parts.pixels, this.parts.marks, this.inside);
    this.screen = new Screen(this.stage, [this.parts.pixels, this.parts.marks], () => this.resized());
    listen(this.stage, act);
  }

  get dpr() {
    return this.screen.dpr;
  }

  get panes() {
    return this.screen.panes;
  }

  get frames() {
    return this.pixels.latest;
  }

  get receivedFrames() {
    return this.pixels.count;
  }

  // What hands can do; places are CSS pixels of the stage.
  verbs() {
    const at = (x, y) => this.viewport.toPicture(...this.screen.local(x, y));
    return {
      tool: () => this.tool && this.picture && {
        down: (x, y) => this.tool.down(...at(x, y)),
        move: (x, y) => this.tool.move(...at(x, y)),
        up: () => this.tool.up(),
        cancel: () => this.tool.cancel(),
      },
      hold: () => this.motion.stop(),
      pan: (dx, dy) => this.byHand(() => this.viewport.panBy(dx * this.dpr, dy * this.dpr)),
      zoom: (x, y, factor) => this.byHand(() => {
        this.viewport.zoomAt(...this.screen.local(x, y), this.viewport.scale * factor);
      }),
      zooms: (factor) => Boolean(this.picture) && this.viewport.zooms(factor),
      wheel: () => this.wheel,
      // speeds are CSS pixels per millisecond
      glide: (vx, vy) => {
        let [gone, down] = [0, 0];
        this.motion.run(GLIDE_MS, (_, ms) => {
          const [x, y] = [glided(vx, ms), glided(vy, ms)];
          this.moved(() => this.viewport.panBy((x - gone) * this.dpr, (y - down) * this.dpr));
          [gone, down] = [x, y];
        });
      },
      closer: (x, y, factor) => {
        this.select(null);
        this.zoomAround(...this.screen.local(x, y), this.viewport.scale * factor);
      },
      look: (x, y) => {
        this.motion.stop();
        this.look({ x, y });
      },
      click: async (x, y) => {
        const [px, py] = this.screen.local(x, y);
        this.explaining.away(px > this.viewport.width / 2, py > this.viewport.height / 2);
        await this.select(at(x, y));
      },
      hover: (x, y) => this.hover(...at(x, y)),
      leave: () => this.hover(NaN, NaN),
      fit: () => this.moved(() => this.viewport.fit()),
      one: () => this.zoomTo(1),
      source: (number) => this.showNumber(number),
      close: () => this.select(null),
      centre: () => this.screen.centre(),
    };
  }

  resized() {
    this.screen.divide(this.state.mode, this.state.wipe);
    const { width, height } = this.panes[1];
    const same = this.viewport.width === width && this.viewport.height === height;
    Object.assign(this.viewport, { width, height, dpr: this.dpr });
    this.placeLabels();
    if (same || !this.picture) this.draw();
    else this.moved(() => {});
  }

  placeLabels() {
    const { mode, wipe, sources } = this.state;
    const offered = this.sources;
    this.parts.menus.forEach((menu, i) => {
      menu.offer(offered, sources[i]);
      // Beside another method people want figures.
      menu.offerNumbers(i === 0 && mode !== "one" && !this.picture?.truth && !isField(sources[0]) && sources[0] !== "bicubic");
      menu.mark(this.picture?.edited && changedIn(sources[i], this.picture), canReset(this.picture));
      menu.note(i === 1 ? this.picture?.notes ?? [] : []); // of the picture: once, where it is always seen
      menu.place(this.panes[i], this.dpr, i === 1 && mode !== "side", mode === "side" || mode === "one");
      // A difference has two sources and one pane.
      if (mode === "difference") menu.element.hidden = false;
    });
    this.parts.showWipe(mode === "wipe" ? wipe : null);
  }

  // --- the picture ---------------------------------------------------------------------------

  begin(view) {
    const { picture, viewport } = this;
    this.explaining.hide();
    this.motion.stop();
    viewport.picture = { width: picture.width, height: picture.height };
    const [fx, fy] = picture.focus ?? [0.5, 0.5];
    viewport.cx = view?.x ?? fx * picture.width;
    viewport.cy = view?.y ?? fy * picture.height;
    viewport.setScale(view?.scale ?? this.firstScale * this.dpr);
    // A picture that would not fill the pane is shown whole.
    if (!view && viewport.scale < viewport.fitScale) viewport.fit();
    viewport.keepInside();
  }

  dropMissingSources() {
    const known = new Set(this.sources.map((source) => source.value));
    const fallback = ["bicubic", "gsr:result"];
    this.state.sources = this.state.sources.map((source, i) => (known.has(source) ? source : fallback[i]));
  }

  async loadBackdrop(picture) {
    const shrink = Math.min(1, 2048 / Math.max(picture.width, picture.height));
    const view = {
      x: 0, y: 0, width: picture.width, height: picture.height,
      columns: Math.max(1, Math.round(picture.width * shrink)),
      rows: Math.max(1, Math.round(picture.height * shrink)),
    };
    try {
      const request = { view, method: "gsr", layer: "lr", quality: "exact" };
      const { blob, bitmap } = await this.inside.ask("frame", request, "backdrop");
      picture.bitmap = bitmap ?? await createImageBitmap(blob);
      this.draw();
    } catch (error) {
      this.failed(error);
    }
  }

  // --- reactions -----------------------------------------------------------------------------

  /**
   * Run a change of the viewport: draw at once, ask for a preview, later for the exact frame.
   * @param {() => void} run
   */
  moved(run) {
    if (!this.picture) return;
    run();
    this.moving = true;
    this.stage.removeAttribute("data-ready");
    this.showScale();
    this.draw();
    this.ask("preview");
    this.settle();
  }

  settled() {
    this.moving = false;
    this.ask("exact");
    if (this.arrival.latest) this.arrival.look();
    this.refresh();
    if (this.inside.point) this.explaining.explain(...this.inside.point, true);
    this.inside.loadChoices();
    this.draw();
    this.events.emit("view", this.view);
  }

  active(i) {
    return this.state.mode === "difference" || this.panes[i].clipWidth > 0;
  }

  /** @param {"preview" | "exact"} quality */
  ask(quality) {
    const { picture, subject } = this;
    const abouts = this.state.sources.map((source, i) => (this.active(i) ? { source, picture, subject } : null));
    this.pixels.want(this.viewport, quality, abouts);
  }

  received(frame) {
    this.timing.add(frame);
    this.say("");
    this.draw();
  }

  // More of the field is there than before, or all of it.
  arrived({ done, total, missing, failed }, nearer) {
    if (failed) this.say(failed);
    if (!this.moving && this.pixels.canImprove(missing.length)) this.ask("exact");
    if (!this.moving && nearer && done === total) {
      this.refresh();
      this.inside.loadChoices();
    }
    this.draw();
  }

  failed(error) {
    if (unwanted(error)) return;
    this.say(error.message);
    // Nothing is wrong when others come first: it is asked again, and the host need not know.
    if (error.status === BUSY) setTimeout(() => this.moving || this.ask("exact"), RETRY_MS);
    else this.events.emit("error", error);
  }

  show(i, source) {
    const sources = [...this.state.sources];
    sources[i] = source;
    this.change({ sources });
  }

  showNumber(number) {
    const source = this.sources[number - 2];
    if (source) this.show(1, source.value);
  }

  // A hand ends what moves by itself.
  byHand(run) {
    this.motion.stop();
    this.moved(run);
  }

  /** @param {number} scale CSS pixels per picture pixel; the middle stays */
  zoomTo(scale) {
    const { width, height } = this.viewport;
    this.byHand(() => this.viewport.zoomAt(width / 2, height / 2, scale * this.dpr));
  }

  /** The same, eased. */
  jump(scale) {
    const { width, height } = this.viewport;
    return this.zoomAround(width / 2, height / 2, scale * this.dpr);
  }

  // px, py: device pixels of a pane, which stay where they are
  zoomAround(px, py, scale) {
    const from = this.viewport.scale;
    return this.motion.run(JUMP_MS, (part) =>
      this.moved(() => this.viewport.zoomAt(px, py, part < 1 ? from * (scale / from) ** eased(part) : scale)));
  }

  showScale() {
    const { scale, smallest, fitScale } = this.viewport;
    this.controls.showScale(scale / this.dpr, fitScale / this.dpr, smallest / this.dpr);
  }

  // --- looking inside ------------------------------------------------------------------------

  // Fetch what is shown besides the pixels for this view.
  refresh() {
    this.inside.refresh();
    this.refreshScores();
  }

  async refreshScores() {
    const { menus } = this.parts;
    menus.forEach((menu) => menu.score(null));
    this.inside.answers.drop("scores"); // or it would come under another name
    if (!this.picture?.truth || this.moving) return;
    const names = this.state.sources.map((source) => (source === "gsr:result" ? "gsr" : source));
    const methods = [...new Set(names.filter((name) => !name.includes(":") && name !== "truth"))];
    if (!methods.length) return;
    try {
      const asked = { view: placeOnly(this.view), methods: methods.join(",") };
      const found = await this.inside.ask("scores", asked, "scores");
      menus.forEach((menu, i) => menu.score(found.scores[names[i]]));
      this.events.emit("scores", found);
    } catch (error) {
      this.failed(error);
    }
  }

  hover(x, y) {
    this.tool?.hover?.(x, y);
    const { width, height } = this.picture ?? {};
    const pixel = /** @type {[number, number]} */ ([Math.floor(x), Math.floor(y)]);
    const inside = x >= 0 && y >= 0 && x < width && y < height;
    this.status.showPlace(inside ? pixel : null, inside ? this.inside.at(...pixel) : null);
    this.inside.hoverAt(inside ? [x, y] : null);
    this.events.emit("hover", inside ? pixel : null);
  }

  // --- drawing -------------------------------------------------------------------------------

  draw() {
    this.drawing ||= requestAnimationFrame(() => {
      this.drawing = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.picture) return;
    this.painted += 1;
    const { state, viewport, picture } = this;
    const frames = [0, 1].map((i) => this.pixels.of(i, state.sources[i]));
    this.parts.menus.forEach((menu, i) => menu.wait(this.active(i) && !frames[i]));
    const arriving = this.arrival.latest;
    const missing = viewport.scale > 1 ? arriving?.missing : []; // at less the picture itself is shown
    this.status.showOutlines(this.painter.paint(this.panes, viewport, state, picture, frames, missing));
    const sides = [0, 1].map((i) => !this.active(i)
      || (!this.moving && this.pixels.isExact(i, state.sources[i], viewport, picture)));
    const exact = sides[0] && sides[1];
    this.parts.menus.forEach((menu, i) => menu.preview(!sides[i]));
    this.status.showQuality(exact, arriving);
    this.status.showRenderer(frames.findLast((frame) => frame && isField(frame.about.source)) ?? null);
    this.navigator.show(picture, viewport);
    if (exact) this.stage.dataset.ready = "true";
  }
}
