// The page: choose a picture, look at it, download it. The viewer does the looking.

import { h } from "../viewer/dom.js";
import { checked, httpTransport, progressOf } from "../viewer/http.js";
import { mount } from "../viewer/viewer.js";
import { Downloader } from "./download.js";

// element: where to build; base: address of the app; chosen(id): a picture is on show.
export function start(element, base, chosen) {
  return new Page(element, new URL("studio/", base), new URL("demo/", base), chosen);
}

class Page {
  constructor(element, base, photos, chosen) {
    Object.assign(this, { base, photos, chosen });
    this.build(element);
    this.viewer = mount(this.place, { scale: 4, onerror: () => {} });
    this.listen();
    this.begin();
  }

  build(element) {
    this.file = h("input", {
      type: "file", accept: "image/*", hidden: true,
      onchange: () => {
        if (this.file.files[0]) this.openFile(this.file.files[0]);
        this.file.value = "";
      },
    });
    this.strip = h("div", { className: "gsr-strip", role: "group", "aria-label": "Demo photos" });
    this.busy = h("div", { className: "gsr-busy", role: "status", hidden: true });
    this.notice = h("div", { className: "gsr-notice", role: "alert", hidden: true });
    this.name = h("span", { className: "gsr-name" });
    this.place = h("div", { className: "gsr-place-viewer" });
    this.download = new Downloader(this.base, () => this.viewer.viewport.scale, (error) => this.say(error.message, true));
    element.replaceChildren(h("div", { className: "gsr-studio" },
      h("header", { className: "gsr-top" },
        h("h1", {}, "gsr studio"),
        h("button", {
          type: "button", className: "gsr-open", onclick: () => this.file.click(),
          title: "Open a picture from this computer. You can also drop one here, or paste one.",
        }, "Open picture…"),
        this.file, this.strip, this.name, this.download.element),
      h("div", { className: "gsr-said" }, this.busy, this.notice), this.place));
  }

  listen() {
    const dropped = (event) => [...(event.dataTransfer?.files ?? [])][0];
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      if (dropped(event)) this.openFile(dropped(event));
    });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
      if (file) this.openFile(file);
    });
  }

  async begin() {
    this.showBusy("Preparing the first picture…");
    try {
      const about = await (await checked(fetch(new URL("start", this.base)))).json();
      this.showDemos(about.demos);
      this.show(about);
    } catch (error) {
      this.say(error.message, true);
    } finally {
      this.showBusy(null);
    }
  }

  showDemos(demos) {
    this.strip.replaceChildren(...demos.map(({ name, file }) =>
      h("button", {
        type: "button", title: name.replaceAll("-", " "), "aria-label": `Demo photo ${name}`, "data-demo": name,
        onclick: () => this.openVia("open-demo", { name }, null, name),
      }, h("img", { src: new URL(file, this.photos).href, alt: "", loading: "lazy" }))));
  }

  openFile(file) {
    return this.openVia("open", { name: file.name || "pasted" }, file, file.name || "the picture");
  }

  // Have a picture encoded. Until that has worked, the one on show stays.
  async openVia(route, query, body, label) {
    this.opening?.abort();
    const abort = (this.opening = new AbortController());
    const job = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const url = new URL(route, this.base);
    url.search = new URLSearchParams({ ...query, job });
    this.say(null);
    const watching = this.watch(job, label, abort);
    try {
      const answer = await checked(fetch(url, { method: "POST", body, signal: abort.signal }));
      this.show(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 409) this.say(error.message, true);
    } finally {
      clearInterval(watching);
      if (this.opening === abort) {
        this.opening = null;
        this.showBusy(null);
      }
    }
  }

  watch(job, label, abort) {
    const url = new URL(`jobs/${job}`, this.base);
    const stop = () => {
      fetch(url, { method: "DELETE" }).catch(() => {});
      abort.abort();
    };
    abort.signal.addEventListener("abort", () => fetch(url, { method: "DELETE" }).catch(() => {}));
    this.showBusy(`Making Gaussians of ${label}…`, stop);
    return setInterval(async () => {
      const { done, total } = await progressOf(url);
      if (total > 1 && !abort.signal.aborted) {
        this.showBusy(`Making Gaussians of ${label}: part ${done} of ${total}`, stop, done / total);
      }
    }, 400);
  }

  show(about) {
    this.id = about.id;
    this.say(about.notes.join(" ") || null);
    this.name.textContent = `${about.name} · ${about.width} × ${about.height}`;
    this.name.title = `${(about.width * about.height).toLocaleString("en")} Gaussians, model ${about.model}`;
    for (const button of this.strip.children) {
      button.setAttribute("aria-pressed", String(about.name.startsWith(`${button.dataset.demo}.`)));
    }
    this.download.use(about.id);
    this.viewer.open(about, httpTransport(this.base, about.id));
    this.chosen(about.id);
  }

  showBusy(text, stop = null, part = null) {
    this.busy.hidden = text === null;
    if (text === null) return this.busy.replaceChildren();
    const bar = h("i", {});
    bar.style.width = part === null ? "30%" : `${100 * part}%`;
    this.busy.classList.toggle("gsr-unknown", part === null);
    this.busy.replaceChildren(h("span", { className: "gsr-busy-bar" }, bar), h("span", {}, text),
      ...(stop ? [h("button", { type: "button", onclick: stop }, "Cancel")] : []));
  }

  say(text, wrong = false) {
    this.notice.hidden = !text;
    this.notice.classList.toggle("gsr-wrong", wrong);
    this.notice.replaceChildren(text ?? "",
      h("button", { type: "button", "aria-label": "Dismiss", onclick: () => this.say(null) }, "×"));
  }
}
