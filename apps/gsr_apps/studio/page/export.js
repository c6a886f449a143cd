// Take it away: the picture or the view as a file, the outlines, a zoom as a film, the field itself.

import { h } from "../viewer/dom.js";
import { checked, progressOf } from "../viewer/http.js";
import { fileName, saveBlob } from "./saving.js";

const WHAT = [
  ["whole", "Whole picture"], ["view", "What is in view"], ["svg", "View with ellipses (SVG)"],
  ["sweep", "Zoom as a film"],
];
const FORMATS = {
  whole: [["png", "PNG"], ["webp", "WebP, lossless"], ["jpeg", "JPEG"]],
  view: [["png", "PNG"], ["webp", "WebP, lossless"], ["jpeg", "JPEG"]],
  sweep: [["mp4", "MP4"], ["webp", "WebP"], ["gif", "GIF"]],
};
const SIZED = new Set(["whole", "view", "svg"]); // what has a size of its own
const FILM_SIZES = [
  ["", "As large as the picture"], ["1280x720", "1280 × 720"], ["1920x1080", "1920 × 1080"], ["1080x1080", "1080 × 1080"],
];
const SIZES = [["scale", "Scale ×"], ["width", "Width"], ["height", "Height"]];

export class Exporter {
  // viewer: the viewer; failed(error)
  constructor(base, viewer, failed) {
    this.base = base;
    this.viewer = viewer;
    this.failed = failed;
    /** @type {Record<string, { name: string, label: string, about: string }>} */
    this.exports = {};
    this.build();
    this.element.addEventListener("toggle", () => {
      if (!this.element.open) return;
      this.refresh();
      // Type a number, press Enter: the file comes.
      if (!this.sizeRow.hidden) this.number.select();
    });
    this.number.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !this.go.disabled) this.run();
    });
  }

  build() {
    this.what = select("What to save", WHAT, () => this.chosen());
    this.format = select("Format", FORMATS.whole, () => this.showSize());
    this.unit = select("How the size is given", SIZES, () => this.otherUnit());
    this.number = h("input", {
      type: "number", min: 1, step: "any", value: 4, "aria-label": "Size of the file",
      oninput: () => {
        this.usual = false;
        this.showSize();
      },
    });
    this.film = select("Size of the film", FILM_SIZES, () => this.showSize());
    this.strip = h("input", { type: "checkbox", onchange: () => this.showSize() });
    this.size = h("p", { role: "status" }, "");
    this.go = h("button", { type: "button", className: "gsr-go", onclick: () => this.run() }, "Download");
    this.stop = h("button", { type: "button", hidden: true, onclick: () => this.abort?.abort() }, "Cancel");
    this.sizeRow = h("div", {}, this.unit, this.number);
    this.stripRow = h("label", { title: "Leave out EXIF and colour profile, and the note on model and scale" },
      this.strip, " without metadata");
    this.element = h("details", { className: "gsr-menu gsr-download" },
      h("summary", { title: "Save the picture, the view, the ellipses, a film or the field" }, "Download"),
      h("div", {}, this.what, this.format, this.film, this.sizeRow, this.stripRow, this.size, this.go, this.stop));
    this.chosen();
  }

  // What the server makes of whole fields.
  offer(exports) {
    this.exports = Object.fromEntries(exports.map((one) => [one.name, one]));
    fill(this.what, [...WHAT, ...exports.map(({ name, label }) => [name, label])]);
    this.chosen();
  }

  // A file that is being made is of what was on show when it was asked for.
  use(id) {
    this.id = id;
    if (this.element.open) this.showSize();
  }

  chosen() {
    const what = this.what.value;
    this.usual = true;
    const formats = FORMATS[what];
    this.format.hidden = !formats;
    if (formats && formats !== this.formats) fill(this.format, (this.formats = formats));
    this.film.hidden = what !== "sweep";
    this.sizeRow.hidden = what in this.exports || what === "sweep";
    this.stripRow.hidden = what !== "whole" && what !== "view";
    this.refresh();
  }

  // Until a number is typed, everything is saved as large as it is shown.
  refresh() {
    if (this.usual && SIZED.has(this.what.value) && this.viewer.picture) this.setScale(this.viewer.place.zoom);
    else this.showSize();
  }

  otherUnit() {
    const { width, height } = this.viewer.picture ?? { width: 1, height: 1 };
    const unit = this.unit.value;
    this.number.value = unit === "scale" ? 4 : 4 * (unit === "width" ? width : height);
    this.usual = false;
    this.showSize();
  }

  setScale(scale) {
    this.unit.value = "scale";
    this.number.value = Number(Math.max(1, scale).toFixed(2));
    this.showSize();
  }

  // What the right side shows, as the words of a request and as people call it. Ellipses and films
  // are of the field.
  source() {
    const { state, sources: all, picture } = this.viewer;
    const shown = all.find(({ value }) => value === state.sources[1]) ?? all[0];
    const [method, layer = "result"] = shown.value.split(":");
    if (method === "original") return { id: picture.original, label: shown.label, words: {} };
    if (method === "gsr") return { id: this.id, label: shown.label, words: { layer } };
    if (this.what.value === "svg") return { id: this.id, label: all[0].label, words: {} };
    return { id: this.id, label: shown.label, words: { method } };
  }

  // What the field is called, and what was changed in it.
  own() {
    return this.viewer.sources[0].label;
  }

  // What is wrong with the number, in words.
  complaint() {
    if (this.sizeRow.hidden) return null;
    const value = this.number.valueAsNumber;
    if (this.unit.value === "scale") return value > 0 ? null : "Type a number above 0, such as 4.";
    return value > 0 && Number.isSafeInteger(value) ? null : "Type a whole number of pixels, such as 1920.";
  }

  // The numbers of the request.
  query() {
    const what = this.what.value;
    const { place, state } = this.viewer;
    const { x, y, width, height } = this.viewer.seen;
    const { words } = this.source();
    const size = { [this.unit.value]: this.number.value };
    const view = { view: [x, y, width, height].join(",") };
    if (what === "whole") return { format: this.format.value, ...size, ...words, strip: this.strip.checked };
    if (what === "view") return { format: this.format.value, ...size, ...view, ...words, strip: this.strip.checked };
    if (what === "svg") return { ...size, ...view, ...words, sigma: state.sigma, color: state.colorBy };
    if (what === "sweep") {
      const [columns, rows] = this.film.value.split("x");
      const frame = rows ? { width: columns, height: rows } : {};
      return { format: this.format.value, x: place.x, y: place.y, ...frame };
    }
    return {};
  }

  url(what, query) {
    const drawn = ["export", "export-size", "svg"].includes(what);
    const url = new URL(`fields/${drawn ? this.source().id : this.id}/${what}`, this.base);
    url.search = String(new URLSearchParams(query));
    return url;
  }

  async showSize() {
    // While a file is made, its progress stands there.
    if (!this.id || !this.element.open || !this.stop.hidden) return;
    const what = this.what.value;
    const { label } = this.source();
    const complaint = this.complaint();
    const said = complaint ?? {
      svg: `${label} with vector ellipses, as sharp as any printer.`,
      sweep: `Four seconds of ${this.own()} from ×1 to ×16, into the middle of the view.`,
    }[what] ?? this.exports[what]?.about.replace("{field}", this.own());
    this.go.disabled = Boolean(complaint);
    if (said) {
      this.asked = null;
      this.size.textContent = said;
      return;
    }
    const query = this.query();
    const asked = JSON.stringify(query);
    this.asked = asked;
    try {
      const { width, height, notes } = await (await checked(fetch(this.url("export-size", query)))).json();
      const size = `${width} × ${height} pixels of ${label}${this.side()}.`;
      if (this.asked === asked) this.size.textContent = [size, ...notes].join(" ");
    } catch (error) {
      if (this.asked !== asked) return;
      this.size.textContent = error.message;
      this.go.disabled = true;
    }
  }

  side() {
    return this.viewer.state.mode === "one" ? "" : ", as on the right";
  }

  async run() {
    const routes = { whole: "export", view: "export" };
    const job = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const abort = (this.abort = new AbortController());
    const progress = new URL(`jobs/${job}`, this.base);
    abort.signal.addEventListener("abort", () => fetch(progress, { method: "DELETE" }).catch(() => {}));
    const what = this.what.value;
    const url = this.url(routes[what] ?? what, { ...this.query(), job });
    this.running(true);
    const watching = setInterval(() => this.showProgress(progress), 400);
    try {
      const answer = await checked(fetch(url, { signal: abort.signal }));
      saveBlob(await answer.blob(), fileName(answer));
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 409) this.failed(error);
    } finally {
      clearInterval(watching);
      this.running(false);
      this.showSize();
    }
  }

  running(on) {
    this.go.disabled = on;
    this.stop.hidden = !on;
    if (on) this.size.textContent = "Rendering…";
  }

  async showProgress(url) {
    const { done, total } = await progressOf(url);
    if (total && this.go.disabled) {
      const part = Math.floor((100 * done) / total);
      this.size.textContent = part < 100 ? `Rendering: ${part} %` : "Writing the file…";
    }
  }
}

function select(label, options, onchange) {
  const element = h("select", { "aria-label": label, onchange });
  fill(element, options);
  return element;
}

function fill(element, options) {
  element.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
}
