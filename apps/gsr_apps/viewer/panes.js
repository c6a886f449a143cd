// How the stage is divided. All lengths are device pixels.

const GAP = 2; // CSS pixels between the panes

/** @typedef {{ x: number, y: number, width: number, height: number, clipX: number, clipWidth: number }} Pane */

/**
 * Two panes that show the same part of the picture. Where one picture fills the stage, the first pane
 * has no width.
 * @param {string} mode
 * @param {number} width of the stage
 * @param {number} height
 * @param {number} dpr
 * @param {number} wipe part of the stage left of the border
 * @returns {Pane[]}
 */
export function layout(mode, width, height, dpr, wipe) {
  if (mode === "wipe") return cut(width, height, Math.round(width * wipe));
  if (mode !== "side") return cut(width, height, 0);
  const gap = Math.round(GAP * dpr);
  if (width >= height) {
    const half = Math.max(1, Math.floor((width - gap) / 2));
    return [pane(0, 0, half, height), pane(width - half, 0, half, height)];
  }
  const half = Math.max(1, Math.floor((height - gap) / 2));
  return [pane(0, 0, width, half), pane(0, height - half, width, half)];
}

function pane(x, y, width, height) {
  return { x, y, width, height, clipX: x, clipWidth: width };
}

function cut(width, height, edge) {
  const whole = pane(0, 0, width, height);
  return [
    { ...whole, clipX: 0, clipWidth: edge },
    { ...whole, clipX: edge, clipWidth: width - edge },
  ];
}

/**
 * Index of the pane under a point of the stage.
 * @param {Pane[]} panes
 * @param {number} x
 * @param {number} y
 */
export function paneAt(panes, x, y) {
  const hit = panes.findIndex(
    (p) => x >= p.clipX && x < p.clipX + p.clipWidth && y >= p.y && y < p.y + p.height,
  );
  return hit < 0 ? 1 : hit;
}
