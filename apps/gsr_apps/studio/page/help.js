// What a newcomer should know, beside the picture.

import { h } from "../viewer/dom.js";
import { Panel } from "./panel.js";

const ABOUT = [
  ["What you see", "The picture was turned into a field of Gaussians, once: one small soft spot for each of its pixels, with a shape taken from a learned set of 100. Zooming only redraws the field, at any magnification. The menu on each side says what it shows."],
  ["Looking inside", "Ellipses are the outlines of the Gaussians; the map colours each pixel by the kernel it picked: the hue is its direction, pale is round, vivid is long. Click anywhere to see which Gaussians made that colour, and how much each contributed. Choose one of them to see all it touches."],
  ["Layers", "Gaussians only leaves out the small correction that a network adds at the end; Correction shows that alone, four times as strong, around grey; Picture pixels is what was put in."],
  ["Measuring", "Under Ground truth the picture is shrunk first and the original kept: each side then shows its PSNR and SSIM for the visible area."],
];
const KEYS = [
  ["arrows", "move"], ["+ and −", "zoom"], ["0", "the whole picture"], ["1", "one screen pixel per picture pixel"],
  ["double click", "closer"], ["Ctrl+Z, Ctrl+Y", "undo an edit, and do it again"],
  ["2 to 9", "what the right side shows"], ["Enter", "explain the middle"], ["Esc", "close the explanation"],
];

export function helpPanel() {
  const panel = new Panel("Help", "gsr-help",
    ...ABOUT.flatMap(([title, text]) => [h("h3", {}, title), h("p", {}, text)]),
    h("h3", {}, "Keys, after clicking the picture"),
    h("dl", {}, ...KEYS.flatMap(([key, text]) => [h("dt", {}, key), h("dd", {}, text)])));
  panel.toggle.className = "gsr-item";
  return panel;
}
