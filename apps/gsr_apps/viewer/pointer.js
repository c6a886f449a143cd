// Mouse, touch and keyboard on the stage, turned into a few verbs.

export const CLICK_RADIUS = 4; // CSS pixels a click may wander
const PAN_STEP = 60; // CSS pixels per arrow key
const DOUBLE_MS = 220; // a click waits so long for a second one
const LATE_MS = 450; // and this one still counts, if it comes
const DOUBLE_FACTOR = 2;
const FLING_MS = 60; // of the last moves, that say how fast a hand was
const FLING_LEAST = 0.4; // CSS pixels per millisecond
const MOUSE = { speed: 1, way: 160 }; // a mouse puts things down exactly unless it really throws them
const NOTCH = 0.2; // logarithm of the factor of one step of a mouse's wheel with the control key

// act: { hold(), pan(dx, dy), zoom(x, y, factor), glide(vx, vy), closer(x, y, factor), click(x, y),
// hover(x, y), leave(), fit(), one(), close(), source(number), centre(), tool(), zooms(factor), wheel() };
// places are CSS pixels from the stage's corner, speeds CSS pixels per millisecond. A tool takes what the
// first pointer does: { down(x, y), move(x, y), up() }, and cancel() when it was not meant: a second finger
// came to zoom. zooms() says whether zooming changes anything, wheel() whether the wheel alone is the
// viewer's, or the page's that it is in.
export function listen(stage, act) {
  const pointers = new Map();
  let travelled = 0;
  let tool = null; // in use since the pointer went down
  const flight = new Throw();
  const clicks = doubled(act);
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    // Inside something that CSS scales, a pixel of the screen is not one of the stage.
    const [x, y] = [stage.offsetWidth / box.width || 1, stage.offsetHeight / box.height || 1];
    return [(event.clientX - box.left) * x, (event.clientY - box.top) * y];
  };
  // The end of a pointer does not always arrive: it may be let go outside of the window.
  const forget = () => {
    pointers.clear();
    tool?.cancel();
    tool = null;
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (event.isPrimary) forget();
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    if (tool) tool.cancel();
    tool = pointers.size === 1 ? act.tool() : null;
    tool?.down(...at(event));
    travelled = pointers.size > 1 ? Infinity : 0;
    act.hold();
    flight.begin(event);
    stage.focus({ preventScroll: true });
  });

  stage.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (event.buttons === 0 && pointers.has(event.pointerId)) forget();
    const last = pointers.get(event.pointerId);
    if (!last) return act.hover(x, y);
    if (tool) return tool.move(x, y);
    if (pointers.size === 2) pinch(pointers, event.pointerId, [x, y], act);
    travelled += Math.abs(x - last[0]) + Math.abs(y - last[1]);
    if (pointers.size === 1 && travelled > CLICK_RADIUS) act.pan(x - last[0], y - last[1]);
    flight.add(event);
    if (travelled > CLICK_RADIUS) pointers.set(event.pointerId, [x, y]);
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (tool) {
      if (event.type === "pointerup") tool.up();
      else tool.cancel();
      tool = null;
      return;
    }
    if (event.type !== "pointerup") return;
    if (travelled <= CLICK_RADIUS) return clicks(...at(event));
    const speed = pointers.size === 0 && travelled < Infinity && flight.end(event);
    if (speed) act.glide(...speed);
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("lostpointercapture", release); // after an end that was heard, nothing is left
  stage.addEventListener("pointerleave", () => act.leave());

  stage.addEventListener("wheel", (event) => {
    const factor = wheelFactor(event, stage.clientHeight);
    if (!event.ctrlKey && !(act.wheel() && act.zooms(factor))) return; // the page scrolls on
    event.preventDefault();
    act.zoom(...at(event), factor);
  }, { passive: false });

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== stage) return;
    const done = key(event.key, stage, act);
    if (done) event.preventDefault();
  });
}

// A second click soon after the first zooms in; the first alone explains.
function doubled(act) {
  let last = null; // { x, y, time, timer }
  return (x, y) => {
    const now = performance.now();
    if (last && now - last.time < LATE_MS && Math.hypot(x - last.x, y - last.y) < 4 * CLICK_RADIUS) {
      clearTimeout(last.timer);
      last = null;
      return act.closer(x, y, DOUBLE_FACTOR);
    }
    clearTimeout(last?.timer);
    last = { x, y, time: now, timer: setTimeout(() => act.click(x, y), DOUBLE_MS) };
  };
}

// How fast the picture was moving when it was let go.
export class Throw {
  begin({ pointerType, timeStamp, clientX, clientY }) {
    this.least = pointerType === "mouse" ? MOUSE : { speed: FLING_LEAST, way: 0 };
    this.first = [clientX, clientY];
    this.moves = [[timeStamp, clientX, clientY]];
  }

  add({ timeStamp, clientX, clientY }) {
    this.moves.push([timeStamp, clientX, clientY]);
    if (this.moves.length > 64) this.moves.shift();
  }

  /** CSS pixels per millisecond along x and y, or null where it was put down rather than thrown. */
  end({ timeStamp }) {
    const late = this.moves.filter(([time]) => timeStamp - time <= FLING_MS);
    if (late.length < 2) return null;
    const [[t0, x0, y0], [t1, x1, y1]] = [late[0], late.at(-1)];
    const ms = Math.max(8, t1 - t0);
    const speed = [(x1 - x0) / ms, (y1 - y0) / ms];
    const way = Math.hypot(x1 - this.first[0], y1 - this.first[1]);
    return Math.hypot(...speed) > this.least.speed && way >= this.least.way ? speed : null;
  }
}

/**
 * By how much a turn of a wheel zooms.
 * @param {{ deltaY: number, deltaMode: number, ctrlKey: boolean }} event
 * @param {number} page CSS pixels that count as one page
 */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }, page) {
  const unit = [1, 20, page][deltaMode] ?? 1; // pixels, lines, pages
  const delta = Math.min(240, Math.abs(deltaY * unit));
  let step = 0.0016 * delta;
  // A trackpad's pinch arrives as a wheel with the control key and many small steps; a mouse's wheel with
  // that key as few large ones.
  if (ctrlKey) step = Math.max(step, Math.min(0.01 * delta, NOTCH));
  return Math.exp(-Math.sign(deltaY) * step);
}

function pinch(pointers, moved, place, act) {
  const [first, second] = [...pointers.values()];
  const before = Math.hypot(first[0] - second[0], first[1] - second[1]);
  pointers.set(moved, place);
  const [a, b] = [...pointers.values()];
  const after = Math.hypot(a[0] - b[0], a[1] - b[1]);
  if (before > 0) act.zoom((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, after / before);
  const shift = [0, 1].map((i) => (a[i] + b[i] - first[i] - second[i]) / 2);
  act.pan(...shift);
}

function key(name, stage, act) {
  const centre = act.centre();
  const verbs = {
    ArrowLeft: () => act.pan(PAN_STEP, 0),
    ArrowRight: () => act.pan(-PAN_STEP, 0),
    ArrowUp: () => act.pan(0, PAN_STEP),
    ArrowDown: () => act.pan(0, -PAN_STEP),
    "+": () => act.zoom(...centre, 1.2),
    "=": () => act.zoom(...centre, 1.2),
    "-": () => act.zoom(...centre, 1 / 1.2),
    0: act.fit,
    1: act.one,
    Enter: () => act.click(...centre),
    Escape: act.close,
  };
  if (/^[2-9]$/.test(name)) act.source(Number(name));
  else if (name in verbs) verbs[name]();
  else return false;
  return true;
}
