// The viewer: two renderings of one picture at one live zoom, and what lies inside.
//
//   const viewer = mount(element, options);
//   viewer.open(picture, transport);      // picture: { width, height, alpha, kernels, focus }
//
// A transport answers with promises:
//   frame({ view: {x, y, width, height, columns, rows}, method, layer, quality, channel }, signal)
//     -> { blob, milliseconds it took to render }; a later request of the same channel may stop an
//     earlier one
//   ellipses(view, limit, signal) -> { step, column[], row[], kernel[], x[], y[], color[] }
//   explain(x, y, scale, signal) -> explanation;   classMap(signal) -> Uint16Array
//
// No build step and nothing from the network but what the transport fetches.

import { makeControls } from "./controls.js";
import { debounce, h } from "./dom.js";
import { Explainer } from "./explainer.js";
import { Feed, MARGIN } from "./feed.js";
import { clip, drawPane } from "./layers.js";
import * as overlay from "./overlay.js";
import { layout, paneAt } from "./panes.js";
import { listen } from "./pointer.js";
import { Viewport } from "./viewport.js";

const METHODS = ["bicubic", "gsr"];
const SETTLE_MS = 150;
const NAMES = { gaussians: "Gaussians only", residual: "Correction ×4", lr: "Picture pixels" };

export function mount(element, options = {}) {
  return new Viewer(element, options);
}

class Viewer {
  constructor(element, options) {
    this.options = { scale: 4, onerror: () => {}, ...options };
    this.state = {
      mode: "side", wipe: 0.5, layer: "result",
      ellipses: false, sigma: 1, byKernel: true, classMap: false, opacity: 0.6,
    };
    this.viewport = new Viewport();
    this.panes = [];
    this.frames = {};
    this.moving = false;
    this.settle = debounce(SETTLE_MS, () => this.settled());
    this.feeds = METHODS.map((method) => this.makeFeed(method));
    this.build(element);
    this.watchSize();
  }

  makeFeed(method) {
    return new Feed(
      (request, signal) => this.transport.frame({ ...request, method, channel: method }, signal),
      (frame) => this.received(method, frame),
      (error) => this.failed(error),
    );
  }

  // --- building ------------------------------------------------------------------------------

  build(element) {
    const act = this.verbs();
    this.controls = makeControls(this.state, {
      scale: (value) => this.zoomTo(value), fit: act.fit, one: act.one,
      change: (part) => this.change(part),
    });
    this.explainer = new Explainer(() => this.closeExplanation());
    this.pixels = h("canvas", { className: "gsr-canvas" });
    this.marks = h("canvas", { className: "gsr-canvas" });
    this.labels = [0, 1].map(() => h("span", { className: "gsr-pane-label" }));
    this.handle = this.makeHandle();
    this.stage = h("div", {
      className: "gsr-stage", tabIndex: 0, role: "application",
      "aria-label": "Picture, enlarged in two ways. Arrows move, plus and minus zoom, 0 fits, 1 is one to one, Enter explains the centre.",
    }, this.pixels, this.marks, ...this.labels, this.handle);
    this.message = h("div", { className: "gsr-message" });
    this.stage.append(this.message);
    this.quality = h("span", { className: "gsr-quality" });
    this.place = h("span", { className: "gsr-place" });
    this.outlines = h("span", { className: "gsr-outlines" });
    this.status = h("div", { className: "gsr-status", role: "status", "aria-live": "off" },
      this.quality, this.place, this.outlines);
    this.element = h("div", { className: "gsr-viewer" },
      h("div", { className: "gsr-row" }, this.stage, this.explainer.element),
      this.controls.element, this.status);
    this.element.gsr = this;
    element.append(this.element);
    listen(this.stage, act);
  }

  makeHandle() {
    const move = (wipe) => {
      this.state.wipe = Math.min(0.98, Math.max(0.02, wipe));
      this.resized();
    };
    const handle = h("div", {
      className: "gsr-handle", tabIndex: 0, role: "slider", hidden: true,
      "aria-label": "Border between the two methods", "aria-valuemin": 0, "aria-valuemax": 100,
      onpointerdown: (event) => {
        event.stopPropagation();
        handle.setPointerCapture(event.pointerId);
      },
      onpointermove: (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        event.stopPropagation();
        const box = this.stage.getBoundingClientRect();
        move((event.clientX - box.left) / box.width);
      },
      onkeydown: (event) => {
        const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
        if (!step) return;
        event.preventDefault();
        move(this.state.wipe + step);
      },
    });
    return handle;
  }

  // What hands can do; places are CSS pixels of the stage.
  verbs() {
    const local = (x, y) => this.local(x, y);
    return {
      pan: (dx, dy) => this.moved(() => this.viewport.panBy(dx * this.dpr, dy * this.dpr)),
      zoom: (x, y, factor) => this.moved(() => {
        const [px, py] = local(x, y);
        this.viewport.zoomAt(px, py, this.viewport.scale * factor);
      }),
      click: (x, y) => this.explainAt(...this.viewport.toPicture(...local(x, y))),
      hover: (x, y) => this.hover(...this.viewport.toPicture(...local(x, y))),
      leave: () => this.hover(NaN, NaN),
      fit: () => this.moved(() => this.viewport.fit()),
      one: () => this.zoomTo(1),
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

  watchSize() {
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.stage);
  }

  resized() {
    this.dpr = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.stage.clientWidth * this.dpr));
    const height = Math.max(1, Math.round(this.stage.clientHeight * this.dpr));
    for (const canvas of [this.pixels, this.marks]) {
      if (canvas.width === width && canvas.height === height) continue;
      canvas.width = width;
      canvas.height = height;
    }
    this.panes = layout(this.state.mode, width, height, this.dpr, this.state.wipe);
    const { width: w, height: hgt } = this.panes[1];
    const same = this.viewport.width === w && this.viewport.height === hgt;
    this.viewport.width = w;
    this.viewport.height = hgt;
    this.placeLabels();
    if (same || !this.picture) this.draw();
    else this.moved(() => {});
  }

  placeLabels() {
    const names = ["Bicubic", `GaussianSR${NAMES[this.state.layer] ? ` · ${NAMES[this.state.layer]}` : ""}`];
    const wipe = this.state.mode === "wipe";
    this.labels.forEach((label, i) => {
      const pane = this.panes[i];
      label.textContent = names[i];
      const right = wipe && i === 1;
      label.style.left = right ? "auto" : `${pane.x / this.dpr + 10}px`;
      label.style.right = right ? "10px" : "auto";
      label.style.top = `${pane.y / this.dpr + 10}px`;
    });
    this.handle.hidden = !wipe;
    this.handle.style.left = `${100 * this.state.wipe}%`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * this.state.wipe));
  }

  // --- the picture ---------------------------------------------------------------------------

  // Show another picture; the zoom stays.
  async open(picture, transport) {
    this.feeds.forEach((feed) => feed.stop());
    this.aborting?.abort();
    this.aborting = new AbortController();
    const first = !this.picture;
    Object.assign(this, {
      picture: { ...picture, bitmap: null }, transport, frames: {}, list: null, numbers: null,
      map: null, explanation: null, point: null,
    });
    this.explainer.hide();
    this.viewport.picture = { width: picture.width, height: picture.height };
    const [fx, fy] = picture.focus ?? [0.5, 0.5];
    this.viewport.cx = fx * picture.width;
    this.viewport.cy = fy * picture.height;
    this.viewport.setScale(first ? this.options.scale * this.dpr : this.viewport.scale);
    this.controls.showLegend(picture.kernels);
    this.stage.removeAttribute("data-ready");
    this.moved(() => {});
    await this.loadBackdrop(this.picture);
  }

  async loadBackdrop(picture) {
    const shrink = Math.min(1, 2048 / Math.max(picture.width, picture.height));
    const view = {
      x: 0, y: 0, width: picture.width, height: picture.height,
      columns: Math.max(1, Math.round(picture.width * shrink)),
      rows: Math.max(1, Math.round(picture.height * shrink)),
    };
    const request = { view, method: "gsr", channel: "backdrop", layer: "lr", quality: "exact" };
    try {
      const { blob } = await this.transport.frame(request, this.aborting.signal);
      picture.bitmap = await createImageBitmap(blob);
      this.draw();
    } catch (error) {
      this.failed(error);
    }
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
    this.refreshEllipses();
    if (this.point) this.explainAt(...this.point, true);
    this.loadClassMap();
    this.draw();
    this.options.onview?.(this.viewport.visible());
  }

  ask(quality) {
    METHODS.forEach((method, i) => {
      const layer = method === "gsr" ? this.state.layer : "result";
      this.feeds[i].want(this.viewport, quality, { layer, picture: this.picture });
    });
  }

  received(method, frame) {
    const stale = frame.about.picture !== this.picture ||
      (method === "gsr" && frame.about.layer !== this.state.layer);
    if (stale) return;
    this.frames[method]?.bitmap.close();
    this.frames[method] = frame;
    this.message.textContent = "";
    this.draw();
  }

  failed(error) {
    if (error.name === "AbortError" || error.status === 409) return;
    this.message.textContent = error.message;
    this.options.onerror(error);
  }

  change(part) {
    Object.assign(this.state, part);
    if ("mode" in part) this.resized();
    if (!this.picture) return;
    if ("layer" in part) {
      this.placeLabels();
      this.moved(() => {});
    }
    if (part.ellipses) this.refreshEllipses();
    if (part.classMap) this.loadClassMap();
    this.draw();
  }

  zoomTo(scale) {
    this.moved(() => {
      const { width, height } = this.viewport;
      this.viewport.zoomAt(width / 2, height / 2, scale);
    });
  }

  // --- looking inside ------------------------------------------------------------------------

  async refreshEllipses() {
    if (!this.state.ellipses || !this.picture) return;
    const picture = this.picture;
    const view = this.viewport.visible();
    const pad = 0.1;
    const area = {
      x: view.x - pad * view.width, y: view.y - pad * view.height,
      width: (1 + 2 * pad) * view.width, height: (1 + 2 * pad) * view.height,
    };
    // Outlines closer than this would only hide each other and the picture.
    const spacing = Math.max(1, (8 * this.dpr) / this.viewport.scale);
    const cells = (area.width + 4) * (area.height + 4);
    const limit = Math.round(Math.min(6000, Math.max(100, cells / Math.ceil(spacing) ** 2)));
    try {
      const list = await this.transport.ellipses(area, limit, this.aborting.signal);
      if (picture === this.picture) this.list = list;
      this.draw();
    } catch (error) {
      this.failed(error);
    }
  }

  async loadClassMap() {
    if (this.numbers || this.loadingMap === this.picture) return;
    const picture = (this.loadingMap = this.picture);
    try {
      const numbers = await this.transport.classMap(this.aborting.signal);
      const map = await overlay.classMapBitmap(numbers, picture.width, picture.height, picture.kernels);
      if (picture === this.picture) Object.assign(this, { numbers, map });
      this.draw();
    } catch (error) {
      this.loadingMap = null;
      this.failed(error);
    }
  }

  async explainAt(x, y, again = false) {
    const { width, height } = this.picture ?? {};
    if (!(x >= 0 && y >= 0 && x <= width && y <= height)) return;
    this.point = [x, y];
    const asked = (this.asked = {});
    try {
      const scale = Math.min(64, Math.max(1 / 64, this.viewport.scale));
      const explanation = await this.transport.explain(x, y, scale, this.aborting.signal);
      if (asked !== this.asked || !this.point) return;
      this.explanation = explanation;
      const scroll = this.explainer.element.scrollTop;
      this.explainer.show(explanation, this.picture.kernels);
      if (again) this.explainer.element.scrollTop = scroll;
      this.draw();
    } catch (error) {
      this.failed(error);
    }
  }

  closeExplanation() {
    this.point = this.explanation = null;
    this.explainer.hide();
    this.draw();
  }

  hover(x, y) {
    const { width, height } = this.picture ?? {};
    if (!(x >= 0 && y >= 0 && x < width && y < height)) {
      this.place.textContent = "";
      return;
    }
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const kernel = this.numbers ? ` · kernel ${this.numbers[row * width + column]}` : "";
    this.place.textContent = `column ${column}, row ${row}${kernel}`;
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
    const context = this.pixels.getContext("2d");
    context.clearRect(0, 0, this.pixels.width, this.pixels.height);
    METHODS.forEach((method, i) => {
      drawPane(context, this.panes[i], this.viewport, this.picture, this.frames[method]);
    });
    this.paintMarks();
    this.showQuality();
  }

  paintMarks() {
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    this.panes.forEach((pane, i) => {
      context.save();
      clip(context, pane);
      context.translate(pane.x, pane.y);
      if (i === 1) this.paintInside(context);
      if (this.point) overlay.drawMarker(context, this.viewport, ...this.point, this.dpr);
      context.restore();
    });
  }

  paintInside(context) {
    const { classMap, opacity, ellipses, sigma, byKernel } = this.state;
    const { kernels } = this.picture;
    this.outlines.textContent = "";
    if (classMap && this.map) overlay.drawClassMap(context, this.viewport, this.map, opacity);
    if (ellipses && this.list) {
      const how = { sigma, byKernel, dpr: this.dpr, moving: this.moving };
      const step = overlay.drawEllipses(context, this.viewport, this.list, kernels, how);
      this.outlines.textContent = `ellipses at ${sigma.toFixed(1)} σ, ${every(step)}`;
    }
    if (this.explanation) {
      overlay.drawContributions(context, this.viewport, this.explanation, kernels, sigma, this.dpr);
    }
  }

  showQuality() {
    const exact = METHODS.every((method) => this.isExact(this.frames[method]));
    this.quality.textContent = exact ? "exact" : "preview";
    this.quality.dataset.quality = exact ? "exact" : "preview";
    this.quality.title = exact
      ? "These pixels are the renderer's own, without loss"
      : "A quick, coarser picture while the exact one is made";
    if (exact) this.stage.dataset.ready = "true";
  }

  isExact(frame) {
    if (!frame || frame.quality !== "exact" || this.moving) return false;
    const wanted = this.viewport.request(MARGIN);
    return wanted && ["x", "y", "width", "height", "columns", "rows"].every(
      (key) => Math.abs(wanted[key] - frame.view[key]) < 1e-6);
  }

  destroy() {
    this.observer.disconnect();
    this.settle.cancel();
    this.feeds.forEach((feed) => feed.stop());
    this.aborting?.abort();
    this.element.remove();
  }
}

function every(step) {
  if (step === 1) return "all drawn";
  return `every ${step}${{ 2: "nd", 3: "rd" }[step] ?? "th"} row and column drawn`;
}
