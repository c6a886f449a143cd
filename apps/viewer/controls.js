// The bar under the picture.

import { h } from "./dom.js";
import { kernelIcon } from "./explainer.js";

const LOG_RANGE = [Math.log(1), Math.log(16)];
export const LAYERS = [
  ["result", "Result", "What the field shows: Gaussians and correction"],
  ["gaussians", "Gaussians only", "The splatted colours without the network's correction"],
  ["residual", "Correction", "What the network adds to the Gaussians, four times as strong, around grey"],
  ["lr", "Picture pixels", "The pixels that were put in"],
];

// act: { scale(value), fit(), one(), change(part of the state) }
export function makeControls(state, act) {
  const zoom = zoomControl(act);
  const layer = layerControl(state, act);
  const ellipses = ellipseControl(state, act);
  const map = mapControl(state, act);
  const element = h("div", { className: "gsr-controls", role: "toolbar", "aria-label": "Viewer" },
    modeControl(state, act), zoom.element, layer, map, ellipses.element);
  return { element, showScale: zoom.show, showLegend: ellipses.showLegend };
}

function modeControl(state, act) {
  const choice = (mode, text, title) => h("button", {
    type: "button", title, "aria-pressed": String(state.mode === mode), "data-mode": mode,
    onclick(event) {
      for (const other of event.currentTarget.parentNode.children) {
        other.setAttribute("aria-pressed", String(other === event.currentTarget));
      }
      act.change({ mode });
    },
  }, text);
  return h("div", { className: "gsr-group gsr-segments", role: "group", "aria-label": "Comparison" },
    choice("side", "Side by side", "Both methods next to each other"),
    choice("wipe", "Wipe", "Both at the same place, with a line to drag"));
}

function zoomControl(act) {
  const range = h("input", {
    type: "range", min: 0, max: 1, step: 0.001, className: "gsr-zoom", "aria-label": "Zoom",
    title: "Zoom: screen pixels per picture pixel",
    oninput: () => act.scale(Math.exp(LOG_RANGE[0] + range.value * (LOG_RANGE[1] - LOG_RANGE[0]))),
  });
  const number = h("input", {
    type: "number", min: 0.1, max: 64, step: 0.1, className: "gsr-number", "aria-label": "Zoom as a number",
    onchange: () => Number(number.value) > 0 && act.scale(Number(number.value)),
  });
  const element = h("div", { className: "gsr-group gsr-grow" },
    h("span", { className: "gsr-label" }, "Zoom ×"), number, range,
    h("button", { type: "button", title: "Show the whole picture (0)", onclick: act.fit }, "Fit"),
    h("button", { type: "button", title: "One screen pixel per picture pixel (1)", onclick: act.one }, "1:1"));
  const show = (scale) => {
    const place = (Math.log(scale) - LOG_RANGE[0]) / (LOG_RANGE[1] - LOG_RANGE[0]);
    range.value = Math.min(1, Math.max(0, place));
    range.setAttribute("aria-valuetext", `${scale.toFixed(2)} times`);
    if (document.activeElement !== number) number.value = scale.toFixed(2);
  };
  return { element, show };
}

function layerControl(state, act) {
  const select = h("select", {
    "aria-label": "What the right side shows", title: "What the right side shows",
    onchange: () => act.change({ layer: select.value }),
  }, ...LAYERS.map(([value, text, title]) => h("option", { value, title, selected: value === state.layer }, text)));
  return h("label", { className: "gsr-group" }, h("span", { className: "gsr-label" }, "Layer"), select);
}

function ellipseControl(state, act) {
  const sigma = h("input", {
    type: "range", min: 0.5, max: 2, step: 0.1, value: state.sigma, className: "gsr-small",
    "aria-label": "Size of the ellipses in standard deviations",
    title: "How many standard deviations (σ) from the centre the outline is drawn",
    oninput: () => {
      label.textContent = `${Number(sigma.value).toFixed(1)} σ`;
      act.change({ sigma: Number(sigma.value) });
    },
  });
  const label = h("output", {}, `${state.sigma.toFixed(1)} σ`);
  const legend = h("span", { className: "gsr-legend" });
  const colors = h("select", {
    "aria-label": "Colour of the ellipses", title: "Colour of the ellipses",
    onchange: () => {
      legend.hidden = colors.value !== "kernel";
      act.change({ byKernel: colors.value === "kernel" });
    },
  }, h("option", { value: "kernel" }, "by shape"), h("option", { value: "own" }, "own colour"));
  const details = h("span", { className: "gsr-details", hidden: !state.ellipses }, sigma, label, colors, legend);
  const box = checkbox("Ellipses", "Outlines of the Gaussians on the right side", state.ellipses, (on) => {
    details.hidden = !on;
    act.change({ ellipses: on });
  });
  return {
    element: h("div", { className: "gsr-group" }, box, details),
    showLegend: (kernels) => legend.replaceChildren(...legendIcons(kernels)),
  };
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

function mapControl(state, act) {
  const opacity = h("input", {
    type: "range", min: 0.1, max: 1, step: 0.05, value: state.opacity, className: "gsr-small",
    "aria-label": "Opacity of the kernel map", title: "Opacity of the kernel map",
    hidden: !state.classMap, oninput: () => act.change({ opacity: Number(opacity.value) }),
  });
  const box = checkbox("Kernel map", "Colours each picture pixel by the kernel it picked", state.classMap, (on) => {
    opacity.hidden = !on;
    act.change({ classMap: on });
  });
  return h("div", { className: "gsr-group" }, box, opacity);
}

function checkbox(text, title, checked, change) {
  const box = h("input", { type: "checkbox", checked, onchange: () => change(box.checked) });
  return h("label", { className: "gsr-check", title }, box, text);
}
