// The bar under the picture: the scale, the way into the Gaussians, and how things are shown.

import { rampCss } from "./colors.js";
import { makeDial } from "./dial.js";
import { h } from "./dom.js";
import { kernelIcon } from "./explainer.js";
import { MAPS } from "./maps.js";
import { SWITCHED } from "./overlays.js";
import { closing } from "./popup.js";
import { GAINS } from "./state.js";

const MODES = [
  ["wipe", "Wipe", "Both at the same place, with a line to drag"],
  ["side", "Side by side", "Both next to each other, at one scale"],
  ["difference", "Difference", "The second minus the first, around grey"],
  ["one", "One", "The second alone"],
];
const COLORS = [
  ["kernel", "by shape"], ["direction", "by direction"], ["size", "by size"],
  ["opacity", "by opacity"], ["confidence", "by confidence"], ["own", "own colour"],
  ["number", "by number"],
];
const NEAR = {
  name: "near", label: "Faint from ×12", title: "Faint outlines appear by themselves when one looks closely",
};
const SCALES = {
  size: ["small", "large"], opacity: ["transparent", "opaque"], confidence: ["uncertain", "confident"],
};

// act: { scale(value), jump(value), change(part of the state) }
export function makeControls(state, act) {
  const dial = makeDial(act);
  const xray = xrayControl(act);
  const inside = [modeControl(act), mapControl(state, act), ellipseControl(state, act)];
  const popup = h("details", { className: "gsr-look" },
    h("summary", { title: "Compare in another way; maps and ellipses" }, "View"),
    h("div", { className: "gsr-popup", role: "group", "aria-label": "View" }, ...inside.map((part) => part.element)));
  const stop = closing([popup]);
  const element = h("div", { className: "gsr-controls", role: "toolbar", "aria-label": "Viewer" },
    dial.element, xray.element, popup);
  const show = (now) => [xray, ...inside].forEach((part) => part.show(now));
  show(state);
  return { element, show, showScale: dial.showScale, showLegend: inside[2].showLegend, destroy: stop };
}

function xrayControl(act) {
  const slider = h("input", {
    type: "range", min: 0, max: 1, step: 0.01, className: "gsr-xray", "aria-label": "From the picture to its Gaussians",
    title: "From the picture to the Gaussians it is made of", oninput: () => act.change({ xray: Number(slider.value) }),
  });
  return {
    element: h("label", { className: "gsr-group gsr-xray-box" }, h("span", { className: "gsr-label" }, "Gaussians"), slider),
    show(now) {
      slider.value = now.xray;
      slider.setAttribute("aria-valuetext", `${Math.round(100 * now.xray)} %`);
    },
  };
}

function modeControl(act) {
  const buttons = MODES.map(([mode, text, title]) =>
    h("button", { type: "button", title, "data-mode": mode, onclick: () => act.change({ mode }) }, text));
  const gain = h("select", {
    "aria-label": "Strength of the difference", title: "How many times the difference is amplified",
    onchange: () => act.change({ gain: Number(gain.value) }),
  }, ...GAINS.map((n) => h("option", { value: n }, `× ${n}`)));
  return {
    element: h("div", { className: "gsr-group" },
      h("div", { className: "gsr-segments", role: "group", "aria-label": "Comparison" }, ...buttons), gain),
    show(now) {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === now.mode));
      gain.hidden = now.mode !== "difference";
      gain.value = now.gain;
    },
  };
}

function mapControl(state, act) {
  const select = h("select", {
    "aria-label": "Map over the picture", title: "What the network decided, pixel by pixel",
    onchange: () => act.change({ map: select.value }),
  }, ...MAPS.map(([value, text, title]) => h("option", { value, title }, text)));
  const opacity = h("input", {
    type: "range", min: 0.1, max: 1, step: 0.05, value: state.opacity, className: "gsr-small",
    "aria-label": "Opacity of the map", title: "Opacity of the map",
    oninput: () => act.change({ opacity: Number(opacity.value) }),
  });
  const bar = h("span", { className: "gsr-legend" });
  return {
    element: h("div", { className: "gsr-group" }, select, opacity, bar),
    show(now) {
      select.value = now.map;
      opacity.disabled = now.map === "none";
      const ends = { confidence: ["uncertain", "confident"], entropy: ["low", "high"] }[now.map];
      bar.replaceChildren(...(ends ? scaleBar(ends) : []));
    },
  };
}

function ellipseControl(state, act) {
  const sigma = h("input", {
    type: "range", min: 0.5, max: 2, step: 0.1, value: state.sigma, className: "gsr-small",
    "aria-label": "Size of the ellipses in standard deviations",
    title: "How many standard deviations (σ) from the centre the outline is drawn",
    oninput: () => act.change({ sigma: Number(sigma.value) }),
  });
  const label = h("output", {});
  const legend = h("span", { className: "gsr-legend" });
  const colors = h("select", {
    "aria-label": "Colour of the ellipses", title: "Colour of the ellipses",
    onchange: () => act.change({ colorBy: colors.value }),
  }, ...COLORS.map(([value, text]) => h("option", { value }, text)));
  const boxes = [...SWITCHED, NEAR].map(({ name, label: text, title }) =>
    ({ name, ...checkbox(text, title, (on) => act.change({ [name]: on })) }));
  let icons = [];
  return {
    element: h("div", { className: "gsr-details" },
      h("div", { className: "gsr-group" }, ...boxes.map((box) => box.element)),
      h("div", { className: "gsr-group" }, sigma, label, colors, legend)),
    show(now) {
      for (const box of boxes) box.set(now[box.name]);
      label.textContent = `${now.sigma.toFixed(1)} σ`;
      sigma.value = now.sigma;
      colors.value = now.colorBy;
      const shape = now.colorBy === "kernel" || now.colorBy === "direction";
      legend.replaceChildren(...(shape ? icons : SCALES[now.colorBy] ? scaleBar(SCALES[now.colorBy]) : []));
    },
    showLegend(kernels) {
      icons = legendIcons(kernels);
      if (colors.value === "kernel") legend.replaceChildren(...icons);
    },
  };
}

function scaleBar([low, high]) {
  const strip = h("i", { className: "gsr-ramp" });
  strip.style.background = `linear-gradient(90deg, ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(rampCss).join(", ")})`;
  return [low, strip, high];
}

// The roundest kernel, then the longest ones by direction.
function legendIcons(kernels) {
  const ratio = (kernel) => kernel.major / kernel.minor;
  const round = kernels.reduce((a, b) => (ratio(b) < ratio(a) ? b : a));
  const icons = [];
  for (let i = 0; i < 6; i++) {
    const direction = (i * Math.PI) / 6;
    const off = (kernel) => Math.abs(Math.sin(kernel.angle - direction));
    const score = (kernel) => Math.min(ratio(kernel), 3) - 6 * off(kernel);
    icons.push(kernelIcon(kernels.reduce((a, b) => (score(b) > score(a) ? b : a)), 15));
  }
  const text = "Colour: hue is the direction of the ellipse; pale is round, vivid is long";
  return [h("span", { title: text, className: "gsr-legend-row" }, kernelIcon(round, 15), "round", ...icons, "long")];
}

function checkbox(text, title, change) {
  const box = h("input", { type: "checkbox", onchange: () => change(box.checked) });
  return {
    element: h("label", { className: "gsr-check", title }, box, text),
    set(on) { box.checked = on; },
  };
}
