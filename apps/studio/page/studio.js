// The page: choose a picture, look at it and into it, change it, take it away.

import { h } from "../viewer/dom.js";
import { checked, httpTransport } from "../viewer/http.js";
import { mount } from "../viewer/viewer.js";
import { Exporter } from "./export.js";
import { helpPanel } from "./help.js";
import { Kernels } from "./kernels.js";
import { Lifeline } from "./lifeline.js";
import { readLink, writeLink } from "./link.js";
import { Notices } from "./notices.js";
import { Opening } from "./opening.js";
import { lookAt } from "./place.js";
import { themeButton } from "./theme.js";
import { Tour } from "./tour.js";
import { Truth } from "./truth.js";
import { WhatIf } from "./whatif.js";

// element: where to build; base: address of the app.
export function start(element, base) {
  return new Page(element, new URL("studio/", base), new URL("demo/", base));
}

class Page {
  constructor(element, base, photos) {
    Object.assign(this, { base, photos, source: null });
    this.notices = new Notices();
    const failed = (error) => this.failed(error);
    this.opening = new Opening(base, this.notices, {
      opened: (about, source) => this.show(about, source), failed,
    });
    this.place = h("div", { className: "gsr-place-viewer" });
    this.viewer = mount(this.place, {
      scale: 4, onerror: failed, onview: () => this.remember(), onchange: () => this.remember(),
      onpoint: (point) => this.pointed(point),
      onscores: (found) => this.whatIf.showGain(found, this.viewer.viewport.visible()),
    });
    this.kernels = new Kernels(base, this.viewer, { picked: (lit) => this.picked(lit), failed });
    this.whatIf = new WhatIf(this.viewer, {
      edited: (about, transport) => this.showEdited(about, transport), unlight: () => this.kernels.light([]),
      // The address must not hold what was refused.
      failed: (error) => {
        this.failed(error);
        this.remember();
      },
    });
    this.truth = new Truth((part) => this.opening.open({ ...this.source, ...part }));
    this.exporter = new Exporter(base, this.viewer, failed);
    this.lifeline = new Lifeline(base, this.notices, {
      id: () => this.source?.id, back: () => this.viewer.moved(() => {}),
      reopen: () => this.opening.open(this.source.file || this.source.demo ? this.source : { demo: this.demos[0] }),
    });
    this.tour = new Tour({ open: (source) => this.opening.open(source), page: this });
    this.panels = [this.kernels.panel, this.whatIf.panel, helpPanel()];
    this.build(element);
    this.listen();
    this.begin();
  }

  build(element) {
    this.file = h("input", {
      type: "file", accept: "image/*,.gsf", hidden: true,
      onchange: () => {
        if (this.file.files[0]) this.opening.open({ file: this.file.files[0] });
        this.file.value = "";
      },
    });
    this.strip = h("div", { className: "gsr-strip", role: "group", "aria-label": "Demo photos" });
    this.name = h("span", { className: "gsr-name" });
    this.link = h("button", {
      type: "button", title: "Copy an address that brings back this picture and this view", onclick: () => this.copyLink(),
    }, "Link");
    const open = h("button", {
      type: "button", className: "gsr-open", onclick: () => this.file.click(),
      title: "Open a picture from this computer. You can also drop one here, or paste one.",
    }, "Open picture…");
    element.replaceChildren(h("div", { className: "gsr-studio" },
      h("header", { className: "gsr-top" }, h("h1", {}, "gsr studio"), open, this.file, this.strip, this.name,
        ...this.panels.map((panel) => panel.toggle), this.tour.button, this.truth.element, this.link,
        this.exporter.element, themeButton()),
      this.notices.element, this.place));
    for (const panel of this.panels) this.dock(panel);
    this.viewer.stage.append(this.tour.element);
  }

  // One panel at a time, and none beside an explanation: the picture needs the room.
  dock(panel) {
    this.viewer.dock(panel.element);
    const { onopen } = panel;
    panel.onopen = () => {
      this.panels.forEach((other) => other !== panel && other.show(false));
      this.viewer.closeExplanation();
      onopen();
    };
  }

  pointed(point) {
    if (point) this.panels.forEach((panel) => panel.show(false));
    this.remember();
  }

  picked(lit) {
    if (lit.length) this.whatIf.pick(lit.at(-1));
    this.whatIf.showLit();
    this.remember();
  }

  listen() {
    const dropped = (event) => [...(event.dataTransfer?.files ?? [])][0];
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      if (dropped(event)) this.opening.open({ file: dropped(event) });
    });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
      if (file) this.opening.open({ file });
    });
    addEventListener("hashchange", () => this.follow(readLink(location.hash)));
    // Menus close when something else is clicked.
    addEventListener("pointerdown", (event) => {
      for (const menu of document.querySelectorAll(".gsr-menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
  }

  async begin() {
    this.notices.showBusy("Preparing the first picture…");
    try {
      const { methods } = await (await checked(fetch(new URL("methods", this.base)))).json();
      this.viewer.offer(methods);
      const about = await (await checked(fetch(new URL("start", this.base)))).json();
      this.showDemos(about.demos);
      const linked = readLink(location.hash);
      if (!(linked && (await this.follow(linked)))) this.show(about, this.sourceOf(about));
    } catch (error) {
      this.failed(error);
    } finally {
      this.notices.showBusy(null);
    }
  }

  sourceOf(about) {
    const demo = this.demos.find((name) => about.name.startsWith(`${name}.`));
    return demo ? { demo, id: about.id } : { id: about.id };
  }

  // Bring back what an address names. Returns whether that worked.
  async follow(linked) {
    if (!linked) return false;
    if (linked.source.id && linked.source.id === this.source?.id) {
      this.restore(linked);
      return true;
    }
    this.linked = linked;
    const worked = await this.opening.open(linked.source);
    this.linked = null;
    return worked;
  }

  restore({ state, view, point, lit }) {
    const { viewer } = this;
    viewer.change(state);
    if (view) lookAt(viewer, view);
    if (lit.length) this.kernels.light(lit.filter((kernel) => kernel < viewer.picture.kernels.length));
    if (point) viewer.explainAt(...point);
  }

  showDemos(demos) {
    this.demos = demos.map(({ name }) => name);
    this.strip.replaceChildren(...demos.map(({ name, file }) =>
      h("button", {
        type: "button", title: name.replaceAll("-", " "), "aria-label": `Demo photo ${name}`, "data-demo": name,
        onclick: () => this.opening.open({ demo: name }),
      }, h("img", { src: new URL(file, this.photos).href, alt: "", loading: "lazy" }))));
  }

  show(about, source) {
    this.source = source;
    if (about.notes.length) this.notices.say(about.notes.join(" "));
    this.name.textContent = `${about.name} · ${about.width} × ${about.height}`;
    this.name.title = `${(about.width * about.height).toLocaleString("en")} Gaussians, model ${about.model}`;
    for (const button of this.strip.children) {
      button.setAttribute("aria-pressed", String(source.demo === button.dataset.demo));
    }
    const transport = httpTransport(this.base, about.id);
    this.viewer.open(about, transport);
    this.truth.use(about, source);
    this.kernels.use(about, transport);
    this.exporter.use(about.id);
    this.whatIf.use(about, transport, this.linked?.edits);
    if (this.linked) this.restore(this.linked);
    this.remember();
  }

  showEdited(about, transport) {
    this.viewer.open(about, transport, { edited: true });
    this.kernels.use(about, transport);
    this.exporter.use(about.id);
    this.remember();
  }

  address() {
    return writeLink(this.source, this.viewer, this.whatIf.edits.done);
  }

  // The address bar follows, without a step in the browser's history for each move.
  remember() {
    if (this.source && !this.linked) history.replaceState(null, "", this.address());
  }

  async copyLink() {
    this.remember();
    const kept = this.source.demo ? "" : " It works while the app keeps this picture.";
    try {
      await navigator.clipboard.writeText(location.href);
      this.notices.say(`The address of this view is copied.${kept}`);
    } catch {
      this.notices.say(`The address bar holds the address of this view.${kept}`);
    }
  }

  failed(error) {
    if (error.name === "AbortError" || error.status === 409) return;
    if (this.source && this.lifeline.failed(error)) return;
    this.notices.say(error.message, { wrong: true });
  }
}
