// Where the viewer looks. The plane is the picture's: x right, y down, one unit per picture pixel,
// pixel (row i, column j) covers [j, j + 1] x [i, i + 1]. Screen lengths are device pixels of one
// pane; `scale` is device pixels per picture pixel, `dpr` device pixels per CSS pixel. People read and
// set the scale in CSS pixels, on every screen the same.

export const LARGEST = 64; // CSS pixels per picture pixel, and what a renderer is asked for at most
export const SMALLEST = 0.25;

export class Viewport {
  constructor() {
    this.picture = { width: 1, height: 1 };
    this.width = 1;
    this.height = 1;
    this.cx = 0.5;
    this.cy = 0.5;
    this.scale = 1;
    this.dpr = 1;
  }

  get left() {
    return this.cx - this.width / (2 * this.scale);
  }

  get top() {
    return this.cy - this.height / (2 * this.scale);
  }

  /** @returns {[number, number]} */
  toPicture(px, py) {
    return [this.left + px / this.scale, this.top + py / this.scale];
  }

  /** @returns {[number, number]} */
  toScreen(x, y) {
    return [(x - this.left) * this.scale, (y - this.top) * this.scale];
  }

  get fitScale() {
    return Math.min(this.width / this.picture.width, this.height / this.picture.height);
  }

  get smallest() {
    return Math.max(this.dpr / LARGEST, Math.min(SMALLEST * this.dpr, this.fitScale));
  }

  get largest() {
    return LARGEST * this.dpr;
  }

  /** Whether zooming by a factor would change anything. */
  zooms(factor) {
    return factor < 1 ? this.scale > this.smallest * (1 + 1e-9) : factor > 1 && this.scale < this.largest;
  }

  setScale(scale) {
    this.scale = Math.min(this.largest, Math.max(this.smallest, scale));
  }

  // The point of the picture under (px, py) stays there.
  zoomAt(px, py, scale) {
    const [x, y] = this.toPicture(px, py);
    this.setScale(scale);
    this.cx = x + (this.width / 2 - px) / this.scale;
    this.cy = y + (this.height / 2 - py) / this.scale;
    this.keepInside();
  }

  panBy(dx, dy) {
    this.cx -= dx / this.scale;
    this.cy -= dy / this.scale;
    this.keepInside();
  }

  fit() {
    this.setScale(this.fitScale);
    this.cx = this.picture.width / 2;
    this.cy = this.picture.height / 2;
  }

  // No empty space beside the picture while there is more of it; what is smaller lies in the middle.
  keepInside() {
    const kept = (centre, length, extent) => {
      const half = length / (2 * this.scale);
      return 2 * half >= extent ? extent / 2 : Math.min(extent - half, Math.max(half, centre));
    };
    this.cx = kept(this.cx, this.width, this.picture.width);
    this.cy = kept(this.cy, this.height, this.picture.height);
  }

  // The same place in another size of the same picture, as large on the screen.
  placeIn({ width, height }) {
    const factor = width / this.picture.width;
    return { x: this.cx * factor, y: (this.cy * height) / this.picture.height, scale: this.scale / factor };
  }

  // What has to be rendered: the visible part of the picture and `margin` device pixels around it,
  // on this pane's own pixel grid. null when nothing is visible.
  request(margin) {
    const edge = (start, length, extent) => [
      Math.max(-margin, Math.floor(-start * this.scale)),
      Math.min(extent + margin, Math.ceil((length - start) * this.scale)),
    ];
    const [x0, x1] = edge(this.left, this.picture.width, this.width);
    const [y0, y1] = edge(this.top, this.picture.height, this.height);
    if (x1 <= x0 || y1 <= y0) return null;
    // A dense screen may show more pixels of a picture pixel than a renderer makes.
    const part = Math.min(1, LARGEST / this.scale);
    return {
      x: this.left + x0 / this.scale,
      y: this.top + y0 / this.scale,
      width: (x1 - x0) / this.scale,
      height: (y1 - y0) / this.scale,
      columns: Math.max(1, Math.floor((x1 - x0) * part)),
      rows: Math.max(1, Math.floor((y1 - y0) * part)),
    };
  }

  // The part of the picture that is seen: the pane may be larger.
  seen() {
    const cut = (start, length, extent) => {
      const first = Math.max(0, start);
      return [first, Math.min(extent, start + length) - first];
    };
    const [x, width] = cut(this.left, this.width / this.scale, this.picture.width);
    const [y, height] = cut(this.top, this.height / this.scale, this.picture.height);
    return { x, y, width, height };
  }

  // The visible rectangle, for overlays and tests.
  visible() {
    return {
      x: this.left,
      y: this.top,
      width: this.width / this.scale,
      height: this.height / this.scale,
      columns: this.width,
      rows: this.height,
      scale: this.scale,
    };
  }
}
