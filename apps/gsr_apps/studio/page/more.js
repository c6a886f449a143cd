// Everything that is not needed at first, in one menu.

import { h } from "../viewer/dom.js";

// items: elements, each a line or a part that folds out
export function moreMenu(...items) {
  const element = h("details", { className: "gsr-menu gsr-more" },
    h("summary", { title: "Measure, weights, link, tour and help" }, "More"),
    h("div", {}, ...items));
  element.addEventListener("click", (event) => {
    // What acts at once leaves the menu; what folds out stays in it.
    const target = /** @type {Element} */ (event.target);
    if (target.closest("button.gsr-item")) element.open = false;
  });
  return element;
}

// One line of it.
export function item(text, title, run) {
  return h("button", { type: "button", className: "gsr-item", title, onclick: run }, text);
}
