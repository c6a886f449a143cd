// The transport without a server: the page holds the field and answers by itself.

import { choose, ellipse, explain, kernelAt, weigh, reaching } from "./formula.js";
import { leftOut, Pace } from "./pace.js";
import { Renderer } from "./renderer.js";

const REACH_PIXELS = 256; // a side of a footprint
const LARGEST_TEXTURE = 8192;
const TINY = 1e-6;

/**
 * The answers of a field to the viewer's questions.
 * @returns {import("./transport.js").Transport}
 */
export function localTransport(field, renderer = Renderer.of(field)) {
  if (!renderer) {
    throw new Error("This browser has no WebGL2, which this page renders with. Try another browser.");
  }
  let known = null;
  const pace = new Pace();
  const answers = {
    frame: (asked) => frameOf(renderer, pace, faithful(field, asked)),
    ellipses({ view, limit }) {
      return listed(field, view, limit);
    },
    explain({ x, y, scale }) {
      const found = explain(field, x, y, scale);
      if (field.maps.mixed.channels) {
        for (const part of found.contributions) {
          Object.assign(part, ellipse(kernelAt(field, part.row * field.width + part.column)));
        }
      }
      return found;
    },
    choices() {
      return (known ??= choicesOf(field));
    },
    usage({ view }) {
      return { shares: usageOf(field, view) };
    },
    footprint({ column, row, scale }) {
      return reach(field, column, row, scale);
    },
  };
  return {
    async ask(what, args) {
      if (!Object.hasOwn(answers, what)) throw new Error(`This page does not know ${what}.`);
      return answers[what](args);
    },
  };
}

// As gsr.field.render: at magnification 1, pixel on pixel, and below it, a field that gives back its picture
// shows that.
function faithful(field, asked) {
  const { x, y, width, height, columns, rows } = asked.view;
  const scales = [columns / width, rows / height];
  const whole = [x, y].every((place) => Math.abs(place - Math.round(place)) < TINY);
  const ofPixels = Math.max(...scales) <= 1 + TINY && (whole || Math.min(...scales) < 1 - TINY);
  const own = asked.method === "gsr" && asked.layer === "result";
  return field.faithful && own && ofPixels ? { ...asked, layer: "lr" } : asked;
}

/**
 * A frame { bitmap, milliseconds, by, shown }; while it moves, as much of it as comes in time.
 * @param {Renderer} renderer
 * @param {Pace} pace
 * @param {{ view: any, method: string, layer: string, quality: string }} asked
 */
export function frameOf(renderer, pace, { view, method, layer, quality }) {
  const wanted = method === "bicubic" ? "bicubic" : layer;
  const pixels = view.columns * view.rows;
  const effort = quality === "preview" ? pace.effort(wanted, pixels) : { layer: wanted, part: 1 };
  const smaller = (length) => Math.max(1, Math.round(effort.part * length));
  const sized = { ...view, columns: smaller(view.columns), rows: smaller(view.rows) };
  const { bitmap, milliseconds } = reduced(renderer, sized, effort.layer);
  pace.learn(effort.layer, sized.columns * sized.rows, milliseconds);
  return { bitmap, milliseconds, by: "browser", shown: leftOut(wanted, effort) };
}

// Below magnification 1 an output pixel covers more than one Gaussian: rendered at 1 or more, then reduced.
function reduced(renderer, view, layer) {
  const shrink = [view.width / view.columns, view.height / view.rows].map((step) => Math.ceil(step - 1e-6));
  const columns = view.columns * Math.max(1, shrink[0]);
  const rows = view.rows * Math.max(1, shrink[1]);
  const limit = Math.min(1, LARGEST_TEXTURE / Math.max(columns, rows));
  const wide = { ...view, columns: Math.round(columns * limit), rows: Math.round(rows * limit) };
  const { bitmap, milliseconds } = renderer.render(wide, layer);
  if (wide.columns === view.columns && wide.rows === view.rows) return { bitmap, milliseconds };
  const canvas = new OffscreenCanvas(view.columns, view.rows);
  const context = canvas.getContext("2d");
  Object.assign(context, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
  context.drawImage(bitmap, 0, 0, view.columns, view.rows);
  bitmap.close();
  return { bitmap: canvas.transferToImageBitmap(), milliseconds };
}

// As gsr.field.inspection.gaussians_in: in or beside the view, thinned evenly on multiples of the step.
function listed(field, view, limit) {
  const { width, height, maps } = field;
  const span = (start, extent, length) => {
    const low = Math.min(Math.max(Math.trunc(start) - 1, 0), length - 1);
    return [low, Math.max(low + 1, Math.min(length, Math.trunc(start + extent) + 2))];
  };
  const [top, bottom] = span(view.y, view.height, height);
  const [left, right] = span(view.x, view.width, width);
  let step = 1;
  while (Math.ceil((bottom - top) / step) * Math.ceil((right - left) / step) > limit) step++;
  const list = { step, column: [], row: [], kernel: [], x: [], y: [], color: [], confidence: [] };
  if (maps.mixed.channels) Object.assign(list, { major: [], minor: [], angle: [], opacity: [] });
  const count = width * height;
  for (let row = Math.ceil(top / step) * step; row < bottom; row += step) {
    for (let column = Math.ceil(left / step) * step; column < right; column += step) {
      const i = row * width + column;
      const at = (map, c) => map.values[c * count + i];
      const [r, g, b] = [0, 1, 2].map((c) => Math.round(255 * Math.min(1, Math.max(0, at(maps.colors, c)))));
      list.column.push(column);
      list.row.push(row);
      list.kernel.push(maps.index.values[i]);
      list.x.push(column + 0.5 + at(maps.offsets, 0));
      list.y.push(row + 0.5 + at(maps.offsets, 1));
      list.color.push(65536 * r + 256 * g + b);
      list.confidence.push(choose(field, i).confidence);
      if (maps.mixed.channels) {
        const kernel = kernelAt(field, i);
        const shape = { ...ellipse(kernel), opacity: kernel.opacity };
        for (const name of Object.keys(shape)) list[name].push(shape[name]);
      }
    }
  }
  return list;
}

// Planes as the server sends them: kernel and second choice uint16, confidence and entropy uint8.
function choicesOf(field) {
  const count = field.width * field.height;
  const buffer = new ArrayBuffer(6 * count);
  const kernel = new Uint16Array(buffer, 0, count);
  const second = new Uint16Array(buffer, 2 * count, count);
  const confidence = new Uint8Array(buffer, 4 * count, count);
  const entropy = new Uint8Array(buffer, 5 * count, count);
  const most = Math.log2(Math.max(2, field.kernels));
  for (let i = 0; i < count; i++) {
    const said = choose(field, i);
    kernel[i] = field.maps.index.values[i];
    second[i] = said.second;
    confidence[i] = Math.round(255 * said.confidence);
    entropy[i] = Math.round((255 * said.entropy) / most);
  }
  return buffer;
}

function usageOf(field, view) {
  const covered = (start, extent, length) => [
    Math.max(0, Math.floor(start)), Math.min(length, Math.ceil(start + extent)),
  ];
  const [top, bottom] = covered(view.y, view.height, field.height);
  const [left, right] = covered(view.x, view.width, field.width);
  const total = (bottom - top) * (right - left);
  if (bottom <= top || right <= left) throw new Error("the region holds no pixel of the picture.");
  const counts = new Array(field.kernels).fill(0);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      counts[field.maps.index.values[row * field.width + column]] += 1;
    }
  }
  return counts.map((count) => count / total);
}

// Everything one Gaussian touches: its share at each pixel of the window around it, 255 at the peak.
function reach(field, column, row, scale) {
  const side = 2 * field.radius + 1;
  const pixels = Math.round(side * Math.max(1, Math.min(scale, REACH_PIXELS / side)));
  const [x, y] = [column - field.radius, row - field.radius];
  const shares = new Float64Array(pixels * pixels);
  for (let j = 0; j < pixels; j++) {
    for (let i = 0; i < pixels; i++) {
      const px = Math.min(field.width, Math.max(0, x + ((i + 0.5) * side) / pixels));
      const py = Math.min(field.height, Math.max(0, y + ((j + 0.5) * side) / pixels));
      const own = weigh(field, column, row, px, py, pixels / side).weight;
      if (!own) continue;
      const total = reaching(field, px, py, pixels / side).reduce((sum, tap) => sum + tap.weight, 0);
      shares[j * pixels + i] = own / total;
    }
  }
  const peak = shares.reduce((most, share) => Math.max(most, share), 0);
  const bytes = Array.from(shares, (share) => String.fromCharCode(Math.round((255 * share) / (peak || 1))));
  return { x, y, width: side, height: side, columns: pixels, rows: pixels, peak, shares: btoa(bytes.join("")) };
}
