// What lies inside the field: fetched for a picture, painted over a pane that shows the field.

import { splitChoices, litBitmap, mapBitmap } from "./maps.js";
import * as overlay from "./overlay.js";

const MOST_ELLIPSES = 12_000;

export class Inside {
  // redraw(): something new is there; failed(error)
  constructor(redraw, failed) {
    Object.assign(this, { redraw, failed, running: {} });
    this.forget();
  }

  // Of another picture. With `keep` it is the same one, edited: the point and the kernels that were
  // picked stay, and so does what was seen until the new is there.
  use(picture, transport, keep = false) {
    this.stop();
    const { point, lit, region, list, explanation } = this;
    const seen = { ...this.seen, ...this.bitmaps };
    this.forget();
    Object.assign(this, { picture, transport });
    if (keep) Object.assign(this, { point, lit, region, list, explanation, seen });
  }

  stop() {
    for (const request of Object.values(this.running)) request.abort();
    this.running = {};
  }

  forget() {
    Object.assign(this, {
      list: null, choices: null, loading: null, bitmaps: {}, seen: {}, explanation: null, point: null,
      selected: null, footprint: null, lit: [], region: null, brush: null,
    });
  }

  // Run a request. A newer one of the same kind takes its place, and so does another picture.
  async fetch(kind, run, use) {
    this.running[kind]?.abort();
    const own = (this.running[kind] = new AbortController());
    try {
      const found = await run(this.transport, own.signal);
      if (own.signal.aborted) return;
      await use(found);
      this.redraw();
    } catch (error) {
      this.failed(error);
    }
  }

  loadEllipses(viewport, dpr) {
    const view = viewport.visible();
    const pad = 0.1;
    const area = {
      x: view.x - pad * view.width, y: view.y - pad * view.height,
      width: (1 + 2 * pad) * view.width, height: (1 + 2 * pad) * view.height,
    };
    // Outlines closer than this would only hide each other and the picture.
    const spacing = Math.max(1, (6 * dpr) / viewport.scale);
    const cells = (area.width + 4) * (area.height + 4);
    const limit = Math.round(Math.min(MOST_ELLIPSES, Math.max(100, cells / Math.ceil(spacing) ** 2)));
    return this.fetch("ellipses", (t, signal) => t.ellipses(area, limit, signal), (list) => { this.list = list; });
  }

  // Whoever asks while it is on its way waits for the same answer.
  loadChoices() {
    if (this.choices) return null;
    const { width, height } = this.picture;
    this.loading ??= this.fetch("choices", (t, signal) => t.choices(signal), (buffer) => {
      this.choices = splitChoices(buffer, width * height);
    });
    const own = this.loading;
    return own.finally(() => {
      if (own === this.loading && !this.choices) this.loading = null;
    });
  }

  async loadMap(kind) {
    await this.loadChoices();
    if (kind === "none" || !this.choices || this.bitmaps[kind]) return;
    const { picture } = this;
    const bitmap = await mapBitmap(kind, this.choices, picture);
    if (picture !== this.picture) return;
    this.bitmaps[kind] = bitmap;
    this.redraw();
  }

  // Light up the pixels that picked one of these kernels.
  async light(kernels) {
    if (kernels !== this.lit) this.seen.lit = null;
    this.lit = kernels;
    delete this.bitmaps.lit;
    if (kernels.length) {
      await this.loadChoices();
      if (this.choices && this.lit === kernels) {
        this.bitmaps.lit = await litBitmap(kernels, this.choices, this.picture);
      }
    }
    this.redraw();
  }

  explain(x, y, scale) {
    this.point = [x, y];
    return this.fetch("explain", (t, signal) => t.explain(x, y, scale, signal), (explanation) => {
      this.explanation = explanation;
    });
  }

  // Everything one Gaussian touches.
  select(part, scale) {
    this.selected = part;
    this.footprint = null;
    return this.fetch("footprint", (t, signal) => t.footprint(part.column, part.row, scale, signal), async (found) => {
      if (this.selected === part) this.footprint = { ...found, bitmap: await footprintBitmap(found) };
    });
  }

  deselect() {
    this.selected = this.footprint = null;
    this.redraw();
  }

  closePoint() {
    this.running.explain?.abort();
    this.point = this.explanation = null;
    this.deselect();
  }

  // What the network said at a pixel: { kernel, second, confidence }, once it is known.
  at(column, row) {
    if (!this.choices) return null;
    const i = row * this.picture.width + column;
    const { kernel, second, confidence } = this.choices;
    return { kernel: kernel[i], second: second[i], confidence: confidence[i] / 255 };
  }

  // Returns what the status line says of the outlines.
  paint(context, viewport, state, dpr, moving) {
    const { kernels } = this.picture;
    let said = "";
    const bitmaps = { ...this.seen, ...this.bitmaps };
    if (bitmaps.lit) overlay.drawMap(context, viewport, bitmaps.lit, 1);
    const map = bitmaps[state.map];
    if (map) overlay.drawMap(context, viewport, map, state.opacity);
    if (this.footprint) overlay.drawMap(context, viewport, this.footprint.bitmap, 1, this.footprint, true);
    if (state.ellipses && this.list) {
      const how = { sigma: state.sigma, colorBy: state.colorBy, dpr, moving };
      const step = overlay.drawEllipses(context, viewport, this.list, kernels, how);
      said = `ellipses at ${state.sigma.toFixed(1)} σ, ${every(step)}`;
    }
    if (state.offsets && this.list && !(moving && this.list.x.length > 4000)) {
      overlay.drawOffsets(context, viewport, this.list, dpr);
    }
    if (this.explanation) {
      overlay.drawContributions(context, viewport, this.explanation, kernels, state.sigma, dpr, this.selected);
    }
    return said;
  }

  // Marks that belong on both panes.
  paintMarks(context, viewport, dpr) {
    if (this.point) overlay.drawMarker(context, viewport, ...this.point, dpr);
    if (this.region) overlay.drawRegion(context, viewport, this.region, dpr);
    if (this.brush) overlay.drawBrush(context, viewport, this.brush.x, this.brush.y, this.brush.radius, dpr);
  }
}

function every(step) {
  if (step === 1) return "all drawn";
  return `every ${step}${{ 2: "nd", 3: "rd" }[step] ?? "th"} row and column drawn`;
}

// Shares as a glow: the accent's colour, as strong as the share.
function footprintBitmap({ columns, rows, shares }) {
  const bytes = Uint8Array.from(atob(shares), (letter) => letter.charCodeAt(0));
  const pixels = new ImageData(columns, rows);
  bytes.forEach((share, i) => pixels.data.set([242, 179, 76, 0.85 * share], 4 * i));
  return createImageBitmap(pixels);
}
