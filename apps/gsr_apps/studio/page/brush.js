// A brush that marks picture pixels.

// paint(runs): rows of [row, first column, length] under one stroke
export function brushTool(viewer, paint) {
  let marked = null;
  let last = null;
  const tool = {
    radius: 4,
    hover(x, y) {
      viewer.highlight({ brush: { x, y, radius: tool.radius } });
    },
    down(x, y) {
      marked = new Set();
      last = [x, y];
      tool.move(x, y);
    },
    move(x, y) {
      tool.hover(x, y);
      // A quick hand is heard of at a few places only: the stroke goes straight between them.
      const steps = Math.max(1, Math.ceil((2 * Math.hypot(x - last[0], y - last[1])) / tool.radius));
      for (let step = 1; step <= steps; step++) {
        const [px, py] = [x, y].map((end, axis) => last[axis] + (step / steps) * (end - last[axis]));
        touch(marked, viewer.picture, px, py, tool.radius);
      }
      last = [x, y];
    },
    up() {
      const runs = runsOf(marked, viewer.picture.width);
      marked = null;
      if (runs.length) paint(runs);
    },
    cancel() {
      marked = null;
    },
  };
  return tool;
}

// Pixels whose centres lie under the brush; the one below its middle always.
function touch(marked, { width, height }, x, y, radius) {
  const add = (column, row) => {
    if (column >= 0 && row >= 0 && column < width && row < height) marked.add(row * width + column);
  };
  add(Math.floor(x), Math.floor(y));
  for (let row = Math.floor(y - radius); row <= y + radius; row++) {
    for (let column = Math.floor(x - radius); column <= x + radius; column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) add(column, row);
    }
  }
}

function runsOf(marked, width) {
  const runs = [];
  for (const place of [...marked].sort((a, b) => a - b)) {
    const [row, column] = [Math.floor(place / width), place % width];
    const last = runs.at(-1);
    if (last?.[0] === row && last[1] + last[2] === column) last[2] += 1;
    else runs.push([row, column, 1]);
  }
  return runs;
}
