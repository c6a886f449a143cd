// The page: choose a picture, look at it and into it, change it, take it away.

import { debounce, h } from "../viewer/dom.js";
import { drawnHere } from "../viewer/here.js";
import { checked, httpTransport } from "../viewer/http.js";
import { mount } from "../viewer/viewer.js";
import { receive } from "./arriving.js";
import { Exporter } from "./export.js";
import { First } from "./first.js";
import { helpPanel } from "./help.js";
import { Kept } from "./kept.js";
import { Kernels } from "./kernels.js";
import { Lifeline } from "./lifeline.js";
import { item, moreMenu } from "./more.js";
import { fits, readLink, writeLink } from "./link.js";
import { closing } from "../viewer/popup.js";
import { Notices } from "./notices.js";
import { Opening } from "./opening.js";
import { undoing } from "./shortcuts.js";
import { Strip } from "./strip.js";
import { goTo, wayBack } from "./tabs.js";
import { themeButton } from "./theme.js";
import { Tour } from "./tour.js";
import { Truth } from "./truth.js";
import { Weights } from "./weights.js";
import { WhatIf } from "./whatif.js";

// element: where to build; base: address of the app.
export function start(element, base) {
  return new Page(element, new URL("studio/", base), new URL("demo/", base));
}

// Browsers refuse an address that changes too often.
const ADDRESS_MS = 300;

class Page {
  constructor(element, base, photos) {
    this.base = base;
    this.photos = photos;
    this.source = null;
    this.kept = new Kept();
    this.known = new Map(); // sources by the id of their field: an address holds only that
    this.growing = null; // id of a field that is still being made
    this.notices = new Notices();
    this.remember = debounce(ADDRESS_MS, () => this.writeAddress());
    const failed = (error) => this.failed(error);
    this.opening = new Opening(base, this.notices, {
      opened: (about, source) => this.show(about, source), failed,
    });
    this.place = h("div", { className: "gsr-place-viewer" });
    this.viewer = mount(this.place, {
      state: { mode: "wipe" },
      measure: () => this.measure({ shrink: 4 }),
      edits: { open: () => this.whatIf.reveal(), reset: () => this.whatIf.reset() },
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
    this.truth = new Truth((part) => this.measure(part));
    this.weights = new Weights((weights) => this.weigh(weights));
    this.exporter = new Exporter(base, this.viewer, failed);
    this.lifeline = new Lifeline(base, this.notices, {
      id: () => this.source?.id, back: () => this.viewer.reload(), remake: () => this.remake(),
      // What the viewer says at its foot is over.
      quiet: () => this.viewer.say(""),
    });
    this.tour = new Tour({ open: (source) => this.opening.open(source), page: this });
    this.first = new First(this.viewer);
    this.help = helpPanel();
    this.panels = [this.kernels.panel, this.whatIf.panel, this.help];
    this.build(element);
    this.listen();
    this.begin();
  }

  build(element) {
    this.file = h("input", {
      type: "file", accept: "image/*,.gsf", hidden: true,
      onchange: () => {
        if (this.file.files[0]) this.openFile(this.file.files[0]);
        this.file.value = "";
      },
    });
    this.strip = new Strip(this.photos, (demo) => this.opening.open({ demo }));
    this.name = h("span", { className: "gsr-name" });
    this.link = item("Copy a link", "An address that brings back this picture and this view", () => this.copyLink());
    const many = item("Many pictures…", "Enlarge whole folders at once", () => goTo("Many pictures"));
    this.more = moreMenu(many, this.link, this.truth.element, this.weights.element, this.tour.button,
      this.help.toggle, themeButton(() => this.kernels.recolor()));
    const open = h("button", {
      type: "button", className: "gsr-open", onclick: () => this.file.click(),
      title: "Open a picture from this computer. You can also drop one here, or paste one.",
    }, "Open", h("span", { className: "gsr-long" }, " picture"), "…");
    const skip = h("button", { type: "button", className: "gsr-skip", onclick: () => this.viewer.focus() }, "Skip to the picture");
    this.element = h("div", { className: "gsr-studio" },
      h("header", { className: "gsr-top" }, skip, h("h1", {}, "gsr studio"), open, this.file, this.strip.element, this.name,
        this.kernels.panel.toggle, this.whatIf.panel.toggle, this.exporter.element, this.more),
      this.notices.element, this.place);
    element.replaceChildren(this.element);
    for (const panel of this.panels) this.dock(panel);
    this.viewer.cover(this.tour.element);
    this.viewer.cover(this.first.element);
  }

  // One panel at a time, and none beside an explanation: the picture needs the room.
  dock(panel) {
    this.viewer.dock(panel.element);
    const { onopen } = panel;
    panel.onopen = () => {
      this.panels.forEach((other) => other !== panel && other.show(false));
      this.viewer.select(null);
      onopen();
    };
  }

  // Another place, or another way to show it.
  moved() {
    this.remember();
    this.exporter.refresh();
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
    const { viewer } = this;
    for (const event of ["view", "state"]) viewer.on(event, () => this.moved());
    viewer.on("point", (point) => this.pointed(point));
    viewer.on("scores", (found) => this.whatIf.showGain(found, viewer.view));
    viewer.on("error", (error) => this.failed(error));
    receive(this.element, (file, among) => (among > 1 ? this.opening.open({ file, among }) : this.openFile(file)));
    closing([this.more, this.exporter.element]);
    wayBack();
    undoing((verb) => this.undo(verb));
    addEventListener("keydown", (event) => event.key === "Escape" && this.escape());
    addEventListener("hashchange", (event) => this.follow(readLink(new URL(event.newURL).hash)));
  }

  // Undo or redo with the keys people know, and say what it was.
  undo(verb) {
    const { edits } = this.whatIf;
    const edit = (verb === "undo" ? edits.done : edits.undone).at(-1);
    if (!edit) return false;
    this.whatIf.move(verb);
    this.notices.say(`${verb === "undo" ? "Undone" : "Done again"}: ${edits.label(edit)}.`);
    return true;
  }

  // Whatever lies over the picture goes, what came last first.
  escape() {
    const open = this.panels.find((panel) => panel.open);
    if (open) open.leave();
    else if (this.viewer.selected) this.viewer.select(null);
  }

  async begin() {
    this.notices.showBusy("Preparing the first picture…");
    try {
      const { methods } = await (await checked(fetch(new URL("methods", this.base)))).json();
      this.viewer.offer(methods);
      const about = await (await checked(fetch(new URL("start", this.base)))).json();
      this.weights.offer(about.weights);
      this.exporter.offer(about.exports);
      this.strip.show(about.demos);
      const linked = readLink(location.hash);
      if (linked && (await this.follow(linked))) return;
      this.show(about, this.sourceOf(about));
      if (linked && "id" in linked.source) this.offerAgain(linked);
      else if (this.source.demo) this.first.show();
    } catch (error) {
      this.failed(error);
    } finally {
      this.notices.showBusy(null);
    }
  }

  // An address of a picture that the app no longer has. Whoever has its file gets the rest back.
  offerAgain(linked) {
    this.lost = linked;
    const text = "The picture of this address is no longer in memory. Open its file again: place and edits come back.";
    this.notices.say(text, { action: { text: "Open it again…", run: () => this.file.click() } });
  }

  openFile(file) {
    const { lost } = this;
    this.lost = null;
    if (!lost) return this.opening.open({ file });
    const { shrink, weights } = lost.source;
    const source = { file, ...(shrink ? { shrink } : {}), ...(weights ? { weights } : {}) };
    return this.bringBack({ ...lost, source });
  }

  sourceOf(about) {
    const demo = this.strip.names.find((name) => about.name.startsWith(`${name}.`));
    return demo ? { demo, id: about.id } : { id: about.id };
  }

  // Bring back what an address names. Returns whether that worked.
  async follow(linked) {
    if (!linked) return false;
    if (linked.source.id && linked.source.id === this.source?.id) {
      const same = JSON.stringify(linked.edits) === JSON.stringify(this.whatIf.edits.done);
      if (!same) return this.bringBack({ ...linked, source: this.source }, true);
      this.restore(linked);
      if (linked.said) this.notices.say(linked.said);
      return true;
    }
    const known = this.known.get(linked.source.id);
    return known ? this.bringBack({ ...linked, source: known }, true) : this.bringBack(linked);
  }

  // Open a picture and show it as it was. Returns whether that worked.
  // shown: as of `onShow` or `readLink`; kept: the app may still have its field
  async bringBack(shown, kept = false) {
    this.linked = shown;
    const worked = await this.opening.open(shown.source, kept);
    if (this.linked === shown) this.linked = null;
    return worked;
  }

  // All that is needed to bring back what is on show.
  onShow() {
    const { viewer, source, whatIf } = this;
    const { place, selected, highlighted } = viewer;
    return {
      source, view: place, state: { ...viewer.state }, point: selected, lit: highlighted.kernels,
      edits: [...whatIf.edits.done],
    };
  }

  // Open the same picture with another ground truth, or none: { truth } or { shrink }. What was done
  // to it stays, but for what belongs to pixels of another size.
  async measure(part) {
    this.more.open = false;
    const { source } = this;
    const shown = { ...this.onShow(), source: { ...source, truth: undefined, shrink: undefined, ...part } };
    if (!source.shrink && !part.shrink) {
      // Its Gaussians are there already.
      if (part.truth) shown.source.of = source.id;
      return this.bringBack(shown);
    }
    const edits = shown.edits.filter(({ kind }) => kind !== "paint");
    const worked = await this.bringBack({ ...shown, view: null, point: null, edits });
    if (worked && edits.length < shown.edits.length) {
      this.notices.say("What was painted belongs to the other size of this picture and was left out.");
    }
    return worked;
  }

  // Make the same picture again with other weights. Where one looks, and what was done, stays.
  weigh(weights) {
    this.more.open = false;
    return this.bringBack({ ...this.onShow(), source: { ...this.source, of: this.source.id, weights } });
  }

  // advice: { fault, weights } or null. Noise and compression would be enlarged.
  sayOpened(said, advice) {
    const action = advice && { text: "Use them", run: () => this.weigh({ name: advice.weights, strength: 1 }) };
    if (advice) said.push(`This picture ${advice.fault}. The weights for photos take that out instead of enlarging it.`);
    if (said.length) this.notices.say(said.join(" "), { action });
  }

  // The app has lost the field. The page still knows its picture, and what was done to it.
  remake() {
    if (this.source.file || this.source.demo) return this.bringBack(this.onShow(), true);
    return this.opening.open({ demo: this.strip.names[0] });
  }

  restore({ state, view, point, lit }, edited = Promise.resolve()) {
    const { viewer } = this;
    viewer.change(state);
    // What was before the edits can be shown when there are some.
    if (state.sources?.some((source) => source.startsWith("original"))) {
      edited.then(() => viewer.change({ sources: state.sources }));
    }
    if (view) viewer.look(view);
    this.kernels.light(lit.filter((kernel) => kernel < viewer.picture.kernels.length));
    viewer.select(point);
  }

  // source: what was opened; `among` counts the files that came with it
  show(about, { among = 1, ...source }) {
    // Shrunk, or back at its own size: the eye stays where it was.
    const same = (source.demo ?? source.file) && source.demo === this.source?.demo && source.file === this.source?.file;
    const resized = same && this.viewer.picture.width !== about.width;
    const view = resized ? this.viewer.placeIn(about) : null;
    const comes = JSON.stringify(source) !== JSON.stringify(this.source) || source.file !== this.source?.file;
    if (this.source) this.kept.put(this.source, this.whatIf.edits.done);
    if (comes && !this.linked) this.writeAddress(); // of the picture that goes
    const before = this.linked ? this.linked.edits : this.kept.take(source);
    const first = !this.source;
    this.lost = null;
    this.source = source;
    this.known.set(about.id, source);
    const said = [...about.notes];
    if (this.linked?.said) said.unshift(this.linked.said);
    if (among > 1) said.push(`Opened ${source.file.name}, one of ${among} files. “Many pictures” in the menu “More” takes them all.`);
    if (!this.linked && before.length) {
      said.push(`What you changed in this picture is still there: ${before.length === 1 ? "one edit" : `${before.length} edits`}.`);
    }
    this.sayOpened(said, same ? null : about.advice); // once for each picture
    this.name.textContent = `${about.name} · ${about.width} × ${about.height}`;
    this.name.title = `${(about.width * about.height).toLocaleString("en")} Gaussians, model ${about.model}`;
    this.strip.mark(source.demo);
    const transport = drawnHere(httpTransport(this.base, about.id), about, {
      renderer: new URLSearchParams(location.search).get("renderer") ?? "auto",
      changed: () => this.viewer.reload(),
    });
    this.rest(about);
    this.viewer.open(about, transport, { view });
    this.truth.use(about, source);
    this.weights.use(source.weights);
    this.kernels.use(about, transport);
    this.exporter.use(about.id);
    const edited = this.whatIf.use(about, transport, before);
    if (this.linked) this.restore(this.linked, edited);
    else if (comes && !first) this.turnPage();
    this.remember();
  }

  // Work on the last picture ends where another is opened.
  rest({ id, growing }) {
    const last = this.growing;
    this.growing = growing ? id : null;
    if (!last || last === id) return;
    fetch(new URL(`fields/${encodeURIComponent(last)}/tiles`, this.base), { method: "DELETE" }).catch(() => {});
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

  // A picture is a step in the browser's history: Back goes back to the last one.
  turnPage() {
    try {
      history.pushState(null, "", this.address());
    } catch { // too often, for this browser
      this.remember();
    }
  }

  // The address bar follows, without a step in the browser's history for each move.
  writeAddress() {
    if (!this.source || this.linked) return;
    try {
      history.replaceState(null, "", this.address());
    } catch { // too often, for this browser
      this.remember();
    }
  }

  async copyLink() {
    this.writeAddress();
    const remarks = [
      this.source.demo ? "" : "It works while the app keeps this picture.",
      fits(this.whatIf.edits.done) ? "" : "The edits are too long for an address; use Save.",
    ];
    const say = (text) => this.notices.say([text, ...remarks].join(" ").trim());
    try {
      await navigator.clipboard.writeText(location.href);
      say("The address of this view is copied.");
    } catch {
      say("The address bar holds the address of this view.");
    }
  }

  failed(error) {
    if (error.name === "AbortError" || error.status === 409) return;
    if (this.source && this.lifeline.failed(error)) return;
    this.notices.say(error.message, { wrong: true });
  }
}
