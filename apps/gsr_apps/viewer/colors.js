// Colours with a meaning, as `gsr/network/colors.py` has them: the same table, the same arithmetic.

import { TABLE } from "./palette.js";

const { ramp: STOPS, ramp_steps: STEPS } = TABLE;

// 0 to 1 on a ramp that grows lighter all the way. [r, g, b]
export function ramp(value) {
  const place = part(value) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(place));
  return STOPS[i].map((from, k) => Math.floor(from + (place - i) * (STOPS[i + 1][k] - from) + 0.5));
}

// Steps of the ramp, so that drawing need not make strings and ellipses of one colour share a path.
const RAMP_CSS = Array.from({ length: STEPS }, (_, i) => hexOf(ramp(i / (STEPS - 1))));

export function rampCss(value) {
  return RAMP_CSS[Math.floor(part(value) * (STEPS - 1) + 0.5)];
}

// A shape { major, minor, angle }: hue is direction, saturation is elongation, lightness is size.
export function kernelCss({ major, minor, angle }) {
  const { longest, small, large, light, darker } = TABLE;
  const elongation = part((major / Math.max(minor, 1e-6) - 1) / (longest - 1));
  const size = Math.sqrt(Math.max(major * minor, 1e-6));
  const lightness = light - darker * part(Math.log(size / small) / Math.log(large / small));
  return css(halfTurns(angle), lightness, Math.sqrt(elongation));
}

// Its direction alone, in whole degrees of hue; round ones are grey.
export function directionCss({ major, minor, angle }) {
  if (major / Math.max(minor, 1e-6) < TABLE.round_below) return TABLE.round;
  const { steps, lightness, saturation } = TABLE.direction;
  return css((Math.floor(halfTurns(angle) * steps + 0.5) % steps) / steps, lightness, saturation);
}

// Its size alone, on the ramp.
export function sizeCss({ major, minor }) {
  const mean = Math.sqrt(Math.max(major * minor, 1e-12));
  return rampCss(Math.log2(mean / TABLE.size_from) / TABLE.size_octaves);
}

// Tells a number from its neighbours.
export function numberCss(number) {
  const { turn, lightness, saturation } = TABLE.number;
  return css((number * turn) % 1, lightness, saturation);
}

export function parseHex(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// 0xRRGGBB as CSS.
export function packedCss(color) {
  return `#${color.toString(16).padStart(6, "0")}`;
}

// RGB in [0, 1] as CSS.
export function rgbCss(color) {
  const levels = color.map((value) => Math.round(255 * part(value)));
  return `rgb(${levels.join(" ")})`;
}

function part(value) {
  return Math.min(1, Math.max(0, value));
}

function halfTurns(angle) {
  return modulo(angle, Math.PI) / Math.PI;
}

// As in Python: never below 0.
function modulo(value, by) {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}

function hexOf(levels) {
  return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

// Hue, lightness and saturation in [0, 1], by the steps of Python's colorsys.
function css(hue, lightness, saturation) {
  const high = lightness <= 0.5 ? lightness * (1 + saturation) : lightness + saturation - lightness * saturation;
  const low = 2 * lightness - high;
  const channel = (turn) => {
    const at = modulo(turn, 1);
    if (at < 1 / 6) return low + (high - low) * at * 6;
    if (at < 0.5) return high;
    return at < 2 / 3 ? low + (high - low) * (2 / 3 - at) * 6 : low;
  };
  return hexOf([hue + 1 / 3, hue, hue - 1 / 3].map((turn) => Math.floor(255 * channel(turn) + 0.5)));
}
