// Popups (<details> elements) close when something else is pressed, and with Escape.

import { CLICK_RADIUS } from "./pointer.js";

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
  /** @type {[number, number] | null} */
  let dismissed = null; // where on the picture a popup was dismissed
  const pressed = (event) => {
    const target = /** @type {Element} */ (event.target);
    const left = popups.filter((popup) => popup.open && !popup.contains(target));
    for (const popup of left) popup.open = false;
    const onPicture = left.length && target.classList.contains("gsr-stage");
    dismissed = onPicture ? [event.clientX, event.clientY] : null;
  };
  // A click that dismisses is no question about the pixel below; a drag moves the picture all the same.
  const released = (event) => {
    const from = dismissed;
    dismissed = null;
    if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) <= CLICK_RADIUS) {
      event.stopPropagation();
    }
  };
  addEventListener("keydown", keyed, true);
  addEventListener("pointerdown", pressed, true);
  addEventListener("pointerup", released, true);
  return () => {
    removeEventListener("keydown", keyed, true);
    removeEventListener("pointerdown", pressed, true);
    removeEventListener("pointerup", released, true);
  };
}
