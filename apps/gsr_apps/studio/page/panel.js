// A panel of the page beside the picture, with a heading and a way to close it.

import { h } from "../viewer/dom.js";

export class Panel {
  constructor(title, className, ...content) {
    this.onclose = () => {};
    this.onopen = () => {};
    this.element = h("aside", { className: `gsr-panel ${className}`, hidden: true, "aria-label": title },
      h("header", {}, h("h2", {}, title),
        h("button", {
          type: "button", className: "gsr-plain", title: "Close", "aria-label": `Close: ${title}`,
          onclick: () => this.leave(),
        }, "×")),
      ...content);
    this.toggle = h("button", { type: "button", "aria-expanded": "false", onclick: () => this.press() }, title);
    for (const part of [this.element, this.toggle]) {
      part.addEventListener("keydown", (event) => event.key === "Escape" && this.leave());
    }
  }

  press() {
    this.show(!this.open);
  }

  leave() {
    if (!this.open) return;
    this.show(false);
    this.toggle.focus();
  }

  get open() {
    return !this.element.hidden;
  }

  show(on) {
    if (on === this.open) return;
    this.element.hidden = !on;
    this.toggle.setAttribute("aria-expanded", String(on));
    if (on) this.onopen();
    else this.onclose();
  }
}
