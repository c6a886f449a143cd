// Popups (<details> elements) close when something else is clicked, and with Escape.

/**
 * @param {HTMLDetailsElement[]} popups
 * @returns {() => void} stops that
 */
export function closing(popups) {
  const keyed = (event) => {
    const popup = event.key === "Escape" && popups.find(({ open }) => open);
    if (!popup) return;
    popup.open = false;
    popup.querySelector("summary").focus();
    event.stopPropagation();
  };
  const pressed = (event) => {
    const target = /** @type {Element} */ (event.target);
    const left = popups.filter((popup) => popup.open && !popup.contains(target));
    for (const popup of left) popup.open = false;
    // The picture would take this click for a question about the pixel below.
    if (left.length && target.classList.contains("gsr-stage")) event.stopPropagation();
  };
  addEventListener("keydown", keyed, true);
  addEventListener("pointerdown", pressed, true);
  return () => {
    removeEventListener("keydown", keyed, true);
    removeEventListener("pointerdown", pressed, true);
  };
}
