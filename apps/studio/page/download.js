// Download of the whole picture at a scale.

import { h } from "../viewer/dom.js";
import { checked, progressOf } from "../viewer/http.js";

export class Downloader {
  // currentScale() -> the viewer's zoom; failed(error)
  constructor(base, currentScale, failed) {
    Object.assign(this, { base, failed });
    this.number = h("input", {
      type: "number", min: 1, max: 64, step: 0.1, value: 4, "aria-label": "Scale of the download",
      oninput: () => this.showSize(),
    });
    this.size = h("p", {}, "");
    this.go = h("button", { type: "button", className: "gsr-go", onclick: () => this.run() }, "Download PNG");
    this.stop = h("button", { type: "button", hidden: true, onclick: () => this.abort?.abort() }, "Cancel");
    this.element = h("details", { className: "gsr-download" },
      h("summary", { title: "The whole picture at any scale, without loss" }, "Download"),
      h("div", {},
        h("label", {}, "Scale × ", this.number),
        h("button", {
          type: "button", title: "Take the zoom of the viewer",
          onclick: () => {
            this.number.value = Math.max(1, currentScale()).toFixed(2);
            this.showSize();
          },
        }, "as shown"),
        this.size, this.go, this.stop));
    this.element.addEventListener("toggle", () => this.element.open && this.showSize());
  }

  use(id) {
    this.abort?.abort();
    this.id = id;
    if (this.element.open) this.showSize();
  }

  url(what, query) {
    const url = new URL(`fields/${this.id}/${what}`, this.base);
    url.search = new URLSearchParams(query);
    return url;
  }

  async showSize() {
    const scale = this.number.value;
    try {
      const answer = await checked(fetch(this.url("export-size", { scale })));
      const { width, height } = await answer.json();
      if (scale !== this.number.value) return;
      this.size.textContent = `${width} × ${height} pixels, PNG without loss`;
      this.go.disabled = false;
    } catch (error) {
      this.size.textContent = error.message;
      this.go.disabled = true;
    }
  }

  async run() {
    const scale = this.number.value;
    const job = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const abort = (this.abort = new AbortController());
    const progress = new URL(`jobs/${job}`, this.base);
    abort.signal.addEventListener("abort", () => fetch(progress, { method: "DELETE" }).catch(() => {}));
    this.running(true);
    const watching = setInterval(() => this.showProgress(progress), 400);
    try {
      const answer = await checked(fetch(this.url("export", { scale, job }), { signal: abort.signal }));
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

function fileName(answer) {
  const header = answer.headers.get("content-disposition") ?? "";
  const encoded = header.match(/filename\*=utf-8''([^;]+)/i)?.[1];
  return encoded ? decodeURIComponent(encoded) : header.match(/filename="([^"]+)"/)?.[1] ?? "picture.png";
}

function saveBlob(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
