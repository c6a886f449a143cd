// A picture to its field in the page: tiles, a pool of workers, progress and a way to stop.

import { emptyField, putPart } from "../viewer/payload.js";
import { greyDecoder } from "./gaussians.js";
import { readModel } from "./model.js";

export const MOST_PIXELS = 4_000_000; // of a picture: its Gaussians take 200 bytes a pixel, and as much again to show
export const WAYS = ["graphics", "wasm", "plain"]; // in the order in which they are tried
const TILE = 256;
const LEAST_TILE = 64;
const MOST_WORKERS = { graphics: 2, wasm: 8, plain: 8 };
const NAMES = { graphics: "graphics processor", wasm: "processor, by WebAssembly", plain: "processor" };

/** @typedef {{ width: number, height: number, planes: Float32Array }} Pixels RGB in [0, 1], plane by plane */
/** @typedef {{ onprogress?: (done: number, all: number, way: string) => void,
 *   onpart?: (field: any, part: any) => void, signal?: AbortSignal }} Watching how tiles come, and a way to stop */

export class Encoder {
  // `model` is the bytes of a message, `script` the text of worker.js with all it needs. `ways` limits what is
  // tried.
  constructor(model, script, ways = WAYS) {
    this.bytes = model;
    this.script = script;
    this.ways = [...ways];
    this.only = ways.length === 1;
    this.model = null; // once it was read
    this.pool = null;
  }

  /**
   * The field of a picture.
   * @param {Pixels} picture
   * @param {Watching} [watching]
   */
  async encode(picture, { onprogress = () => {}, onpart = () => {}, signal } = {}) {
    this.model ??= await readModel(this.bytes);
    signal?.throwIfAborted();
    const start = performance.now();
    for (;;) {
      const [way] = this.ways;
      try {
        const field = await this.with(way, picture, { onprogress, onpart, signal });
        return Object.assign(field, { milliseconds: performance.now() - start, way: NAMES[way], by: this.by });
      } catch (error) {
        if (signal?.aborted || this.ways.length === 1) throw error;
        this.ways.shift(); // another way may do what this one could not
      }
    }
  }

  async with(way, picture, { onprogress, onpart, signal }) {
    const hands = Math.min(MOST_WORKERS[way], navigator.hardwareConcurrency || 2);
    const jobs = tiles(picture, tileSide(picture, hands), this.model.halo);
    const pool = this.poolOf(way);
    const stop = () => pool.close();
    signal?.addEventListener("abort", stop);
    try {
      this.by = await pool.prepare(Math.min(hands, jobs.length));
      const grey = isGrey(picture);
      const field = empty(this.model, picture, grey);
      let done = 0;
      onprogress(0, jobs.length, way);
      await pool.run(jobs, (job) => request(picture, job, grey), ({ part }) => {
        putPart(field, part);
        done += 1;
        onpart(field, part);
        onprogress(done, jobs.length, way);
      });
      return field;
    } catch (error) {
      pool.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  // Workers that compute in one way; they stay for the next picture.
  poolOf(way) {
    if (this.pool?.way !== way || this.pool.isClosed) {
      this.pool?.close();
      const side = TILE + 2 * this.model.halo;
      this.pool = new Pool(this.script, { model: this.bytes, way, side, only: this.only });
    }
    return this.pool;
  }
}

class Pool {
  // `first` is what every worker gets first.
  constructor(script, first) {
    this.url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.first = first;
    this.way = first.way;
    this.workers = [];
    this.name = "";
    this.isClosed = false;
    this.closed = new Promise((_, reject) => { this.refuse = reject; });
    this.closed.catch(() => {}); // it may be that nobody waits
  }

  // At least this many workers that are ready; what they compute with.
  async prepare(count) {
    const missing = Math.max(0, count - this.workers.length);
    const made = Array.from({ length: missing }, () => new Worker(this.url));
    this.workers.push(...made);
    const answers = await Promise.all(made.map((worker) => this.ask(worker, this.first)));
    this.name = answers[0]?.name ?? this.name;
    return this.name;
  }

  // All jobs, each by whoever is free.
  async run(jobs, messageOf, use) {
    const waiting = [...jobs];
    await Promise.all(this.workers.map(async (worker) => {
      while (waiting.length) use(await this.ask(worker, messageOf(waiting.shift())));
    }));
  }

  ask(worker, message) {
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.problem ? reject(new Error(data.problem)) : resolve(data));
      worker.onerror = (event) => reject(new Error(event.message || "A worker could not be started."));
    });
    worker.postMessage(message);
    return Promise.race([answer, this.closed]);
  }

  close() {
    this.isClosed = true;
    this.workers.forEach((worker) => worker.terminate());
    this.refuse(new DOMException("It was stopped.", "AbortError"));
    URL.revokeObjectURL(this.url);
  }
}

// Small enough that every worker has one, where the picture allows it.
function tileSide({ width, height }, hands) {
  const fair = Math.ceil(Math.sqrt((width * height) / hands) / 8) * 8;
  return Math.max(LEAST_TILE, Math.min(TILE, fair));
}

// Rectangles of a picture row by row, and around each as many pixels as its Gaussians depend on.
export function tiles({ width, height }, side, halo) {
  const found = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const [right, bottom] = [Math.min(width, left + side), Math.min(height, top + side)];
      const [x, y] = [Math.max(0, left - halo), Math.max(0, top - halo)];
      found.push({
        left, top, width: right - left, height: bottom - top,
        outer: {
          left: x, top: y,
          width: Math.min(width, right + halo) - x, height: Math.min(height, bottom + halo) - y,
        },
      });
    }
  }
  return found;
}

function request(picture, { left, top, width, height, outer }, grey) {
  const planes = new Float32Array(3 * outer.width * outer.height);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < outer.height; y++) {
      const from = (c * picture.height + outer.top + y) * picture.width + outer.left;
      planes.set(picture.planes.subarray(from, from + outer.width), (c * outer.height + y) * outer.width);
    }
  }
  return {
    tile: { width: outer.width, height: outer.height, planes },
    core: {
      left: left - outer.left, top: top - outer.top, width, height,
      place: [top, left], whole: [picture.height, picture.width],
    },
    grey,
  };
}

export function isGrey({ width, height, planes }) {
  const count = width * height;
  for (let i = 0; i < count; i++) {
    if (planes[i] !== planes[i + count] || planes[i] !== planes[i + 2 * count]) return false;
  }
  return true;
}

function empty(model, { width, height }, grey) {
  const { model: name, kernels, radius, finest, footprint, bank, features, slopes, gain } = model;
  const channels = { lr: 3, index: 1, evidence: 3, offsets: 2, colors: 3, slopes, feat: features, mixed: 0 };
  const maps = Object.fromEntries(Object.entries(channels).map(([map, count]) => [map, { channels: count }]));
  const decoder = grey ? greyDecoder(model.decoder) : model.decoder;
  return emptyField({
    whole: [height, width], model: name, kernels, radius, finest, footprint, faithful: gain > 0, bank, decoder,
    maps,
  });
}
