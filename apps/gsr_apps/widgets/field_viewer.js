// The viewer in a notebook: its transport over the widget's own messages, its state as traits.

import { drawnHere } from "./here.js";
import { mount } from "./viewer.js";

const PATIENCE_MS = 15_000;
const SILENT = "The Python kernel is not responding. If it has stopped, run the cell again.";
let views = 0; // a widget may be shown several times, and all hear every answer

// Requests carry a number and their answer brings it back; one that is no longer wanted is only
// forgotten, because the kernel answers in the order of asking.
// silent(): an answer is overdue, but still welcome; heard(): one has come.
function messageTransport(model, { silent, heard }) {
  const waiting = new Map();
  const view = `${(views += 1)}-${Math.random().toString(36).slice(2)}`;
  let count = 0;
  model.on("msg:custom", ({ number: which, error, ...answer }, buffers) => {
    const one = waiting.get(which);
    if (!one) return;
    waiting.delete(which);
    clearTimeout(one.overdue);
    heard();
    if (error) one.reject(Object.assign(new Error(error), { status: 400 }));
    else one.resolve({ ...answer, buffers });
  });
  const send = (what, members, signal = undefined) => new Promise((resolve, reject) => {
    const number = `${view}-${(count += 1)}`;
    const overdue = setTimeout(silent, PATIENCE_MS);
    const aborted = () => {
      clearTimeout(overdue);
      waiting.delete(number);
      reject(new DOMException("no longer wanted", "AbortError"));
    };
    if (signal?.aborted) return aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    waiting.set(number, { resolve, reject, overdue });
    model.send({ what, number, ...members });
  });
  const bytes = (buffer) => buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
  return {
    about: () => send("about", {}),
    /** @type {import("./transport.js").Transport["ask"]} */
    async ask(what, args, { signal } = {}) {
      const { found, buffers, type, milliseconds } = await send(what, args, signal);
      if (!buffers.length) return found;
      return type ? { blob: new Blob([bytes(buffers[0])], { type }), milliseconds } : bytes(buffers[0]);
    },
  };
}

// Python's traits and the viewer tell each other; what came from one side is not sent back to it.
// places: { shown }, how often the widget is on show
function tie(model, viewer, places) {
  const told = {};
  let following = false; // until the viewer has settled where a trait sent it
  const tell = (name, value) => {
    told[name] = JSON.stringify(value);
    if (JSON.stringify(model.get(name)) === told[name]) return;
    model.set(name, value);
    model.save_changes();
  };
  const follow = (name, act) => {
    const changed = () => {
      const value = model.get(name);
      if (JSON.stringify(value) !== told[name]) act(value);
      told[name] = JSON.stringify(value);
    };
    model.on(`change:${name}`, changed);
    return changed;
  };
  const size = ({ x, y, width, height }) => [x, y, width, height].map((v) => Math.round(1e6 * v) / 1e6);
  const zoom = follow("scale", (scale) => {
    if (Math.abs(scale - viewer.place.zoom) > 1e-6) viewer.look({ zoom: scale });
  });
  const actions = [
    follow("source", (source) => viewer.change({ sources: [viewer.state.sources[0], source] })),
    follow("state", (state) => viewer.change(state)),
    follow("view", (view) => {
      if (!view) return;
      following = true;
      viewer.showRectangle(view);
    }),
    follow("selection", (point) => viewer.select(point)),
    follow("kernels", (kernels) => viewer.highlight({ kernels })),
    follow("wheel", (wheel) => Object.assign(viewer, { wheel })),
  ];
  return {
    // A view says the scale too.
    start: () => [...actions, ...(model.get("view") ? [] : [zoom])].forEach((act) => act()),
    view(view) {
      // Shown twice, the widget has other proportions at each place; answering would never end.
      const answering = following && places.shown > 1;
      following = false;
      if (answering) return;
      tell("view", size(view));
      tell("scale", Math.round(1e6 * viewer.place.zoom) / 1e6);
    },
    state(state) {
      const { sources, ...rest } = state;
      tell("source", sources[1]);
      tell("state", { ...rest, sources });
    },
    point: (point) => tell("selection", point && [point.x, point.y]),
    hover: (place) => tell("hovered", place),
  };
}

function render({ model, el }, places) {
  el.style.height = `${model.get("height")}px`;
  places.shown += 1;
  const viewer = mount(el, { scale: model.get("scale") || 4, state: model.get("state") });
  const transport = messageTransport(model, {
    silent: () => viewer.say(SILENT), heard: () => viewer.said === SILENT && viewer.say(""),
  });
  let drawn = null;
  const refresh = async (edited) => {
    const about = await transport.about();
    viewer.offer(about.methods);
    drawn?.stop(); // of the field before
    drawn = drawnHere(transport, about.found, { renderer: model.get("renderer"), changed: () => viewer.reload() });
    await viewer.open(about.found, drawn, { edited });
  };
  const failed = (error) => viewer.say(error.message);
  refresh(false).then(() => {
    const { start, ...tied } = tie(model, viewer, places);
    for (const [event, run] of Object.entries(tied)) viewer.on(event, run);
    start();
  }).catch(failed);
  const changed = () => refresh(true).catch(failed);
  model.on("change:version", changed);
  return () => {
    model.off("change:version", changed);
    places.shown -= 1;
    viewer.destroy();
  };
}

// Called once for each widget; `render` for each place that shows it.
function widget() {
  const places = { shown: 0 };
  return { render: (context) => render(context, places) };
}

export default widget;
