// Times on this device, for the page that was opened with ?benchmark.

import { Encoder, WAYS } from "../encoder/encoder.js";
import { h } from "../viewer/dom.js";
import { Renderer } from "../viewer/renderer.js";

const SIDE = 256;
const VIEW = [1280, 720];
const SCALES = [2, 8, 32];
const REPEATS = 5;

export async function benchmark(place, { bytes, script }) {
  const body = h("tbody", {});
  place.replaceChildren(h("table", { className: "benchmark" },
    h("thead", {}, h("tr", {}, ...["what", "how", "milliseconds"].map((text) => h("th", {}, text)))), body));
  const row = (...cells) => body.append(h("tr", {}, ...cells.map((text) => h("td", {}, String(text)))));
  const picture = plasma(SIDE);
  let field = null;
  for (const way of WAYS) {
    try {
      const found = await new Encoder(bytes, script, [way]).encode(picture);
      row(`encode ${SIDE} × ${SIDE}`, `${way}: ${found.by}`, Math.round(found.milliseconds));
      field ??= found;
    } catch (error) {
      row(`encode ${SIDE} × ${SIDE}`, way, error.message);
    }
  }
  const renderer = field && Renderer.of(field);
  if (!renderer) return row("frames", "WebGL2", "not here");
  for (const layer of ["result", "gaussians"]) {
    for (const scale of SCALES) row(`frame ${VIEW.join(" × ")}`, `${layer}, ×${scale}`, frameTime(renderer, layer, scale).toFixed(1));
  }
  place.dataset.done = "true";
}

// The fastest of some.
function frameTime(renderer, layer, scale) {
  const [columns, rows] = VIEW;
  const times = Array.from({ length: REPEATS }, (_, i) => {
    const view = { x: i / 7, y: i / 5, width: columns / scale, height: rows / scale, columns, rows };
    const { bitmap, milliseconds } = renderer.render(view, layer);
    bitmap.close();
    return milliseconds;
  });
  return Math.min(...times);
}

// A picture with edges and gradients in every direction.
function plasma(side) {
  const planes = new Float32Array(3 * side * side);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    for (let c = 0; c < 3; c++) {
      const wave = Math.sin(x / (5 + c)) + Math.sin((x + 2 * y) / 17) + Math.sign(Math.sin((y - c * x) / 9));
      planes[c * side * side + i] = Math.round(255 * (0.5 + wave / 6)) / 255;
    }
  }
  return { width: side, height: side, planes };
}
