// Mouse, touch and keyboard on the stage, turned into a few verbs.

const CLICK_RADIUS = 4; // CSS pixels a click may wander
const PAN_STEP = 60; // CSS pixels per arrow key

// act: { pan(dx, dy), zoom(x, y, factor), click(x, y), hover(x, y), leave(), fit(), one(), close(),
// source(number), centre(), tool() }; places are CSS pixels from the stage's corner. A tool takes what
// the first pointer does: { down(x, y), move(x, y), up() }, and cancel() when it was not meant: a second
// finger came to zoom.
export function listen(stage, act) {
  const pointers = new Map();
  let travelled = 0;
  let tool = null; // in use since the pointer went down
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    if (tool) tool.cancel();
    tool = pointers.size === 1 ? act.tool() : null;
    tool?.down(...at(event));
    travelled = pointers.size > 1 ? Infinity : 0;
    stage.focus({ preventScroll: true });
  });

  stage.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const last = pointers.get(event.pointerId);
    if (!last) return act.hover(x, y);
    if (tool) return tool.move(x, y);
    if (pointers.size === 2) pinch(pointers, event.pointerId, [x, y], act);
    travelled += Math.abs(x - last[0]) + Math.abs(y - last[1]);
    if (pointers.size === 1 && travelled > CLICK_RADIUS) act.pan(x - last[0], y - last[1]);
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
    if (event.type === "pointerup" && travelled <= CLICK_RADIUS) act.click(...at(event));
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", () => act.leave());

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    const delta = Math.min(240, Math.max(-240, event.deltaY * lines));
    // A trackpad's pinch arrives as a wheel with the control key and small steps.
    act.zoom(...at(event), Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.0016)));
  }, { passive: false });

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== stage) return;
    const done = key(event.key, stage, act);
    if (done) event.preventDefault();
  });
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
