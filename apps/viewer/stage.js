// The elements of the stage: two canvases, a menu on each pane, the handle of the wipe.

import { h } from "./dom.js";

const ABOUT =
  "Picture, enlarged in two ways. Arrows move, plus and minus zoom, 0 fits, 1 is one to one, " +
  "2 to 9 switch what the right side shows, Enter explains the centre.";

const SCORED =
  "Against the ground truth, in the visible part or, where that is large, its middle: PSNR of the luma " +
  "in dB, and SSIM";

// act: { source(pane, value), wipe(fraction) }
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
  return { element: stage, pixels, marks, menus, message, handle };
}

function sourceMenu(i, act) {
  const select = h("select", {
    "aria-label": i ? "What the right side shows" : "What the left side shows",
    onchange: () => act.source(i, select.value),
  });
  const score = h("span", { className: "gsr-score", title: SCORED });
  const waiting = h("span", { className: "gsr-waiting", hidden: true }, "rendering…");
  const element = h("div", { className: "gsr-pane-label", "data-pane": i }, select, score, waiting);
  // The stage takes the pointer for panning; the menu keeps it.
  for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) {
    element.addEventListener(kind, (event) => event.stopPropagation());
  }
  return {
    element,
    offer(sources, value) {
      select.replaceChildren(...sources.map((source) =>
        h("option", { value: source.value, title: source.about, selected: source.value === value }, source.label)));
      select.title = sources.find((source) => source.value === value)?.about ?? "";
    },
    score(found) {
      score.textContent = found ? said(found) : "";
    },
    // Until the first frame of a method the picture below is only the source, enlarged.
    wait(on) {
      waiting.hidden = !on;
    },
    place(pane, dpr, right) {
      element.hidden = pane.clipWidth === 0;
      element.style.left = right ? "auto" : `${pane.x / dpr + 10}px`;
      element.style.right = right ? "10px" : "auto";
      element.style.top = `${pane.y / dpr + 10}px`;
    },
  };
}

// A few pixels have no SSIM.
function said({ psnr, ssim }) {
  const decibel = `${psnr === null ? "∞" : psnr.toFixed(2)} dB`;
  return ssim === null ? decibel : `${decibel} · ${ssim.toFixed(3)}`;
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
