// Take it away: the picture or the view as a file, the outlines, a zoom as a film, the field itself.

import { h } from "../viewer/dom.js";
import { checked, progressOf } from "../viewer/http.js";
import { fileName, saveBlob } from "./saving.js";

const WHAT = [
  ["whole", "Whole picture"], ["view", "What is in view"], ["svg", "View with ellipses (SVG)"],
  ["sweep", "Zoom as a film"], ["field", "The field (to open again)"],
];
const FORMATS = {
  whole: [["png", "PNG"], ["webp", "WebP, lossless"], ["jpeg", "JPEG"]],
  view: [["png", "PNG"], ["webp", "WebP, lossless"], ["jpeg", "JPEG"]],
  sweep: [["webp", "WebP"], ["gif", "GIF"], ["mp4", "MP4"]],
};
const SIZES = [["scale", "Scale ×"], ["width", "Width"], ["height", "Height"]];

export class Exporter {
  // viewer: the viewer; failed(error)
  constructor(base, viewer, failed) {
    Object.assign(this, { base, viewer, failed });
    this.build();
    this.element.addEventListener("toggle", () => this.element.open && this.showSize());
  }

  build() {
    const changed = () => this.changed();
    this.what = select("What to save", WHAT, changed);
    this.format = select("Format", FORMATS.whole, changed);
    this.unit = select("How the size is given", SIZES, () => this.otherUnit());
    this.number = h("input", {
      type: "number", min: 1, step: "any", value: 4, "aria-label": "Size of the file", oninput: () => this.showSize(),
    });
    this.shown = h("button", {
      type: "button", title: "Take the zoom of the viewer", onclick: () => this.asShown(),
    }, "as shown");
    this.strip = h("input", { type: "checkbox" });
    this.size = h("p", { role: "status" }, "");
    this.go = h("button", { type: "button", className: "gsr-go", onclick: () => this.run() }, "Download");
    this.stop = h("button", { type: "button", hidden: true, onclick: () => this.abort?.abort() }, "Cancel");
    this.sizeRow = h("div", {}, this.unit, this.number, this.shown);
    this.stripRow = h("label", { title: "Leave out EXIF and colour profile, and the note on model and scale" },
      this.strip, " without metadata");
    this.element = h("details", { className: "gsr-menu gsr-download" },
      h("summary", { title: "Save the picture, the view, the ellipses, a film or the field" }, "Download"),
      h("div", {}, this.what, this.format, this.sizeRow, this.stripRow, this.size, this.go, this.stop));
    this.changed();
  }

  use(id) {
    this.abort?.abort();
    this.id = id;
    if (this.element.open) this.showSize();
  }

  changed() {
    const what = this.what.value;
    const formats = FORMATS[what];
    this.format.hidden = !formats;
    if (formats && formats !== this.formats) fill(this.format, (this.formats = formats));
    this.sizeRow.hidden = what === "field" || what === "sweep";
    this.stripRow.hidden = what !== "whole" && what !== "view";
    this.showSize();
  }

  otherUnit() {
    const { width, height } = this.viewer.picture ?? { width: 1, height: 1 };
    const unit = this.unit.value;
    this.number.value = unit === "scale" ? 4 : 4 * (unit === "width" ? width : height);
    this.showSize();
  }

  asShown() {
    this.unit.value = "scale";
    this.number.value = Math.max(1, this.viewer.viewport.scale).toFixed(2);
    this.showSize();
  }

  // The numbers of the request.
  query() {
    const what = this.what.value;
    const { viewport, state } = this.viewer;
    const { x, y, width, height } = viewport.visible();
    const size = { [this.unit.value]: this.number.value };
    const view = { view: [x, y, width, height].join(",") };
    const layer = { layer: state.sources[1].match(/^gsr:(.*)/)?.[1] ?? "result" };
    if (what === "whole") return { format: this.format.value, ...size, ...layer, strip: this.strip.checked };
    if (what === "view") return { format: this.format.value, ...size, ...view, ...layer, strip: this.strip.checked };
    if (what === "svg") return { ...size, ...view, ...layer, sigma: state.sigma };
    if (what === "sweep") return { format: this.format.value, x: viewport.cx, y: viewport.cy };
    return {};
  }

  url(what, query) {
    const url = new URL(`fields/${this.id}/${what}`, this.base);
    url.search = new URLSearchParams(query);
    return url;
  }

  async showSize() {
    if (!this.id || !this.element.open) return;
    const what = this.what.value;
    const words = {
      svg: "The picture with vector ellipses, as sharp as any printer.",
      sweep: "Four seconds from ×1 to ×16, into the middle of the view.",
      field: "All Gaussians; gsr and this page open it again without encoding.",
    };
    this.go.disabled = false;
    if (words[what]) {
      this.size.textContent = words[what];
      return;
    }
    const { layer, strip, ...query } = this.query();
    const asked = JSON.stringify(query);
    this.asked = asked;
    try {
      const { width, height } = await (await checked(fetch(this.url("export-size", query)))).json();
      if (this.asked === asked) this.size.textContent = `${width} × ${height} pixels`;
    } catch (error) {
      if (this.asked !== asked) return;
      this.size.textContent = error.message;
      this.go.disabled = true;
    }
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
