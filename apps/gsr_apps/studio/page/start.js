// Puts the page into the place that Gradio makes for it.

import { start } from "./studio.js";

const ID = "studio";

const place = document.getElementById(ID);
if (place) begin(place);
else {
  const watch = new MutationObserver(() => {
    const made = document.getElementById(ID);
    if (!made) return;
    watch.disconnect();
    begin(made);
  });
  watch.observe(document.documentElement, { childList: true, subtree: true });
}

function begin(element) {
  const page = document.createElement("div");
  page.className = "gsr-page";
  element.append(page);
  start(page, new URL("..", import.meta.url).href); // may lie under a proxy's path
}
