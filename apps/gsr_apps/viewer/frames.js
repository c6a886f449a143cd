// The frames of the two panes: asked for as the view moves, kept until a better one comes.

import { Feed, MARGIN } from "./feed.js";
import { requestOf } from "./sources.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {{ source: string, picture: any, subject: object }} About what a frame is of */
/** @typedef {{ bitmap: ImageBitmap, view: import("./transport.js").View, quality: string, about: About,
 *   milliseconds: number, by?: string, shown?: string, missing: number }} Frame by: "browser" where it was
 *   drawn here; shown: what it leaves out, in words; missing: parts of the field that are interpolated so far */

export class Frames {
  /** @param {{ received: (frame: Frame) => void, failed: (error: any) => void }} act */
  constructor({ received, failed }) {
    this.act = { received, failed };
    /** @type {(Frame | null)[]} */
    this.latest = [null, null];
    this.count = 0; // frames received, for those who measure
    /** @type {(About | null)[]} */
    this.wanted = [null, null];
    /** @type {import("./transport.js").Transport | null} */
    this.transport = null;
    this.feeds = [0, 1].map((i) => new Feed(
      ({ source, view, quality }, signal) =>
        this.transport.ask("frame", { view, quality, ...requestOf(source) }, { signal, channel: i }),
      (frame) => this.receive(i, frame),
      failed,
    ));
  }

  /**
   * Ask for frames of a view; `abouts` has null for a pane that is not seen.
   * @param {Viewport} viewport
   * @param {"preview" | "exact"} quality
   * @param {(About | null)[]} abouts
   */
  want(viewport, quality, abouts) {
    this.wanted = abouts;
    this.feeds.forEach((feed, i) => {
      const about = abouts[i];
      if (!about || this.isExact(i, about.source, viewport, about.picture)) feed.stop(); // nothing is better
      else feed.want(viewport, quality, about);
    });
  }

  receive(i, frame) {
    const { subject, source } = this.wanted[i] ?? {};
    if (frame.about.subject !== subject || frame.about.source !== source) return;
    this.count += 1;
    if (isWorse(frame, this.latest[i])) {
      frame.bitmap.close();
      return;
    }
    this.latest[i]?.bitmap.close();
    this.latest[i] = frame;
    this.act.received(frame);
  }

  /** The newest frame of a source. One of another method would stand under a wrong name. */
  of(i, source) {
    const frame = this.latest[i];
    return frame?.about.source === source ? frame : null;
  }

  /** Whether a pane shows the exact frame of this view of this picture. */
  isExact(i, source, viewport, picture) {
    const frame = this.of(i, source);
    if (frame?.quality !== "exact" || frame.missing || frame.about.picture !== picture) return false;
    const wanted = viewport.request(MARGIN);
    return wanted && ["x", "y", "width", "height", "columns", "rows"].every(
      (key) => Math.abs(wanted[key] - frame.view[key]) < 1e-6);
  }

  /** Whether a frame would be better now that so many parts are missing, and none is on its way. */
  canImprove(missing) {
    return this.latest.some((frame) => frame && frame.missing > missing)
      && !this.feeds.some((feed) => feed.current || feed.next);
  }

  /** What is shown may be had better, or otherwise: it is asked for again. */
  outdate() {
    this.latest.forEach((frame) => {
      if (frame) frame.quality = "preview";
    });
  }

  /** Of another picture. */
  clear() {
    this.stop();
    this.latest = [null, null];
  }

  stop() {
    this.feeds.forEach((feed) => feed.stop());
  }
}

// Whether a preview came after the exact frame of the same place.
function isWorse(frame, old) {
  if (frame.quality === "exact" || old?.quality !== "exact") return false;
  const same = old.about.source === frame.about.source && old.about.picture === frame.about.picture;
  return same && ["x", "y", "width", "height"].every((key) => Math.abs(old.view[key] - frame.view[key]) < 1e-6);
}
