// The frames of the two panes: asked for as the view moves, kept until a better one comes.

import { Feed, MARGIN } from "./feed.js";
import { requestOf } from "./sources.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {{ source: string, picture: any, subject: object }} About what a frame is of */
/** @typedef {{ bitmap: ImageBitmap, view: import("./transport.js").View, quality: string, about: About,
 *   milliseconds: number, by?: string, shown?: string }} Frame by: "browser" where it was drawn here;
 *   shown: what it leaves out, in words */

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
      if (abouts[i]) feed.want(viewport, quality, abouts[i]);
      else feed.stop();
    });
  }

  receive(i, frame) {
    const { subject, source } = this.wanted[i] ?? {};
    if (frame.about.subject !== subject || frame.about.source !== source) return;
    this.latest[i]?.bitmap.close();
    this.latest[i] = frame;
    this.count += 1;
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
    if (frame?.quality !== "exact" || frame.about.picture !== picture) return false;
    const wanted = viewport.request(MARGIN);
    return wanted && ["x", "y", "width", "height", "columns", "rows"].every(
      (key) => Math.abs(wanted[key] - frame.view[key]) < 1e-6);
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
