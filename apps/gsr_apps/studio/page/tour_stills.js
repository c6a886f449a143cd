// The still pictures of the tour: small drawings, so that each idea is seen before it moves.

const WIDTH = 300;
const HEIGHT = 120;
const HUES = ["#e86a5b", "#f2b34c", "#8fc76a", "#4fb3c9", "#6f8fe8", "#c07ad8"];

const svg = (body) =>
  `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-hidden="true" fill="none" stroke-width="2">${body}</svg>`;
const square = (x, y, side, fill, more = "") =>
  `<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${fill}" ${more}/>`;
const ellipse = (x, y, major, minor, degrees, color, fill = 0.25) =>
  `<ellipse cx="${x}" cy="${y}" rx="${major}" ry="${minor}" transform="rotate(${degrees} ${x} ${y})" stroke="${color}" fill="${color}" fill-opacity="${fill}"/>`;
const arrow = (x0, x1, y) =>
  `<path d="M${x0} ${y}H${x1 - 5}M${x1 - 11} ${y - 6}L${x1 - 4} ${y}L${x1 - 11} ${y + 6}" stroke="currentColor"/>`;
const word = (x, y, text, size = 14) =>
  `<text x="${x}" y="${y}" fill="currentColor" stroke="none" font-size="${size}" text-anchor="middle">${text}</text>`;

const SHADES = ["#3b4a5a", "#5b6b7c", "#93a3b1", "#c9d2da", "#e8ecef"];

// Pixels of a slanted edge. mark: [column, row] of the one with a rim
function pixels(x, y, columns, rows, side, mark = null) {
  let body = "";
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const shade = SHADES[Math.min(4, Math.max(0, Math.round(column - row * 0.6 + 0.4)))];
      body += square(x + column * side, y + row * side, side - 1, shade);
    }
  }
  if (mark) body += square(x + mark[0] * side - 1, y + mark[1] * side - 1, side + 1, "none", 'stroke="#f2b34c" stroke-width="3"');
  return body;
}

function bank() {
  let body = "";
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 11; column++) {
      const size = 4.5 + row * 1.6;
      const long = column === 0 ? 1 : 1.6;
      body += ellipse(22 + column * 25.6, 18 + row * 28, size * Math.sqrt(long), size / Math.sqrt(long), (column - 1) * 18, column ? HUES[column % 6] : "#9aa0a8");
    }
  }
  return body;
}

function edge() {
  let body = '<path d="M0 120L0 0L120 0Q170 60 150 120Z" fill="#4b5a6a"/><path d="M120 0Q170 60 150 120L300 120L300 0Z" fill="#c9d2da"/>';
  for (const [x, y, degrees] of [[127, 12, 66], [141, 38, 72], [149, 64, 82], [151, 90, 94], [149, 114, 98]]) {
    body += ellipse(x, y, 17, 6, degrees, "#f2b34c", 0.5);
  }
  const anyhow = [[40, 30], [75, 60], [40, 92], [100, 98], [205, 28], [240, 62], [205, 92], [270, 98], [270, 26]];
  anyhow.forEach(([x, y], i) => {
    body += ellipse(x, y, 14, 8, 67 * i, "#8a63c9", 0.2);
  });
  return body;
}

function zooms() {
  let body = "";
  const pictures = [
    { x: 20, side: 40, label: "×2" }, { x: 88, side: 64, label: "×8" }, { x: 180, side: 96, label: "×30" },
  ];
  for (const [i, { x, side, label }] of pictures.entries()) {
    const y = 108 - side;
    body += `<clipPath id="gsr-zoom-${i}">${square(x, y, side, "#000")}</clipPath>`;
    body += `<g clip-path="url(#gsr-zoom-${i})">${square(x, y, side, "#3b4a5a")}<circle cx="${x + side}" cy="${y + side}" r="${side * (0.5 + 0.22 * i)}" fill="#f2b34c"/></g>`;
    body += word(x + side / 2, y - 4, label, 12);
  }
  return body;
}

function broken() {
  let body = "";
  for (const { x0, angles } of [{ x0: 12, angles: [60, 60, 60] }, { x0: 168, angles: [10, 120, 75] }]) {
    body += `<path d="M${x0} 110V10H${x0 + 40}L${x0 + 78} 110Z" fill="#4b5a6a"/><path d="M${x0 + 40} 10H${x0 + 120}V110H${x0 + 78}Z" fill="#c9d2da"/>`;
    angles.forEach((degrees, i) => {
      body += ellipse(x0 + 47 + 13 * i, 28 + 32 * i, 19, 7, degrees + 8, "#f2b34c", 0.5);
    });
  }
  return body + arrow(136, 164, 60);
}

export const STILLS = {
  pixel: svg(pixels(90, 0, 6, 6, 20, [3, 2])),
  gaussian: svg(pixels(10, 10, 5, 5, 20, [2, 2]) + arrow(122, 160, 60)
    + [1, 0.72, 0.45].map((part) => ellipse(226, 60, 56 * part, 30 * part, 58, "#f2b34c", 0.22)).join("")),
  bank: svg(bank()),
  sum: svg(ellipse(40, 60, 30, 15, 60, "#5b6b7c", 0.9) + word(84, 66, "+", 22) + ellipse(122, 60, 30, 15, 60, "#93a3b1", 0.9)
    + word(166, 66, "+", 22) + ellipse(200, 60, 22, 18, 0, "#e8ecef", 0.9) + word(236, 66, "=", 22) + square(256, 44, 32, "#a3b0bc", 'stroke="currentColor"')),
  scale: svg(zooms()),
  choice: svg(edge()),
  broken: svg(broken()),
};
