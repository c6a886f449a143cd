// The two tabs of the page. Their bar is hidden: each has a way to the other in the page itself.

const BAR = "#tabs > .tab-wrapper button[role=tab]";

// name: as the bar calls it
export function goTo(name) {
  const tab = [...document.querySelectorAll(BAR)].find((button) => button.textContent.trim() === name);
  /** @type {HTMLElement | undefined} */ (tab)?.click();
}

// The button on the other tab is Gradio's; it may be made at any time.
export function wayBack() {
  addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest?.("#batch-back")) goTo("Studio");
  });
}
