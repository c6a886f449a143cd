// Light or dark: the system's choice until the button is used.

import { item } from "./more.js";

const KEY = "gsr-theme";

// changed(): what has colours of its own may look again
export function themeButton(changed) {
  const kept = localStorage.getItem(KEY);
  if (kept) document.body.classList.toggle("dark", kept === "dark");
  return item("Light or dark", "The other look of the page", () => {
    const dark = document.body.classList.toggle("dark");
    localStorage.setItem(KEY, dark ? "dark" : "light");
    changed();
  });
}
