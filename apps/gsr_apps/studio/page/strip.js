// The demo photos: one stop of the keyboard, arrows move within.

import { h } from "../viewer/dom.js";

export class Strip {
  // open(name): a photo was chosen
  constructor(photos, open) {
    this.photos = photos;
    this.open = open;
    this.names = [];
    this.element = h("div", {
      className: "gsr-strip", role: "toolbar", "aria-label": "Demo photos", onkeydown: (event) => this.key(event),
    });
    // Where it is too narrow for all, the usual wheel moves it sideways.
    this.element.addEventListener("wheel", (event) => {
      const strip = this.element;
      if (strip.scrollWidth <= strip.clientWidth || event.shiftKey) return;
      event.preventDefault();
      strip.scrollLeft += event.deltaX || event.deltaY;
    }, { passive: false });
  }

  show(demos) {
    this.names = demos.map(({ name }) => name);
    this.element.replaceChildren(...demos.map(({ name, file }, i) =>
      h("button", {
        type: "button", title: name.replaceAll("-", " "), "aria-label": `Demo photo ${name}`, "data-demo": name,
        tabIndex: i ? -1 : 0, onclick: () => this.open(name),
      }, h("img", { src: new URL(file, this.photos).href, alt: "", width: 46, height: 30 }))));
  }

  // name: of the photo on show, if it is one
  mark(name) {
    for (const button of this.element.children) {
      const chosen = name === button.dataset.demo;
      button.setAttribute("aria-pressed", String(chosen));
      if (chosen) {
        this.stop(button);
        button.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    }
  }

  key(event) {
    const buttons = [...this.element.children];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    const next = at >= 0 && to !== undefined && buttons[to];
    if (!next) return;
    event.preventDefault();
    this.stop(next);
    next.focus();
  }

  // Where the keyboard comes in.
  stop(button) {
    for (const other of this.element.children) other.tabIndex = other === button ? 0 : -1;
  }
}
