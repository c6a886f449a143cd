// The bank beside the picture: which kernels its pixels picked, and what if they had not.

import { h } from "../viewer/dom.js";
import { labelOf } from "./edits.js";

const SHOWN = 40; // kernels that most pixels picked
const BOX = 3; // LR pixels that a drawing of a kernel spans

export class WhatIf {
  // light(kernels) shows which pixels picked them; change(edits) makes a field of them.
  constructor(light, change) {
    this.light = light;
    this.change = change;
    this.edits = [];
    this.chosen = new Set();
    this.list = h("div", { className: "bank", role: "group", ariaLabel: "Kernels" });
    this.said = h("p", { role: "status" });
    this.force = this.button("Only this", "Every pixel takes the chosen kernel", () => ({
      kind: "force", kernel: [...this.chosen][0],
    }));
    this.without = this.button("Without", "Pixels of the chosen kernels take the next likeliest", () => ({
      kind: "without", kernels: [...this.chosen],
    }));
    const all = [
      this.button("Mean", "One kernel for all, the mean of those that pixels have", () => ({ kind: "mean" })),
      this.button("Mixture", "Each pixel's kernel is a mixture of all", () => ({ kind: "soft" })),
    ];
    this.undo = h("button", { type: "button", textContent: "Undo", onclick: () => this.set(this.edits.slice(0, -1)) });
    this.element = h("details", { className: "whatif" },
      h("summary", {}, "Kernels and what if"),
      h("p", {}, "Each pixel picked one of these shapes. Choose some: their pixels stay lit."),
      this.list, h("p", { className: "row" }, this.force, this.without, ...all, this.undo), this.said);
  }

  button(text, title, edit) {
    return h("button", { type: "button", textContent: text, title, onclick: () => this.set([...this.edits, edit()]) });
  }

  // Another picture, or the same one after edits.
  use(kernels, edits) {
    this.kernels = kernels;
    this.edits = edits;
    const ranked = kernels.map((kernel, k) => ({ ...kernel, k })).sort((a, b) => b.share - a.share);
    this.list.replaceChildren(...ranked.slice(0, SHOWN).map((kernel) => this.item(kernel)));
    this.update();
  }

  item({ k, share, major, minor, angle, color }) {
    const name = `Kernel ${k}, ${(100 * share).toFixed(1)} % of the pixels`;
    const shape = `<svg viewBox="${-BOX / 2} ${-BOX / 2} ${BOX} ${BOX}" aria-hidden="true"><ellipse rx="${major}" ry="${minor}" fill="${color}" transform="rotate(${(180 * angle) / Math.PI})"/></svg>`;
    const item = h("button", { type: "button", title: name, ariaLabel: name, innerHTML: shape });
    item.dataset.kernel = String(k);
    item.addEventListener("click", () => {
      if (!this.chosen.delete(k)) this.chosen.add(k);
      this.light([...this.chosen]);
      this.update();
    });
    return item;
  }

  update() {
    for (const item of this.list.children) {
      item.setAttribute("aria-pressed", String(this.chosen.has(Number(/** @type {HTMLElement} */ (item).dataset.kernel))));
    }
    this.force.disabled = this.chosen.size !== 1;
    this.without.disabled = !this.chosen.size || this.chosen.size >= this.kernels.length;
    this.undo.disabled = !this.edits.length;
    this.said.textContent = this.edits.map(labelOf).join(", then: ");
  }

  async set(edits) {
    try {
      await this.change(edits);
    } catch (error) {
      this.said.textContent = error.message;
    }
  }
}
