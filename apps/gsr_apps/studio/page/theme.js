// Light or dark: the system's choice until the button is used.

import { h } from "../viewer/dom.js";

const KEY = "gsr-theme";

// changed(): what has colours of its own may look again
export function themeButton(changed) {
  const kept = localStorage.getItem(KEY);
  if (kept) document.body.classList.toggle("dark", kept === "dark");
  return h("button", {
    type: "button", className: "gsr-theme", "aria-label": "Light or dark", title: "Light or dark",
    onclick: () => {
      const dark = document.body.classList.toggle("dark");
      localStorage.setItem(KEY, dark ? "dark" : "light");
      changed();
    },
  }, "◐");
}
