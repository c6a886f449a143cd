// What there is to see, in the order of the Studio's tour.

import { h } from "../viewer/dom.js";

const STEPS = [
  ["A picture is a grid of pixels", "Seen closely it is made of squares, each of one colour. What lies between them nobody wrote down: look at the layer “LR pixels”."],
  ["Every pixel becomes a Gaussian", "A soft spot of colour with a size, a shape and a direction. “Ellipses” draws them where they are."],
  ["One hundred kernels to choose from", "The shapes were learned once, from many photographs. “Kernels and what if” lists those that this picture uses."],
  ["A colour is their weighted sum", "Click anywhere: the Gaussians that overlap there are listed with their shares. A small correction by a network is added."],
  ["So it can be drawn at any scale", "The Gaussians were made once. Zooming only draws them again, at any magnification."],
];

export function help() {
  return h("details", { className: "help" },
    h("summary", {}, "What am I looking at?"),
    h("ol", {}, ...STEPS.map(([title, text]) => h("li", {}, h("b", {}, `${title}. `), text))));
}
