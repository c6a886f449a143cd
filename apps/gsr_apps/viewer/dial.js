// The scale, in CSS pixels per picture pixel: a number to read and to type, and a ruler to point at.

import { h } from "./dom.js";

export const TICKS = [1, 2, 4, 8, 16, 32, 64];
export const RANGE = [0.25, 64];
const NEAR = 0.06; // octaves within which a click on the ruler means the tick
const STEP = 1.05; // of an arrow key

/**
 * The part of the ruler, 0 to 1, at which a scale lies.
 * @param {number} scale
 * @param {number[]} [range]
 */
export function partOf(scale, [low, high] = RANGE) {
  return Math.min(1, Math.max(0, Math.log(scale / low) / Math.log(high / low)));
}

/**
 * And back.
 * @param {number} part
 * @param {number[]} [range]
 */
export function scaleAt(part, [low, high] = RANGE) {
  return low * (high / low) ** part;
}

/** The tick that was meant, or the scale itself. */
export function snapped(scale, ticks) {
  return ticks.find((tick) => Math.abs(Math.log2(scale / tick)) < NEAR) ?? scale;
}

/**
 * What was typed as a scale, or null.
 * @param {string} text
 * @param {number[]} [range]
 */
export function parsed(text, [low, high] = RANGE) {
  const value = Number(text.replace(",", ".").replace(/^[×x*\s]+/i, "").replace(/[×x\s]+$/i, "") || NaN);
  return value >= low && value <= high ? value : null;
}

// act: { scale(value), jump(value), fit() }
export function makeDial(act) {
  /** @type {any} */
  let range = RANGE; // reaches further down for pictures that are larger than the pane
  let fit = 1;
  let shown = 1;
  let pressed = false; // until the first value after the pointer went down: a jump, not a drag
  const ruler = h("input", {
    type: "range", min: 0, max: 1, step: 0.0005, className: "gsr-ruler", "aria-label": "Scale",
    title: "Scale: screen pixels per picture pixel",
    onpointerdown: () => { pressed = true; },
    onpointerup: () => { pressed = false; },
    oninput: () => {
      const scale = scaleAt(ruler.value, range);
      if (pressed) act.jump(snapped(scale, [...TICKS, fit]));
      else act.scale(scale);
      pressed = false;
    },
    onkeydown: (event) => {
      const scale = stepped(event.key, shown, range);
      if (!scale) return;
      event.preventDefault();
      act.jump(scale);
    },
  });
  const number = h("input", {
    type: "text", inputMode: "decimal", className: "gsr-scale", "aria-label": "Scale as a number",
    title: "Type a scale, for example 3.7", autocomplete: "off",
    onchange: () => typed(), onfocus: () => number.select(),
  });
  const typed = () => {
    const value = parsed(number.value, range);
    number.toggleAttribute("data-wrong", value === null);
    number.setCustomValidity(value === null ? `A scale is a number from ${round(range[0])} to ${range[1]}.` : "");
    if (value !== null) act.jump(value);
    else number.reportValidity();
  };
  number.addEventListener("keydown", (event) => event.key === "Enter" && typed());
  const ticks = h("div", { className: "gsr-ticks", "aria-hidden": "true" });
  const fitTick = h("span", { className: "gsr-tick gsr-fit-tick" }, "fit");
  /** @type {() => void} */
  /** @type {() => void} */
  const showTicks = () => {
    ticks.replaceChildren(...TICKS.map((tick) => {
      const mark = h("span", { className: "gsr-tick" }, String(tick));
      mark.style.left = `${100 * partOf(tick, range)}%`;
      return mark;
    }), fitTick);
    fitTick.style.left = `${100 * partOf(fit, range)}%`;
    // Two words in one place cannot be read.
    fitTick.classList.toggle("gsr-below", TICKS.some((tick) => Math.abs(Math.log2(fit / tick)) < 0.45));
  };
  showTicks();
  return {
    element: h("div", { className: "gsr-dial" },
      h("label", { className: "gsr-scale-box" }, h("span", { "aria-hidden": "true" }, "×"), number),
      h("div", { className: "gsr-ruler-box" }, ticks, ruler)),
    showScale(scale, whole, smallest) {
      shown = scale;
      if (Math.abs(whole - fit) > 1e-9 || smallest !== range[0]) {
        fit = whole;
        range = [smallest, RANGE[1]];
        showTicks();
      }
      ruler.value = partOf(scale, range);
      ruler.setAttribute("aria-valuetext", `${scale.toFixed(2)} times`);
      const text = scale.toFixed(2);
      if (number.value !== text) number.value = text;
      if (document.activeElement === number) number.select();
      number.removeAttribute("data-wrong");
    },
  };
}

// Where a key leads; undefined for a key that means nothing here.
function stepped(key, scale, [low, high]) {
  const next = TICKS.find((tick) => tick > scale * 1.001) ?? high;
  const last = TICKS.findLast((tick) => tick < scale * 0.999) ?? low;
  return {
    ArrowRight: Math.min(high, scale * STEP), ArrowUp: Math.min(high, scale * STEP),
    ArrowLeft: Math.max(low, scale / STEP), ArrowDown: Math.max(low, scale / STEP),
    PageUp: next, PageDown: last, Home: low, End: high,
  }[key];
}

function round(value) {
  return Number(value.toPrecision(2));
}
