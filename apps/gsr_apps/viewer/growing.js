// A field that comes from a host in parts, the nearest to where one looks first, and is drawn here.

import { changed, known } from "./changes.js";
import { readPayload } from "./payload.js";
import { Renderer } from "./renderer.js";
import { unwanted } from "./transport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./transport.js").Rectangle} Rectangle */

const NOT_YET = 409;
const AGAIN_MS = 1000;
const SIDE = 256; // picture pixels of a part
export const MOST_PIXELS = 2 ** 22; // of a picture: 88 bytes for each on the graphics processor, 20 here

export class Growing {
  /**
   * @param {Transport} host which answers `payload({ view })` with a part
   * @param {{ width: number, height: number }} picture
   * @param {{ software?: boolean, changed?: () => void, make?: typeof Renderer.of }} how software: also
   *   where there is no graphics processor; changed: more can be drawn, or other things
   */
  constructor(host, { width, height }, { software = false, changed: tell = () => {}, make = Renderer.of }) {
    this.host = host;
    this.picture = { width, height };
    this.tell = tell;
    this.make = () => make(this.shape, { software });
    this.abort = new AbortController();
    this.middle = [width / 2, height / 2];
    /** @type {import("./renderer.js").Renderer | null} */
    this.renderer = null;
    /** @type {any[]} what the field is drawn with */
    this.edits = [];
    this.refused = width * height > MOST_PIXELS; // for good: the host draws
    this.begin();
  }

  // Nothing is here yet.
  begin() {
    const { width, height } = this.picture;
    /** @type {Map<string, Rectangle>} */
    this.missing = new Map();
    for (let y = 0; y < height; y += SIDE) {
      for (let x = 0; x < width; x += SIDE) {
        const part = { x, y, width: Math.min(SIDE, width - x), height: Math.min(SIDE, height - y) };
        this.missing.set(`${x},${y}`, part);
      }
    }
  }

  /** Fetch all parts; resolves when they are here, or cannot be. */
  async load() {
    try {
      while (this.missing.size && !this.refused) {
        const [key, view] = this.nearest();
        const part = await readPayload(await this.host.ask("payload", { view }, { signal: this.abort.signal }));
        if (this.abort.signal.aborted) return;
        if (this.take(part)) this.missing.delete(key);
        this.tell();
      }
    } catch (error) {
      if (error.status === NOT_YET && !this.abort.signal.aborted) { // the host is still making it
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        return this.load();
      }
      if (unwanted(error)) return;
      this.refused = true;
      // The host draws, and says what is wrong with it; what is wrong here stands in the console.
      if (!error.status && !error.offline) console.error(error);
    }
  }

  nearest() {
    const [cx, cy] = this.middle;
    const away = ({ x, y, width, height }) =>
      Math.max(0, x - cx, cx - x - width) ** 2 + Math.max(0, y - cy, cy - y - height) ** 2;
    return [...this.missing].reduce((a, b) => (away(b[1]) < away(a[1]) ? b : a));
  }

  // Returns whether it is kept.
  take(part) {
    if (!this.renderer && !this.start(part)) return false;
    if (this.renderer.lost) return false;
    this.renderer.put(part);
    const [top, left] = part.place;
    const { width } = this.picture;
    for (const name of ["index", "evidence"]) {
      const { channels, values } = part.maps[name];
      const into = this.known[name];
      for (let c = 0; c < channels; c++) {
        for (let row = 0; row < part.height; row++) {
          const from = (c * part.height + row) * part.width;
          into.set(values.subarray(from, from + part.width), (c * this.picture.height + top + row) * width + left);
        }
      }
    }
    return true;
  }

  start(part) {
    const { width, height } = this.picture;
    this.shape = part;
    this.renderer = this.make();
    this.refused = !this.renderer;
    if (!this.renderer) return false;
    const count = width * height;
    this.known = { width, bank: part.bank, index: new Float32Array(count), evidence: new Float32Array(3 * count) };
    this.mixedBefore = part.maps.mixed.channels > 0;
    this.renderer.onrestored = () => { // it is empty
      this.edits = [];
      this.begin();
      this.load();
    };
    return true;
  }

  /**
   * Whether a view can be drawn: no part that it needs is missing.
   * @param {Rectangle} view
   */
  covers({ x, y, width, height }) {
    const { renderer } = this;
    if (this.refused || !renderer || renderer.lost) return false;
    const reach = renderer.field.radius + 1;
    return [...this.missing.values()].every((part) =>
      part.x >= x + width + reach || part.x + part.width <= x - reach
      || part.y >= y + height + reach || part.y + part.height <= y - reach);
  }

  /**
   * Draw the field with these edits from now on. Returns whether that can be done here.
   * @param {any[]} edits
   */
  change(edits) {
    if (this.refused || !this.renderer || this.renderer.lost || this.missing.size) return !edits.length;
    if (edits.length && (this.mixedBefore || !known(edits))) return false;
    if (edits === this.edits || JSON.stringify(edits) === JSON.stringify(this.edits)) return true;
    const { bank, index, mixed } = changed(this.known, edits);
    this.renderer.choose({ bank, index, mixed });
    this.edits = edits;
    return true;
  }

  stop() {
    this.abort.abort();
    this.renderer?.destroy();
    this.renderer = null;
  }
}
