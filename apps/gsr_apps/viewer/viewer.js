// The viewer: two renderings of one picture at one live zoom, and what lies inside.
//
//   const viewer = mount(element, options);
//   viewer.open(picture, transport);      // picture: { width, height, alpha, kernels, focus, truth }
//
// A transport answers with promises:
//   frame({ view: {x, y, width, height, columns, rows}, method, layer, quality, channel }, signal)
//     -> { blob or bitmap, milliseconds it took to render }; a later request of the same channel may stop an
//     earlier one
//   ellipses(view, limit, signal), explain(x, y, scale, signal), choices(signal),
//   scores(view, methods, signal), usage(view, signal), footprint(column, row, scale, signal)
//
// options: { scale, methods, onerror(error), onview(view), onchange(state), onpoint(explanation),
//   edits: { open(), reset() } where the host has a place for them }
// No build step and nothing from the network but what the transport fetches.

import { makeControls } from "./controls.js";
import { Difference } from "./difference.js";
import { debounce, h } from "./dom.js";
import { Explainer } from "./explainer.js";
import { Feed, MARGIN } from "./feed.js";
import { Inside } from "./inside.js";
import { clip, drawPane } from "./layers.js";
import { layout, paneAt } from "./panes.js";
import { listen } from "./pointer.js";
import { canReset, changedIn, isField, requestOf, sourcesOf } from "./sources.js";
import { makeStage } from "./stage.js";
import { INITIAL, sensible } from "./state.js";
import { Viewport } from "./viewport.js";

const SETTLE_MS = 150;
const RETRY_MS = 1200;
const BUSY = 503;

export function mount(element, options = {}) {
  return new Viewer(element, options);
}

class Viewer {
  constructor(element, options) {
    this.options = { scale: 4, methods: [], onerror: () => {}, ...options };
    this.state = { ...INITIAL, ...sensible(options.state ?? {}) };
    this.viewport = new Viewport();
    this.panes = [];
    this.frames = [null, null];
    this.moving = false;
    this.painted = 0; // frames drawn and frames received, for those who measure
    this.receivedFrames = 0;
    this.tool = null; // takes the pointer when set: { down, move, up, cancel }
    this.inside = new Inside(() => this.draw(), (error) => this.failed(error));
    this.difference = new Difference();
    this.settle = debounce(SETTLE_MS, () => this.settled());
    this.feeds = [0, 1].map((i) => this.makeFeed(i));
    this.build(element);
    this.observe();
  }

  // The stage in device pixels, which a browser that rounds knows better than we do.
  observe() {
    this.observer = new ResizeObserver(([entry]) => {
      const [size] = entry.devicePixelContentBoxSize ?? [];
      this.devicePixels = size && [size.inlineSize, size.blockSize];
      this.resized();
    });
    try {
      this.observer.observe(this.stage, { box: "device-pixel-content-box" });
    } catch { // Safari: there a window that moves to another screen is seen by its density
      this.observer.observe(this.stage);
      this.watchDensity();
    }
  }

  watchDensity() {
    this.density = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.densityChanged = () => {
      this.watchDensity();
      this.resized();
    };
    this.density.addEventListener("change", this.densityChanged, { once: true });
  }

  makeFeed(i) {
    return new Feed(
      ({ source, ...request }, signal) =>
        this.transport.frame({ ...request, ...requestOf(source), channel: i }, signal),
      (frame) => this.received(i, frame),
      (error) => this.failed(error),
    );
  }

  build(element) {
    const act = this.verbs();
    this.controls = makeControls(this.state, {
      scale: (value) => this.zoomTo(value), fit: act.fit, one: act.one,
      change: (part) => this.change(part),
    });
    this.explainer = new Explainer({
      close: () => this.closeExplanation(),
      select: (part) => this.select(part),
    });
    this.parts = makeStage({
      edits: this.options.edits, source: (i, value) => this.show(i, value),
      wipe: (wipe) => {
        this.state.wipe = Math.min(0.98, Math.max(0.02, wipe));
        this.resized();
      },
    });
    this.stage = this.parts.element;
    this.quality = h("span", { className: "gsr-quality" });
    this.place = h("span", { className: "gsr-place" });
    this.outlines = h("span", { className: "gsr-outlines" });
    const status = h("div", { className: "gsr-status", role: "status", "aria-live": "off" },
      this.quality, this.place, this.outlines);
    this.row = h("div", { className: "gsr-row" }, this.stage, this.explainer.element);
    this.element = h("div", { className: "gsr-viewer" }, this.row, this.controls.element, status);
    this.element.gsr = this;
    element.append(this.element);
    listen(this.stage, act);
  }

  // What hands can do; places are CSS pixels of the stage.
  verbs() {
    const at = (x, y) => this.viewport.toPicture(...this.local(x, y));
    return {
      tool: () => this.tool && this.picture && {
        down: (x, y) => this.tool.down(...at(x, y)),
        move: (x, y) => this.tool.move(...at(x, y)),
        up: () => this.tool.up(),
        cancel: () => this.tool.cancel(),
      },
      pan: (dx, dy) => this.moved(() => this.viewport.panBy(dx * this.dpr, dy * this.dpr)),
      zoom: (x, y, factor) => this.moved(() => {
        this.viewport.zoomAt(...this.local(x, y), this.viewport.scale * factor);
      }),
      click: async (x, y) => {
        await this.explainAt(...at(x, y));
        this.explainer.element.scrollIntoView({ block: "nearest" }); // on a phone it is below
      },
      hover: (x, y) => this.hover(...at(x, y)),
      leave: () => this.hover(NaN, NaN),
      fit: () => this.moved(() => this.viewport.fit()),
      one: () => this.zoomTo(1),
      source: (number) => this.showNumber(number),
      close: () => this.closeExplanation(),
      centre: () => {
        const pane = this.panes[1];
        return [(pane.x + pane.width / 2) / this.dpr, (pane.y + pane.height / 2) / this.dpr];
      },
    };
  }

  // CSS pixels of the stage -> device pixels of the pane under them.
  local(x, y) {
    const [px, py] = [x * this.dpr, y * this.dpr];
    const pane = this.panes[paneAt(this.panes, px, py)];
    return [px - pane.x, py - pane.y];
  }

  resized() {
    this.dpr = window.devicePixelRatio || 1;
    const [width, height] = this.stageSize();
    for (const canvas of [this.parts.pixels, this.parts.marks]) {
      if (canvas.width === width && canvas.height === height) continue;
      Object.assign(canvas, { width, height });
    }
    this.panes = layout(this.state.mode, width, height, this.dpr, this.state.wipe);
    const { width: w, height: hgt } = this.panes[1];
    const same = this.viewport.width === w && this.viewport.height === hgt;
    Object.assign(this.viewport, { width: w, height: hgt });
    this.placeLabels();
    if (same || !this.picture) this.draw();
    else this.moved(() => {});
  }

  // Its size when it was last observed, unless that is over: then it comes again in a moment.
  stageSize() {
    const { clientWidth, clientHeight } = this.stage;
    return [clientWidth, clientHeight].map((length, axis) => {
      const computed = length * this.dpr;
      const observed = this.devicePixels?.[axis] ?? computed;
      return Math.max(1, Math.round(Math.abs(observed - computed) <= this.dpr ? observed : computed));
    });
  }

  placeLabels() {
    const { mode, wipe, sources } = this.state;
    const offered = sourcesOf(this.options.methods, this.picture);
    this.parts.menus.forEach((menu, i) => {
      menu.offer(offered, sources[i]);
      menu.mark(this.picture?.edited && changedIn(sources[i], this.picture), canReset(this.picture));
      menu.note(i === 1 ? this.picture?.notes ?? [] : []); // of the picture: once, where it is always seen
      menu.place(this.panes[i], this.dpr, i === 1 && mode !== "side", mode === "side" || mode === "one");
      // A difference has two sources and one pane.
      if (mode === "difference") menu.element.hidden = false;
    });
    const { handle } = this.parts;
    handle.hidden = mode !== "wipe";
    handle.style.left = `${100 * wipe}%`;
    handle.setAttribute("aria-valuenow", Math.round(100 * wipe));
  }

  // --- the picture ---------------------------------------------------------------------------

  // Show another picture, from `view` ({ x, y, scale }) if there is one. With `edited` it is the same
  // one, edited: the view and what was picked stay, and the old frames until there are new ones.
  async open(picture, transport, { edited = false, view = null } = {}) {
    if (!edited) {
      this.feeds.forEach((feed) => feed.stop());
      this.subject = {}; // the same for all edits of a picture: a preview of the last one may still come
    }
    const bitmap = edited ? this.picture.bitmap : null;
    if (!this.panes.length) this.resized(); // before the stage was observed for the first time
    Object.assign(this, { picture: { ...picture, bitmap }, transport });
    this.inside.use(this.picture, transport, edited);
    this.stage.removeAttribute("data-ready");
    this.controls.showLegend(picture.kernels);
    this.dropMissingSources();
    this.placeLabels();
    if (!edited) this.look(picture, view);
    if (this.inside.lit.length) this.inside.light(this.inside.lit);
    this.moved(() => {});
    if (!bitmap) await this.loadBackdrop(this.picture);
  }

  look(picture, view) {
    this.frames = [null, null];
    this.explainer.hide();
    this.viewport.picture = { width: picture.width, height: picture.height };
    const [fx, fy] = picture.focus ?? [0.5, 0.5];
    this.viewport.cx = view?.x ?? fx * picture.width;
    this.viewport.cy = view?.y ?? fy * picture.height;
    this.viewport.setScale(view?.scale ?? this.options.scale * this.dpr);
    // A picture that would not fill the pane is shown whole.
    if (!view && this.viewport.scale < this.viewport.fitScale) this.viewport.fit();
    this.viewport.keepInside();
  }

  dropMissingSources() {
    const known = new Set(sourcesOf(this.options.methods, this.picture).map((source) => source.value));
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
    const request = { view, method: "gsr", channel: "backdrop", layer: "lr", quality: "exact" };
    await this.inside.fetch("backdrop", (t, signal) => t.frame(request, signal), async ({ blob, bitmap }) => {
      picture.bitmap = bitmap ?? await createImageBitmap(blob);
    });
  }

  // --- reactions -----------------------------------------------------------------------------

  // Run a change of the viewport: draw at once, ask for a preview, later for the exact frame.
  moved(run) {
    if (!this.picture) return;
    run();
    this.moving = true;
    this.stage.removeAttribute("data-ready");
    this.controls.showScale(this.viewport.scale);
    this.draw();
    this.ask("preview");
    this.settle();
  }

  settled() {
    this.moving = false;
    this.ask("exact");
    this.refresh();
    if (this.inside.point) this.explainAt(...this.inside.point, true);
    this.inside.loadChoices();
    this.draw();
    this.options.onview?.(this.viewport.visible());
  }

  // Fetch what the overlays need for this view.
  refresh() {
    const { ellipses, offsets, map } = this.state;
    if (ellipses || offsets) this.inside.loadEllipses(this.viewport, this.dpr);
    if (map !== "none") this.inside.loadMap(map);
    this.refreshScores();
  }

  active(i) {
    return this.state.mode === "difference" || this.panes[i].clipWidth > 0;
  }

  ask(quality) {
    this.feeds.forEach((feed, i) => {
      if (!this.active(i)) return feed.stop();
      const { picture, subject } = this;
      feed.want(this.viewport, quality, { source: this.state.sources[i], picture, subject });
    });
  }

  received(i, frame) {
    if (frame.about.subject !== this.subject || frame.about.source !== this.state.sources[i]) return;
    this.frames[i]?.bitmap.close();
    this.frames[i] = frame;
    this.receivedFrames += 1;
    this.parts.message.textContent = "";
    this.draw();
  }

  failed(error) {
    if (error.name === "AbortError" || error.status === 409) return;
    this.parts.message.textContent = error.message;
    // Nothing is wrong when others come first: it is asked again, and the host need not know.
    if (error.status === BUSY) setTimeout(() => this.moving || this.ask("exact"), RETRY_MS);
    else this.options.onerror(error);
  }

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
    this.options.onchange?.(this.state);
  }

  show(i, source) {
    const sources = [...this.state.sources];
    sources[i] = source;
    this.change({ sources });
  }

  showNumber(number) {
    const source = sourcesOf(this.options.methods, this.picture)[number - 2];
    if (source) this.show(1, source.value);
  }

  zoomTo(scale) {
    this.moved(() => {
      const { width, height } = this.viewport;
      this.viewport.zoomAt(width / 2, height / 2, scale);
    });
  }

  // A panel of the host beside the picture.
  dock(panel) {
    this.row.append(panel);
  }

  // Give the pointer to a tool, { down, move, up, cancel, hover } in picture pixels, or back to panning.
  use(tool) {
    this.tool = tool;
    this.stage.classList.toggle("gsr-tool", Boolean(tool));
    this.inside.brush = null;
    this.draw();
  }

  // Show a rectangle [x, y, width, height] of the picture as large as it fits.
  showRectangle([x, y, width, height]) {
    this.moved(() => {
      const { viewport } = this;
      viewport.setScale(Math.min(viewport.width / width, viewport.height / height));
      Object.assign(viewport, { cx: x + width / 2, cy: y + height / 2 });
      viewport.keepInside();
    });
  }

  // Methods to offer, once the host knows them.
  offer(methods) {
    this.options.methods = methods;
    this.placeLabels();
  }

  // --- looking inside ------------------------------------------------------------------------

  async refreshScores() {
    this.parts.menus.forEach((menu) => menu.score(null));
    this.inside.running.scores?.abort(); // or it would come under another name
    if (!this.picture?.truth || this.moving) return;
    const names = this.state.sources.map((source) => (source === "gsr:result" ? "gsr" : source));
    const methods = [...new Set(names.filter((name) => !name.includes(":") && name !== "truth"))];
    if (!methods.length) return;
    const view = this.viewport.visible();
    await this.inside.fetch("scores", (t, signal) => t.scores(view, methods.join(","), signal), (found) => {
      this.parts.menus.forEach((menu, i) => menu.score(found.scores[names[i]]));
      this.options.onscores?.(found);
    });
  }

  async explainAt(x, y, again = false) {
    const { width, height } = this.picture ?? {};
    if (!(x >= 0 && y >= 0 && x <= width && y <= height)) return;
    const scale = Math.min(64, Math.max(1 / 64, this.viewport.scale));
    if (!again) this.inside.deselect();
    await this.inside.explain(x, y, scale);
    const { explanation } = this.inside;
    if (!explanation) return;
    const { scrollTop } = this.explainer.element;
    this.showExplanation();
    if (again) this.explainer.element.scrollTop = scrollTop;
    this.options.onpoint?.(explanation);
  }

  select(part) {
    const { selected } = this.inside;
    if (selected && selected.column === part.column && selected.row === part.row) this.inside.deselect();
    else this.inside.select(part, Math.min(64, Math.max(1, this.viewport.scale)));
    this.showExplanation();
  }

  showExplanation() {
    const { explanation, selected } = this.inside;
    const onScreen = [0, 1].some((i) => this.active(i) && isField(this.state.sources[i]));
    this.explainer.show(explanation, this.picture.kernels, { selected, onScreen });
  }

  closeExplanation() {
    this.inside.closePoint();
    if (this.explainer.element.contains(document.activeElement)) this.stage.focus({ preventScroll: true });
    this.explainer.hide();
    this.draw();
    this.options.onpoint?.(null);
  }

  hover(x, y) {
    this.tool?.hover?.(x, y);
    const { width, height } = this.picture ?? {};
    if (!(x >= 0 && y >= 0 && x < width && y < height)) {
      this.place.textContent = "";
      this.options.onhover?.(null);
      return;
    }
    const [column, row] = [Math.floor(x), Math.floor(y)];
    this.options.onhover?.([column, row]);
    const said = this.inside.at(column, row);
    const choice = said
      ? ` · kernel ${said.kernel}, ${Math.round(100 * said.confidence)} % sure; next ${said.second}`
      : "";
    this.place.textContent = `column ${column}, row ${row}${choice}`;
  }

  // --- drawing -------------------------------------------------------------------------------

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.picture) return;
    this.painted += 1;
    const frames = [0, 1].map((i) => this.frameOf(i));
    this.parts.menus.forEach((menu, i) => menu.wait(this.active(i) && !frames[i]));
    const context = this.parts.pixels.getContext("2d");
    context.clearRect(0, 0, this.parts.pixels.width, this.parts.pixels.height);
    if (this.state.mode === "difference") {
      const { gain } = this.state;
      this.difference.paint(context, this.panes[1], this.viewport, this.picture, frames, gain);
    } else {
      this.panes.forEach((pane, i) => {
        if (pane.clipWidth) drawPane(context, pane, this.viewport, this.picture, frames[i]);
      });
    }
    this.paintMarks();
    this.showQuality();
  }

  // The newest frame of what a side shows. One of another method would stand under a wrong name.
  frameOf(i) {
    const frame = this.frames[i];
    return frame?.about.source === this.state.sources[i] ? frame : null;
  }

  paintMarks() {
    const context = this.parts.marks.getContext("2d");
    context.clearRect(0, 0, this.parts.marks.width, this.parts.marks.height);
    this.outlines.textContent = "";
    // On the right side; on the left too when it shows the field and the right side does not.
    const { sources } = this.state;
    const inside = isField(sources[1]) || !isField(sources[0]) ? 1 : 0;
    this.panes.forEach((pane, i) => {
      if (!pane.clipWidth) return;
      context.save();
      clip(context, pane);
      context.translate(pane.x, pane.y);
      if (i === inside || this.state.mode === "difference") {
        this.outlines.textContent = this.inside.paint(context, this.viewport, this.state, this.dpr, this.moving);
      }
      this.inside.paintMarks(context, this.viewport, this.dpr);
      context.restore();
    });
  }

  showQuality() {
    const exact = [0, 1].every((i) => !this.active(i) || this.isExact(i));
    this.quality.textContent = exact ? "exact" : "preview";
    this.quality.dataset.quality = exact ? "exact" : "preview";
    this.quality.title = exact
      ? "These pixels are the renderer's own, without loss"
      : "A quick, coarser picture while the exact one is made";
    if (exact) this.stage.dataset.ready = "true";
  }

  isExact(i) {
    const frame = this.frameOf(i);
    if (frame?.quality !== "exact" || this.moving || frame.about.picture !== this.picture) return false;
    const wanted = this.viewport.request(MARGIN);
    return wanted && ["x", "y", "width", "height", "columns", "rows"].every(
      (key) => Math.abs(wanted[key] - frame.view[key]) < 1e-6);
  }

  destroy() {
    this.observer.disconnect();
    this.density?.removeEventListener("change", this.densityChanged);
    this.settle.cancel();
    this.feeds.forEach((feed) => feed.stop());
    this.inside.stop();
    this.element.remove();
  }
}
