// Colours for numbers.

const RAMP = [
  [68, 24, 92], [62, 74, 137], [38, 130, 142], [53, 183, 121], [170, 220, 50], [253, 231, 60],
];

// 0 to 1 on a ramp that grows lighter all the way. [r, g, b]
export function ramp(value) {
  const place = Math.min(1, Math.max(0, value)) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(place));
  return RAMP[i].map((from, k) => Math.round(from + (place - i) * (RAMP[i + 1][k] - from)));
}

// 64 steps of the ramp as CSS colours, so that drawing need not make strings.
export const RAMP_CSS = Array.from({ length: 64 }, (_, i) => `rgb(${ramp(i / 63).join(" ")})`);

export function rampCss(value) {
  return RAMP_CSS[Math.min(63, Math.max(0, Math.round(63 * value)))];
}

// A direction (radians, half a turn is the whole circle) as a hue.
export function directionCss(angle) {
  const degrees = ((2 * angle * 180) / Math.PI) % 360;
  return `hsl(${Math.round((degrees + 360) % 360)} 85% 62%)`;
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
  const levels = color.map((value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return `rgb(${levels.join(" ")})`;
}
