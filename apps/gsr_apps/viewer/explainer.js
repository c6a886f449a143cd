// The panel beside the picture: who made the colour of the point that was clicked.

import { h } from "./dom.js";
import { rgbCss } from "./colors.js";
import { shapeOf } from "./outlines.js";
import { sumOf } from "./sums.js";

const SHOWN = 8;
const LEAST = 0.005; // share below which a Gaussian is counted with the others

export class Explainer {
  // act: { close(), select(contribution), step(by) }
  constructor(act) {
    this.act = act;
    this.body = h("div", { className: "gsr-explain-body" });
    this.element = h(
      "aside",
      {
        className: "gsr-explain", hidden: true, "aria-label": "How this colour came about",
        onkeydown: (event) => event.key === "Escape" && act.close(),
      },
      h("header", {},
        h("h2", {}, "How this colour came about"),
        h("button", { className: "gsr-plain", title: "Close (Esc)", "aria-label": "Close", onclick: act.close }, "×"),
      ),
      this.body,
    );
  }

  hide() {
    this.element.hidden = true;
  }

  // `selected`: the contribution whose reach is on show, or null. `onScreen`: whether a side shows the
  // field that is explained; a method that makes no Gaussians has another colour there.
  show(explanation, kernels, { selected = null, onScreen = true, dpr = 1, shown = Infinity } = {}) {
    const chosen = this.chosenRow();
    this.element.hidden = false;
    this.body.replaceChildren(
      h("p", { className: "gsr-where" },
        `Column ${explanation.column}, row ${explanation.row}, seen at ×${(explanation.scale[0] / dpr).toFixed(2)}`),
      equation(explanation),
      ...(onScreen ? [] : [h("p", { className: "gsr-where gsr-elsewhere" },
        "This is how GaussianSR makes the colour here; neither side shows GaussianSR now.")]),
      this.stepper(),
      h("ol", { className: "gsr-shares" }, ...this.shares(explanation, kernels, selected)),
      h("p", { className: "gsr-where" },
        "The numbers on the right say how the result would change without that Gaussian (red, green, blue; 255 is full). Choose one to see all it touches."),
      h("p", { className: "gsr-where", title: "How sure the network was when it picked this pixel's kernel" },
        choice(explanation)),
    );
    this.showTerms(explanation, shown);
    this.body.querySelectorAll(".gsr-share-row")[chosen]?.focus();
  }

  // The sum, one term at a time.
  stepper() {
    const move = (text, title, by) => h("button", { type: "button", title, "aria-label": title, onclick: () => this.act.step(by) }, text);
    this.sum = swatch([0, 0, 0]);
    this.terms = h("span", {});
    return h("div", { className: "gsr-stepper" }, move("‹", "One Gaussian less", -1), move("›", "One Gaussian more", 1), this.sum, this.terms);
  }

  showTerms({ contributions, splatted }, count) {
    const all = count >= contributions.length;
    const sum = all ? splatted : sumOf(contributions, count);
    this.sum.style.background = rgbCss(sum);
    this.terms.textContent = `${all ? "All" : count} of ${contributions.length} Gaussians: ${levels(sum)}`;
    this.body.querySelectorAll(".gsr-shares > li").forEach((row, i) => row.classList.toggle("gsr-later", i >= count));
  }

  // Index of the row that has the keyboard, so that it keeps it when rows are rebuilt; -1 for none.
  chosenRow() {
    return [...this.body.querySelectorAll(".gsr-share-row")].indexOf(document.activeElement);
  }

  shares({ contributions }, kernels, selected) {
    const large = contributions.filter(({ share }) => share >= LEAST).length;
    const most = Math.min(SHOWN, Math.max(1, large));
    const shown = contributions.slice(0, most);
    const others = contributions.slice(most);
    const percents = roundedTo100([
      ...shown.map((part) => part.share),
      ...(others.length ? [others.reduce((sum, part) => sum + part.share, 0)] : []),
    ]);
    const same = (part) => selected?.column === part.column && selected?.row === part.row;
    const rows = shown.map((part, i) =>
      shareRow(part, percents[i], kernels, same(part), () => this.act.select(part)));
    if (others.length) rows.push(othersRow(others.length, percents.at(-1)));
    return rows;
  }
}


function choice({ kernel, chosen, second, confidence }) {
  const sure = `${percent(confidence)} sure; next would be ${second}.`;
  if (kernel === chosen) return `This pixel picked kernel ${kernel}, ${sure}`;
  return `This pixel was given kernel ${kernel}. By itself it picked ${chosen}, ${sure}`;
}

function equation({ splatted, residual, rgb }) {
  return h("div", { className: "gsr-equation" },
    term(splatted, "Gaussians", levels(splatted), "Weighted mean of the Gaussians' colours"),
    h("span", {}, "+"),
    term(residual.map((v) => 0.5 + 4 * v), "correction", signed(residual),
      "What a small network adds; the swatch shows it four times as strong, around grey"),
    h("span", {}, "="),
    term(rgb, "result", levels(rgb), "The colour that GaussianSR gives this point"),
  );
}

function term(color, label, numbers, title) {
  return h("div", { className: "gsr-term", title }, swatch(color, true),
    h("b", {}, label), h("small", {}, numbers));
}

function swatch(color, large = false) {
  const element = h("span", { className: large ? "gsr-swatch gsr-large" : "gsr-swatch" });
  element.style.background = rgbCss(color);
  return element;
}

// Tenths of a percent that add up to exactly 100: the largest remainders are rounded up.
export function roundedTo100(parts) {
  const total = parts.reduce((sum, part) => sum + part, 0) || 1;
  const tenths = parts.map((part) => (1000 * part) / total);
  const floors = tenths.map(Math.floor);
  const missing = 1000 - floors.reduce((sum, part) => sum + part, 0);
  const byRemainder = tenths.map((value, i) => [value - floors[i], i]).sort((a, b) => b[0] - a[0]);
  for (const [, i] of byRemainder.slice(0, missing)) floors[i] += 1;
  return floors.map((value) => value / 10);
}

function shareRow(part, share, kernels, chosen, choose) {
  const row = h("button", {
    type: "button", className: "gsr-share-row", "aria-pressed": String(chosen), onclick: choose,
    title: `Gaussian of column ${part.column}, row ${part.row}: show everything it touches`,
  },
    swatch(part.color),
    bar(share),
    h("b", { className: "gsr-share" }, `${share.toFixed(1)} %`),
    kernelIcon(shapeOf(part, kernels)),
    h("span", { className: "gsr-kernel" }, h("small", {}, `kernel ${part.kernel}`)),
    h("small", { title: "Change of the result if this Gaussian were missing" },
      signed(part.change.map((v) => -v))),
  );
  return h("li", {}, row);
}

function othersRow(count, share) {
  return h("li", { className: "gsr-others" },
    h("span", { className: "gsr-swatch gsr-none" }), bar(share),
    h("b", { className: "gsr-share" }, `${share.toFixed(1)} %`),
    h("span", { className: "gsr-kernel gsr-wide" }, `${count} others`),
  );
}

function bar(share) {
  const fill = h("i", {});
  fill.style.width = `${share}%`;
  return h("span", { className: "gsr-bar" }, fill);
}

// A kernel's outline in its colour.
export function kernelIcon(kernel, size = 18) {
  const canvas = h("canvas", { width: 2 * size, height: 2 * size, className: "gsr-icon" });
  canvas.style.width = canvas.style.height = `${size}px`;
  const context = canvas.getContext("2d");
  const unit = (0.9 * size) / Math.max(kernel.major, 0.75);
  context.lineWidth = 3;
  context.strokeStyle = kernel.color;
  context.beginPath();
  context.ellipse(size, size, kernel.major * unit, kernel.minor * unit, kernel.angle, 0, 7);
  context.stroke();
  return canvas;
}

function levels(color) {
  return color.map((v) => Math.round(255 * v)).join(", ");
}

function signed(color) {
  return color
    .map((v) => Math.round(255 * v))
    .map((v) => (v > 0 ? `+${v}` : v < 0 ? `−${-v}` : "0"))
    .join(", ");
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}
