// The elements of the stage: two canvases, a menu on each pane, the handle of the wipe.

import { h } from "./dom.js";

const ABOUT =
  "Picture, enlarged in two ways. Arrows move, plus and minus zoom, 0 fits, 1 is one to one, " +
  "2 to 9 switch what the right side shows, Enter explains the centre.";

const SCORED =
  "Against the ground truth, in this view or, where that is large, its middle: PSNR of the luma " +
  "in dB, and SSIM";

// act: { source(pane, value), wipe(fraction), edits: { open(), reset() } or none, measure() or none }
export function makeStage(act) {
  const pixels = h("canvas", { className: "gsr-canvas" });
  const marks = h("canvas", { className: "gsr-canvas" });
  const menus = [0, 1].map((i) => sourceMenu(i, act));
  const message = h("div", { className: "gsr-message", role: "alert" });
  const stage = h("div", {
    className: "gsr-stage", tabIndex: 0, role: "application", "aria-label": ABOUT,
  }, pixels, marks, ...menus.map((menu) => menu.element), message);
  const handle = wipeHandle(stage, act.wipe);
  stage.append(handle);
  // wipe: part of the stage left of the handle, null for no handle
  const showWipe = (wipe) => {
    handle.hidden = wipe === null;
    if (wipe === null) return;
    handle.style.left = `${100 * wipe}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(100 * wipe)));
  };
  return { element: stage, pixels, marks, menus, message, handle, showWipe };
}

function sourceMenu(i, act) {
  const select = h("select", {
    "aria-label": i ? "What the right side shows" : "What the left side shows",
    onchange: () => act.source(i, select.value),
  });
  const score = h("span", { className: "gsr-score", title: SCORED });
  const waiting = h("span", { className: "gsr-waiting", hidden: true }, "rendering…");
  const quality = h("span", { className: "gsr-side-quality", hidden: true }, "preview");
  const measure = h("button", {
    type: "button", className: "gsr-measure", hidden: true, onclick: act.measure,
    title: "Shrink the picture by 4 and measure both sides against the original: PSNR and SSIM",
  }, "In numbers");
  const edited = editedBadge(act.edits);
  const notes = notesBadge();
  const element = h("div", { className: "gsr-pane-label", "data-pane": i },
    select, edited.element, score, waiting, quality, measure, notes.element);
  // The stage takes the pointer for panning; the menu keeps it.
  for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
    element.addEventListener(kind, (event) => event.stopPropagation());
  }
  return {
    element,
    offer(sources, value) {
      const option = (source) =>
        h("option", { value: source.value, title: source.about, selected: source.value === value }, source.label);
      const groups = [...new Set(sources.map(({ group }) => group))];
      select.replaceChildren(...groups.map((label) =>
        h("optgroup", { label }, ...sources.filter(({ group }) => group === label).map(option))));
      select.title = sources.find((source) => source.value === value)?.about ?? "";
    },
    score(found) {
      score.textContent = found ? said(found) : "";
    },
    mark: edited.show,
    note: notes.show,
    // Whether this side shows less than the exact pixels.
    preview(on) {
      quality.hidden = !on || !waiting.hidden;
    },
    offerNumbers(on) {
      measure.hidden = !(on && act.measure);
    },
    // Until the first frame of a method the picture below is only the source, enlarged.
    wait(on) {
      waiting.hidden = !on;
    },
    // alone: no other menu is beside this one over the same pane
    place(pane, dpr, right, alone) {
      element.hidden = pane.clipWidth === 0;
      element.style.left = right ? "auto" : `${pane.x / dpr + 10}px`;
      element.style.right = right ? "10px" : "auto";
      element.style.maxWidth = alone ? `${Math.floor(pane.clipWidth / dpr) - 20}px` : "";
      element.style.top = `${pane.y / dpr + 10}px`;
    },
  };
}

// A few pixels have no SSIM.
function said({ psnr, ssim, changed }) {
  const decibel = `PSNR ${psnr === null ? "∞" : psnr.toFixed(2)} dB`;
  const both = `${ssim === null ? decibel : `${decibel}, SSIM ${ssim.toFixed(3)}`}, this view`;
  return changed ? `${both}, ${changed.replace(/ \(\d+\)/g, "")}` : both; // how many stands in the title
}

// On a side that shows an edited field: the way to its edits, and back to how it was.
function editedBadge(edits) {
  const about = "This is not what the network made: it was changed";
  const open = edits
    ? h("button", { type: "button", title: `${about}. Show how`, "aria-label": "Edits: show them", onclick: edits.open }, "Edits")
    : h("span", { title: about }, "Edited");
  const reset = h("button", {
    type: "button", title: "Take all edits back: the field as the network made it", "aria-label": "Take all edits back",
    onclick: edits?.reset, hidden: true,
  }, "↺");
  const element = h("span", { className: "gsr-edited", hidden: true }, open, reset);
  return {
    element,
    show(changed, canReset) {
      element.hidden = !changed;
      reset.hidden = !(edits && canReset);
    },
  };
}

// What happened to the picture on its way here: it was shrunk, or is the first of many.
function notesBadge() {
  const head = h("summary", { title: "What was changed in the picture before" });
  const list = h("ul", {});
  const element = h("details", {
    className: "gsr-notes", hidden: true,
    onkeydown: (event) => {
      if (event.key === "Escape") element.open = false;
    },
  }, head, list);
  return {
    element,
    show(notes) {
      const text = notes.length === 1 ? "1 note" : `${notes.length} notes`;
      if (text !== head.textContent) element.open = false;
      head.textContent = text;
      list.replaceChildren(...notes.map((note) => h("li", {}, note)));
      element.hidden = !notes.length;
    },
  };
}

function wipeHandle(stage, move) {
  const handle = h("div", {
    className: "gsr-handle", tabIndex: 0, role: "slider", hidden: true,
    "aria-label": "Border between the two methods", "aria-valuemin": 0, "aria-valuemax": 100,
    onpointerdown: (event) => {
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
    },
    onpointermove: (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      event.stopPropagation();
      const box = stage.getBoundingClientRect();
      move((event.clientX - box.left) / box.width);
    },
    onkeydown: (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step) return;
      event.preventDefault();
      move(Number(handle.getAttribute("aria-valuenow")) / 100 + step);
    },
  });
  return handle;
}
