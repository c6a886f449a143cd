// Flat borders as the network has flat parts elsewhere: see gsr/methods/flat.py.

const WINDOW = 8; // pixels around one that are of its colour where it is flat

// Overwrites the maps of those pixels of a part that are flat and less than `margin` from a border of the
// whole picture. `tile` and `core` are those the part was made of; sheet(color) gives the maps of one pixel
// amid that colour.
export function settleFlat(part, tile, core, margin, sheet) {
  const count = core.width * core.height;
  for (let y = 0; y < core.height; y++) {
    for (let x = 0; x < core.width; x++) {
      if (!isNear(core, x, y, margin) || !isFlat(tile, core.left + x, core.top + y)) continue;
      const at = (core.top + y) * tile.width + core.left + x;
      const color = [0, 1, 2].map((c) => tile.planes[c * tile.width * tile.height + at]);
      for (const [name, { channels, values }] of Object.entries(sheet(color))) {
        for (let c = 0; c < channels; c++) part.maps[name].values[c * count + y * core.width + x] = values[c];
      }
    }
  }
}

function isNear({ place: [top, left], whole: [height, width] }, x, y, margin) {
  const [column, row] = [left + x, top + y];
  return column < margin || row < margin || column >= width - margin || row >= height - margin;
}

function isFlat({ width, height, planes }, x, y) {
  for (let c = 0; c < 3; c++) {
    const plane = c * width * height;
    const value = planes[plane + y * width + x];
    for (let r = Math.max(0, y - WINDOW); r <= Math.min(height - 1, y + WINDOW); r++) {
      for (let i = Math.max(0, x - WINDOW); i <= Math.min(width - 1, x + WINDOW); i++) {
        if (planes[plane + r * width + i] !== value) return false;
      }
    }
  }
  return true;
}

// Maps of one pixel amid a colour, each colour computed once; run(tile, core) gives a part.
export function sheets(halo, run) {
  const side = 2 * halo + 1;
  const known = new Map();
  return (color) => {
    const key = color.join();
    if (!known.has(key)) {
      const planes = new Float32Array(3 * side * side);
      color.forEach((value, c) => planes.fill(value, c * side * side, (c + 1) * side * side));
      const core = { left: halo, top: halo, width: 1, height: 1, place: [0, 0], whole: [1, 1] };
      known.set(key, run({ width: side, height: side, planes }, core).maps);
    }
    return known.get(key);
  };
}
