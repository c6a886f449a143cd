// Drawn on top of the pixels: the map of kernels, outlines of Gaussians, the explained point.

const MOVING_LIMIT = 1500; // outlines that can be redrawn for every pointer event
const OUTLINED_LIMIT = 900; // up to here each gets a dark rim, to be seen on any picture

export function drawClassMap(context, viewport, bitmap, opacity) {
  const { width, height } = viewport.picture;
  const [left, top] = viewport.toScreen(0, 0);
  context.save();
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, left, top, width * viewport.scale, height * viewport.scale);
  context.restore();
}

// The kernel numbers [h * w] as a bitmap with one pixel per picture pixel.
export function classMapBitmap(numbers, width, height, kernels) {
  const colors = kernels.map((kernel) => parseColor(kernel.color));
  const pixels = new ImageData(width, height);
  for (let i = 0; i < numbers.length; i++) {
    const [red, green, blue] = colors[numbers[i]];
    pixels.data.set([red, green, blue, 255], 4 * i);
  }
  return createImageBitmap(pixels);
}

function parseColor(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// Returns the step at which Gaussians were drawn: every step-th row and column.
export function drawEllipses(context, viewport, list, kernels, options) {
  const { sigma, byKernel, dpr, moving } = options;
  const chosen = visibleOnes(viewport, list, kernels, sigma);
  let step = list.step;
  let drawn = chosen;
  while (moving && drawn.length > MOVING_LIMIT) {
    step *= 2;
    drawn = chosen.filter((i) => list.column[i] % step === 0 && list.row[i] % step === 0);
  }
  context.save();
  context.lineWidth = 1.5 * dpr;
  if (drawn.length <= OUTLINED_LIMIT) strokeRims(context, viewport, list, kernels, drawn, sigma, dpr);
  for (const i of drawn) {
    tracePath(context, viewport, list.x[i], list.y[i], kernels[list.kernel[i]], sigma);
    context.strokeStyle = byKernel ? kernels[list.kernel[i]].color : hex(list.color[i]);
    context.stroke();
  }
  context.restore();
  return step;
}

function strokeRims(context, viewport, list, kernels, drawn, sigma, dpr) {
  context.save();
  context.lineWidth = 2.4 * dpr;
  context.strokeStyle = "rgba(0, 0, 0, 0.35)";
  for (const i of drawn) {
    tracePath(context, viewport, list.x[i], list.y[i], kernels[list.kernel[i]], sigma);
    context.stroke();
  }
  context.restore();
}

function visibleOnes(viewport, list, kernels, sigma) {
  const chosen = [];
  for (let i = 0; i < list.x.length; i++) {
    const reach = kernels[list.kernel[i]].major * sigma * viewport.scale;
    const [x, y] = viewport.toScreen(list.x[i], list.y[i]);
    const inside =
      x > -reach && y > -reach && x < viewport.width + reach && y < viewport.height + reach;
    if (inside) chosen.push(i);
  }
  return chosen;
}

function tracePath(context, viewport, x, y, kernel, sigma) {
  const [px, py] = viewport.toScreen(x, y);
  const size = sigma * viewport.scale;
  context.beginPath();
  context.ellipse(px, py, kernel.major * size, kernel.minor * size, kernel.angle, 0, 2 * Math.PI);
}

export function hex(color) {
  return `#${color.toString(16).padStart(6, "0")}`;
}

// Gaussians that made a colour: filled with their own colour, as strong as their share.
export function drawContributions(context, viewport, explanation, kernels, sigma, dpr) {
  const largest = explanation.contributions[0]?.share || 1;
  context.save();
  for (const part of [...explanation.contributions].reverse()) {
    const strength = part.share / largest;
    if (strength < 0.02) continue;
    const [x, y] = part.mean;
    tracePath(context, viewport, x, y, kernels[part.kernel], sigma);
    context.globalAlpha = 0.15 + 0.7 * strength;
    context.fillStyle = css(part.color);
    context.fill();
    context.globalAlpha = 0.3 + 0.7 * strength;
    for (const [wider, color] of [[2, "rgba(0, 0, 0, 0.6)"], [0, "#fff"]]) {
      context.lineWidth = (1 + strength + wider) * dpr;
      context.strokeStyle = color;
      context.stroke();
    }
  }
  context.restore();
}

export function css(color) {
  const levels = color.map((value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return `rgb(${levels.join(" ")})`;
}

export function drawMarker(context, viewport, x, y, dpr) {
  const [px, py] = viewport.toScreen(x, y);
  const near = 4 * dpr;
  const far = 11 * dpr;
  context.save();
  for (const [width, color] of [[3.5, "rgba(0, 0, 0, 0.7)"], [1.5, "#fff"]]) {
    context.lineWidth = width * dpr;
    context.strokeStyle = color;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(px + near * dx, py + near * dy);
      context.lineTo(px + far * dx, py + far * dy);
    }
    context.stroke();
  }
  context.restore();
}
