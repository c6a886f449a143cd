// What the page says over the picture: what it is busy with, what went wrong.

import { h } from "../viewer/dom.js";

const LEAST_MS = 5000; // that something stays, and how much longer for each character
const MS_PER_CHARACTER = 50;

export class Notices {
  constructor() {
    this.bar = h("i", {});
    this.doing = h("span", { role: "status" });
    this.cancel = h("button", { type: "button" }, "Cancel");
    this.busy = h("div", { className: "gsr-busy", hidden: true },
      h("span", { className: "gsr-busy-bar" }, this.bar), this.doing, this.cancel);
    this.notice = h("div", { className: "gsr-notice", role: "alert", hidden: true });
    this.element = h("div", { className: "gsr-said" }, this.busy, this.notice);
  }

  // text: null when nothing is going on; stop(): offered as Cancel; part: of 1, when it is known
  showBusy(text, stop = null, part = null) {
    this.busy.hidden = text === null;
    this.doing.textContent = text ?? "";
    this.bar.style.width = part === null ? "30%" : `${100 * part}%`;
    this.busy.classList.toggle("gsr-unknown", part === null);
    this.cancel.hidden = !stop;
    this.cancel.onclick = stop;
  }

  // action: { text, run } offered as a button. What is neither wrong nor a question leaves by itself.
  say(text, { wrong = false, action = null } = {}) {
    clearTimeout(this.leaving);
    if (text && !wrong && !action) {
      this.leaving = setTimeout(() => this.say(null), LEAST_MS + MS_PER_CHARACTER * text.length);
    }
    this.notice.hidden = !text;
    this.notice.classList.toggle("gsr-wrong", wrong);
    const offer = action && h("button", {
      type: "button", className: "gsr-offer",
      onclick: () => {
        this.say(null);
        action.run();
      },
    }, action.text);
    this.notice.replaceChildren(h("span", {}, text ?? ""), ...(offer ? [offer] : []),
      h("button", { type: "button", "aria-label": "Dismiss", onclick: () => this.say(null) }, "×"));
  }
}
