// The bar under the picture.

import { rampCss } from "./colors.js";
import { h } from "./dom.js";
import { kernelIcon } from "./explainer.js";
import { MAPS } from "./maps.js";
import { SWITCHED } from "./overlays.js";
import { GAINS } from "./state.js";

const LOG_RANGE = [Math.log(0.25), Math.log(64)];
const MODES = [
  ["side", "Side by side", "Both next to each other, at one zoom"],
  ["wipe", "Wipe", "Both at the same place, with a line to drag"],
  ["difference", "Difference", "The second minus the first, around grey"],
  ["one", "One", "The second alone"],
];
const COLORS = [
  ["kernel", "by shape"], ["direction", "by direction"], ["size", "by size"],
  ["opacity", "by opacity"], ["confidence", "by confidence"], ["own", "own colour"],
  ["number", "by number"],
];
const SCALES = {
  size: ["small", "large"], opacity: ["transparent", "opaque"], confidence: ["uncertain", "confident"],
};

// act: { scale(value), fit(), one(), change(part of the state) }
export function makeControls(state, act) {
  const parts = [modeControl(state, act), zoomControl(act), mapControl(state, act), ellipseControl(state, act)];
  const [, zoom, , ellipses] = parts;
  const element = h("div", { className: "gsr-controls", role: "toolbar", "aria-label": "Viewer" },
    ...parts.map((part) => part.element), ellipses.details);
  const show = (now) => parts.forEach((part) => part.show?.(now));
  show(state);
  return { element, show, showScale: zoom.showScale, showLegend: ellipses.showLegend };
}

function modeControl(state, act) {
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

function zoomControl(act) {
  const range = h("input", {
    type: "range", min: 0, max: 1, step: 0.0005, className: "gsr-zoom", "aria-label": "Zoom",
    title: "Zoom: screen pixels per picture pixel, from a quarter to 64",
    oninput: () => act.scale(Math.exp(LOG_RANGE[0] + range.value * (LOG_RANGE[1] - LOG_RANGE[0]))),
  });
  const number = h("input", {
    type: "text", inputMode: "decimal", className: "gsr-number", "aria-label": "Zoom as a number",
    title: "Type a zoom from 0.25 to 64, for example 3.7",
    onchange: () => typed(), onfocus: () => number.select(),
    onwheel: (event) => {
      event.preventDefault();
      act.scale(shown * Math.exp(-Math.sign(event.deltaY) * 0.05));
    },
  });
  let shown = 1;
  const typed = () => {
    const value = Number(number.value.replace(",", ".").replace(/^[×x*\s]+/i, ""));
    const good = value >= 0.25 && value <= 64;
    number.toggleAttribute("data-wrong", !good);
    number.setCustomValidity(good ? "" : "A zoom is a number from 0.25 to 64.");
    if (good) act.scale(value);
    else number.reportValidity();
  };
  number.addEventListener("keydown", (event) => event.key === "Enter" && typed());
  return {
    element: h("div", { className: "gsr-group gsr-grow" },
      h("span", { className: "gsr-label" }, "Zoom ×"), number, range,
      h("button", { type: "button", title: "Show the whole picture (0)", onclick: act.fit }, "Fit"),
      h("button", { type: "button", title: "One screen pixel per picture pixel (1)", onclick: act.one }, "1:1")),
    showScale(scale) {
      shown = scale;
      range.value = Math.min(1, Math.max(0, (Math.log(scale) - LOG_RANGE[0]) / (LOG_RANGE[1] - LOG_RANGE[0])));
      range.setAttribute("aria-valuetext", `${scale.toFixed(2)} times`);
      if (document.activeElement !== number || number.value !== scale.toFixed(2)) number.value = scale.toFixed(2);
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
      opacity.hidden = now.map === "none";
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
  const details = h("span", { className: "gsr-details" }, sigma, label, colors, legend);
  const boxes = SWITCHED.map(({ name, label: text, title }) =>
    ({ name, ...checkbox(text, title, (on) => act.change({ [name]: on })) }));
  let icons = [];
  return {
    element: h("div", { className: "gsr-group" }, ...boxes.map((box) => box.element)),
    details,
    show(now) {
      for (const box of boxes) box.set(now[box.name]);
      details.hidden = !now.ellipses;
      label.textContent = `${now.sigma.toFixed(1)} σ`;
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
