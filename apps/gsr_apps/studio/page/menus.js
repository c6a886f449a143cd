// The menus of the header close when something else is clicked, and with Escape.

// menus: <details> elements
export function closing(menus) {
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && menus.find(({ open }) => open);
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  addEventListener("pointerdown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const left = menus.filter((menu) => menu.open && !menu.contains(target));
    for (const menu of left) menu.open = false;
    // The picture would take this click for a question about the pixel below.
    if (left.length && target.classList.contains("gsr-stage")) event.stopPropagation();
  }, true);
}
