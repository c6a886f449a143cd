// A guided tour: seven steps that drive the real viewer, each with a still picture first.

import { h } from "../viewer/dom.js";
import { item } from "./more.js";
import { STEPS } from "./tour_steps.js";

export class Tour {
  // open(source): open a picture; page: what the steps drive
  constructor({ open, page }) {
    this.open = open;
    this.page = page;
    this.step = 0;
    this.button = item("Tour", "Seven short steps through the viewer", () => this.start());
    this.count = h("span", { className: "gsr-soft" });
    this.title = h("h2", {});
    this.still = h("div", { className: "gsr-still" });
    this.text = h("p", {});
    this.back = h("button", { type: "button", onclick: () => this.go(this.step - 1) }, "Back");
    this.live = h("button", { type: "button", className: "gsr-go", onclick: () => this.run() }, "Show me");
    this.next = h("button", { type: "button", onclick: () => this.go(this.step + 1) }, "Next");
    this.element = h("section", { className: "gsr-tour", hidden: true, "aria-label": "Tour", "aria-live": "polite" },
      h("header", {}, this.count, h("button", {
        type: "button", className: "gsr-plain", "aria-label": "End the tour", title: "End the tour", onclick: () => this.end(),
      }, "×")),
      this.title, this.still, this.text, h("div", { className: "gsr-buttons" }, this.back, this.live, this.next));
    // The stage below takes the pointer for panning; the card keeps it.
    for (const kind of ["pointerdown", "pointermove", "pointerup", "wheel", "keydown"]) {
      this.element.addEventListener(kind, (event) => event.stopPropagation());
    }
  }

  // What is on show stays as it is until the photo of the tour is there.
  async start() {
    const { page } = this;
    if (!page.source) return;
    this.kept = page.onShow();
    this.photo = null;
    this.running(true);
    this.write(0);
    this.back.disabled = this.live.disabled = this.next.disabled = true;
    if (!(await this.open({ demo: page.strip.names[0] }))) return this.running(false);
    this.photo = page.source.id;
    this.next.disabled = false;
    this.go(0);
  }

  // The picture that was there before comes back, unless another one was opened meanwhile.
  async end() {
    this.running(false);
    if (!this.photo) return this.page.opening.stop();
    this.closePanels();
    if (this.page.source.id !== this.photo) return;
    if (!(await this.page.bringBack(this.kept, true))) this.clean();
  }

  running(on) {
    this.element.hidden = !on;
    this.button.disabled = on;
  }

  go(step) {
    if (step === STEPS.length) return this.end();
    this.clean();
    this.write(step);
  }

  write(step) {
    this.step = step;
    const { title, still, text } = STEPS[step];
    this.count.textContent = `${step + 1} of ${STEPS.length}`;
    this.title.textContent = title;
    this.still.innerHTML = still;
    this.text.textContent = text;
    this.back.disabled = step === 0;
    this.next.textContent = step === STEPS.length - 1 ? "Finish" : "Next";
    this.live.disabled = false;
    this.element.dataset.step = step + 1;
  }

  async run() {
    this.live.disabled = true;
    this.page.viewer.focus();
    await STEPS[this.step].run(this.page);
    this.element.dataset.shown = this.step + 1;
  }

  closePanels() {
    const { viewer, panels } = this.page;
    panels.forEach((panel) => panel.show(false));
    viewer.select(null);
  }

  // Nothing of a step stays for the next one.
  clean() {
    const { viewer, whatIf, kernels } = this.page;
    this.closePanels();
    if (whatIf.edits.done.length) {
      whatIf.edits.reset();
      whatIf.apply();
    }
    if (viewer.highlighted.kernels.length) kernels.light([]);
    viewer.change({ mode: "wipe", xray: 0, sources: ["bicubic", "gsr:result"], ellipses: false, offsets: false, map: "none" });
  }
}
