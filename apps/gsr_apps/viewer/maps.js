// One number per picture pixel, as pictures: which kernel, how undecided, how sure.

import { parseHex, ramp } from "./colors.js";

export const MAPS = [
  ["none", "No map", ""],
  ["kernel", "Kernel map", "Colours each picture pixel by the kernel it picked: hue is direction, pale is round"],
  ["confidence", "Confidence", "How confident the network was in its choice: dark is uncertain, bright is confident"],
  ["entropy", "Entropy", "How spread out the choice was over all kernels: dark is low, bright is high"],
];

// The planes of the transport's answer: kernel and second choice uint16, confidence and entropy uint8.
export function splitChoices(buffer, count) {
  return {
    kernel: new Uint16Array(buffer, 0, count),
    second: new Uint16Array(buffer, 2 * count, count),
    confidence: new Uint8Array(buffer, 4 * count, count),
    entropy: new Uint8Array(buffer, 5 * count, count),
  };
}

// A map as a bitmap with one pixel per picture pixel.
export function mapBitmap(kind, choices, { width, height, kernels }) {
  const colors = kind === "kernel"
    ? kernels.map((kernel) => parseHex(kernel.color))
    : Array.from({ length: 256 }, (_, i) => ramp(i / 255));
  return bitmapOf(choices[kind], width, height, (value) => [...colors[value], 255]);
}

// The pixels that picked one of these kernels stay clear, all others go dark.
export function litBitmap(lit, choices, { width, height }) {
  const chosen = new Set(lit);
  return bitmapOf(choices.kernel, width, height, (value) => (chosen.has(value) ? [0, 0, 0, 0] : [8, 9, 10, 215]));
}

function bitmapOf(values, width, height, colorOf) {
  const pixels = new ImageData(width, height);
  for (let i = 0; i < values.length; i++) pixels.data.set(colorOf(values[i]), 4 * i);
  return createImageBitmap(pixels);
}
