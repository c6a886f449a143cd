// A transport in front of another: frames of the field are drawn in this browser where that can be
// done, and everything else is asked of the host.

import { Growing } from "./growing.js";
import { frameOf } from "./local.js";
import { Pace } from "./pace.js";

/** @typedef {import("./transport.js").Transport} Transport */

export const RENDERERS = ["auto", "browser", "server"];
const DRAWN = ["result", "gaussians", "residual", "lr"];

/**
 * @param {Transport} host
 * @param {any} picture what the host describes
 * @param {{ renderer?: string, changed?: () => void, make?: any }} how renderer: one of RENDERERS. "auto" leaves
 *   the field to the host where this browser has no graphics processor, "browser" does not; changed():
 *   what is on show may be asked for again
 * @returns {Transport & { whole: Promise<void> | null }} whole: all that will be here is here
 */
export function drawnHere(host, picture, { renderer = "auto", ...how } = {}) {
  const leave = renderer === "server" || picture.alpha;
  const growing = leave ? null : new Growing(host, picture, { software: renderer === "browser", ...how });
  const whole = growing?.load() ?? null;
  return { ...before(host, growing, new Pace(), picture, [], how.changed ?? (() => {})), whole };
}

// `edits`: what was done to the field that `growing` has, to make that of the host.
function before(host, growing, pace, picture, edits, changed) {
  let shown = edits; // or those that the host is still busy with
  return {
    ...host,
    async ask(what, args, how) {
      if (what === "frame" && canDraw(growing, args) && growing.change(shown)) {
        const { view } = args;
        growing.middle = [view.x + view.width / 2, view.y + view.height / 2];
        return frameOf(growing.renderer, pace, args);
      }
      return host.ask(what, args, how);
    },
    async edit(list, replace) {
      if (growing?.change(list)) { // seen at once; the host's copy follows
        shown = list;
        changed();
      }
      try {
        const { about, transport } = await host.edit(list, replace);
        return { about, transport: before(transport, growing, pace, picture, list, changed) };
      } catch (error) {
        shown = edits;
        changed();
        throw error;
      }
    },
    stop: () => growing?.stop(),
  };
}

// At magnification 1 the field gives back the picture, and below it the host reduces better than a
// browser does.
function canDraw(growing, { view, method, layer, quality }) {
  const own = (method === "gsr" && DRAWN.includes(layer)) || method === "bicubic";
  const enlarged = view.columns > view.width + 1e-6 && view.rows > view.height + 1e-6;
  return own && (enlarged || quality === "preview") && Boolean(growing?.covers(view));
}
