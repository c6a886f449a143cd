// Pixels: the picture itself as a backdrop, and on it the last frame, moved to where it belongs.

const SNAP = 1e-2; // device pixels within which a frame counts as lying on the grid

export function drawPane(context, pane, viewport, picture, frame) {
  context.save();
  clip(context, pane);
  context.translate(pane.x, pane.y);
  const place = placeOf(viewport, 0, 0, viewport.picture.width, viewport.picture.height);
  context.beginPath();
  context.rect(...place);
  context.clip();
  if (picture.alpha) drawChecks(context, pane);
  // Where a frame covers, nothing may shine through its transparent parts from below.
  if (!(picture.alpha && frame)) drawBackdrop(context, picture.bitmap, place, viewport.scale);
  if (frame) drawFrame(context, viewport, frame);
  context.restore();
}

export function clip(context, pane) {
  context.beginPath();
  context.rect(pane.clipX, pane.y, pane.clipWidth, pane.height);
  context.clip();
}

function drawBackdrop(context, bitmap, place, scale) {
  if (!bitmap) return;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = scale < 1 ? "high" : "low";
  context.drawImage(bitmap, ...place);
}

function drawFrame(context, viewport, { bitmap, view }) {
  const place = placeOf(viewport, view.x, view.y, view.width, view.height);
  const exact =
    Math.abs(place[2] - bitmap.width) < SNAP && Math.abs(place[3] - bitmap.height) < SNAP;
  // Within float rounding of the grid: put it on the grid, pixel for pixel.
  if (exact && nearInteger(place[0]) && nearInteger(place[1])) {
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, Math.round(place[0]), Math.round(place[1]));
    return;
  }
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "medium";
  context.drawImage(bitmap, ...place);
}

function nearInteger(value) {
  return Math.abs(value - Math.round(value)) < SNAP;
}

export function placeOf(viewport, x, y, width, height) {
  const [left, top] = viewport.toScreen(x, y);
  return [left, top, width * viewport.scale, height * viewport.scale];
}

function drawChecks(context, pane) {
  const side = 12;
  context.fillStyle = "#777";
  context.fillRect(0, 0, pane.width, pane.height);
  context.fillStyle = "#999";
  for (let y = 0; y * side < pane.height; y++) {
    for (let x = y % 2; x * side < pane.width; x += 2) {
      context.fillRect(x * side, y * side, side, side);
    }
  }
}
