// A stream of frames of one method: one request on its way, the newest wish wins.

const TARGET_MS = 60; // what rendering a preview may take
const COARSEST = 0.35; // and how far its resolution may fall for that
export const MARGIN = 32; // device pixels around what is visible
const LARGEST_SIDE = 8000; // of a frame, below what the renderer takes
const LARGEST_AREA = 24e6;

export class Feed {
  // load(request, signal) -> { blob or bitmap, milliseconds, missing: parts interpolated so far };
  // show(frame); fail(error)
  constructor(load, show, fail) {
    this.load = load;
    this.show = show;
    this.fail = fail;
    this.current = null;
    this.next = null;
    this.pixelsPerMs = 1000;
  }

  want(viewport, quality, about) {
    this.next = { viewport, quality, about };
    // A preview is let finish: were it always dropped for a newer one, a slow machine would show
    // nothing while the user moves. An exact frame is dear and gives way.
    if (this.current?.quality === "exact" || this.current?.about.subject !== about.subject) {
      this.current?.abort.abort();
    }
    this.pump();
  }

  stop() {
    this.next = null;
    this.current?.abort.abort();
  }

  async pump() {
    if (this.current || !this.next) return;
    const { viewport, quality, about } = this.next;
    this.next = null;
    const view = this.sized(viewport, quality);
    if (!view) return;
    const abort = new AbortController();
    this.current = { quality, about, abort };
    try {
      const answer = await this.load({ view, quality, ...about }, abort.signal);
      const { milliseconds, by, shown, missing = 0 } = answer;
      const bitmap = answer.bitmap ?? await createImageBitmap(answer.blob);
      this.learn(view, milliseconds);
      if (!abort.signal.aborted) this.show({ bitmap, view, quality, about, milliseconds, by, shown, missing });
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 409) this.fail(error);
    } finally {
      this.current = null;
      this.pump();
    }
  }

  sized(viewport, quality) {
    const view = viewport.request(MARGIN);
    if (!view) return null;
    const area = view.columns * view.rows;
    let factor = Math.min(1, LARGEST_SIDE / Math.max(view.columns, view.rows), Math.sqrt(LARGEST_AREA / area));
    if (quality === "preview") {
      const affordable = this.pixelsPerMs * TARGET_MS;
      const wanted = Math.sqrt(affordable / area);
      factor = Math.min(factor, Math.max(COARSEST, wanted));
    }
    if (factor === 1) return view;
    view.columns = Math.max(1, Math.round(view.columns * factor));
    view.rows = Math.max(1, Math.round(view.rows * factor));
    return view;
  }

  // From the renderer's own time: a slow line is not helped by coarser pixels.
  learn(view, milliseconds) {
    if (!milliseconds) return;
    const speed = (view.columns * view.rows) / Math.max(1, milliseconds);
    this.pixelsPerMs = 0.7 * this.pixelsPerMs + 0.3 * speed;
  }
}
