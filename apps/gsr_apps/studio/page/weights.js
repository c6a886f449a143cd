// Which weights make the Gaussians, and how much of them.

import { h } from "../viewer/dom.js";

export class Weights {
  // choose(weights): make the picture on show again with { name, strength }
  constructor(choose) {
    this.choose = choose;
    this.name = h("select", { "aria-label": "Weights", onchange: () => this.refresh() });
    this.strength = h("input", {
      type: "range", min: 0, max: 1, step: 0.05, value: 1, "aria-label": "Strength", oninput: () => this.refresh(),
    });
    this.much = h("output", {});
    this.part = h("label", {}, "Strength ", this.strength, " ", this.much);
    this.about = h("p", {});
    this.go = h("button", { type: "button", className: "gsr-go", onclick: () => this.take(this.wanted()) }, "Encode again");
    this.element = h("details", { className: "gsr-menu gsr-weights" },
      h("summary", { title: "Choose the weights that make the Gaussians" }, "Weights"),
      h("div", {}, h("label", {}, "Weights ", this.name), this.part, this.about, this.go));
  }

  // offered: [{ name, label, about, mixed }], the app's own first
  offer(offered) {
    this.offered = offered;
    this.element.hidden = offered.length < 2;
    this.name.replaceChildren(...offered.map(({ name, label }) => h("option", { value: name }, label)));
    this.refresh();
  }

  // What made the picture on show; null for the app's own.
  use(weights) {
    this.name.value = weights?.name ?? this.offered[0].name;
    this.strength.value = weights?.strength ?? 1;
    this.refresh();
  }

  wanted() {
    const { mixed } = this.chosen();
    return { name: this.name.value, strength: mixed ? Number(this.strength.value) : 1 };
  }

  chosen() {
    return this.offered.find(({ name }) => name === this.name.value);
  }

  refresh() {
    const { about, mixed } = this.chosen();
    this.about.textContent = mixed ? `${about}. Less strength keeps more fine texture, and more noise.` : `${about}.`;
    this.part.hidden = !mixed;
    this.much.textContent = `${Math.round(100 * this.strength.value)} %`;
  }

  take(weights) {
    this.element.open = false;
    this.choose(weights);
  }
}
