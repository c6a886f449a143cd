import assert from "node:assert/strict";
import { test } from "node:test";

import { listen, wheelFactor } from "../../../apps/gsr_apps/viewer/pointer.js";

/** A stage that listens, what was done with it, and how to send it an event. */
function staged({ transform = 1, zooms = () => true, wheel = () => true, tool = () => null } = {}) {
  const handlers = {};
  const done = [];
  const box = { left: 30, top: 10, width: 400 * transform, height: 300 * transform };
  const stage = {
    offsetWidth: 400, offsetHeight: 300, clientHeight: 300,
    getBoundingClientRect: () => box, setPointerCapture() {}, focus() {},
    addEventListener: (type, handler) => { handlers[type] = handler; },
  };
  const note = (name) => (...values) => { done.push([name, ...values]); };
  const verbs = Object.fromEntries(["hold", "pan", "zoom", "glide", "closer", "click", "hover", "leave"].map((name) => [name, note(name)]));
  listen(stage, { ...verbs, tool, zooms, wheel });
  const send = (type, event = {}) => {
    let prevented = false;
    handlers[type]({
      type, button: 0, buttons: 1, pointerId: 1, isPrimary: true, clientX: 30, clientY: 10,
      deltaMode: 0, ctrlKey: false,
      preventDefault: () => { prevented = true; }, ...event,
    });
    return prevented;
  };
  return { done, send };
}

for (const transform of [0.5, 1, 1.75]) {
  test(`a place is one of the stage inside what CSS scales by ${transform}`, () => {
    const { done, send } = staged({ transform });
    send("pointermove", { buttons: 0, clientX: 30 + 100 * transform, clientY: 10 + 50 * transform });
    send("wheel", { deltaY: -100, clientX: 30 + 400 * transform, clientY: 10 + 300 * transform });
    assert.deepEqual(done[0], ["hover", 100, 50]);
    assert.deepEqual(done[1].slice(0, 3), ["zoom", 400, 300]);
  });
}

test("one notch is one step, with the control key or without; a pinch is smooth", () => {
  for (const ctrlKey of [false, true]) {
    for (const [deltaY, deltaMode] of [[100, 0], [120, 0], [-120, 0], [3, 1], [-6, 1]]) {
      const factor = wheelFactor({ deltaY, deltaMode, ctrlKey }, 600);
      const step = Math.max(factor, 1 / factor);
      assert.ok(step > 1.09 && step < 1.25, `${deltaY} ${deltaMode} ${ctrlKey}: ${step}`);
      assert.equal(factor < 1, deltaY > 0);
    }
  }
  assert.ok(wheelFactor({ deltaY: 1, deltaMode: 2, ctrlKey: false }, 600) < 0.75); // a page is more
  const pinch = (deltaY) => wheelFactor({ deltaY, deltaMode: 0, ctrlKey: true }, 600);
  assert.ok(Math.abs(pinch(-2) - Math.exp(0.02)) < 1e-12);
  for (let d = 1; d < 240; d++) assert.ok(pinch(d) <= pinch(d - 1) && pinch(d) > pinch(d - 1) * 0.98);
});

test("where nothing more can be zoomed the page scrolls on", () => {
  const { done, send } = staged({ zooms: (factor) => factor > 1 });
  assert.equal(send("wheel", { deltaY: 100 }), false);
  assert.equal(done.length, 0);
  assert.equal(send("wheel", { deltaY: -100 }), true);
});

test("a wheel that is the page's zooms with the control key only", () => {
  const { done, send } = staged({ wheel: () => false });
  assert.equal(send("wheel", { deltaY: -100 }), false);
  assert.equal(done.length, 0);
  assert.equal(send("wheel", { deltaY: -100, ctrlKey: true }), true);
  assert.equal(done.length, 1);
});

for (const [how, end] of [
  ["moves on without a button", (send) => send("pointermove", { buttons: 0, clientX: 200 })],
  ["loses its capture", (send) => send("lostpointercapture")],
  ["is cancelled", (send) => send("pointercancel")],
  ["begins again", (send) => { send("pointerdown"); send("pointerup"); }],
]) {
  test(`a pointer that ${how} drags nothing any more`, () => {
    const { done, send } = staged();
    send("pointerdown");
    send("pointermove", { clientX: 90 });
    end(send);
    const before = done.filter(([name]) => name === "pan").length;
    send("pointermove", { buttons: 0, clientX: 300 });
    assert.equal(done.filter(([name]) => name === "pan").length, before);
    assert.equal(done.at(-1)[0], "hover");
  });
}

test("a tool whose pointer is lost is not meant", () => {
  const used = [];
  const note = (name) => () => used.push(name);
  const { send } = staged({ tool: () => ({ down: note("down"), move: note("move"), up: note("up"), cancel: note("cancel") }) });
  send("pointerdown");
  send("pointermove", { buttons: 0 });
  assert.deepEqual(used, ["down", "cancel"]);
});

test("a click is one, whatever follows it", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { done, send } = staged();
  send("pointerdown");
  send("pointerup", { buttons: 0 });
  send("lostpointercapture", { buttons: 0 });
  context.mock.timers.tick(1000);
  assert.deepEqual(done.filter(([name]) => name === "click"), [["click", 0, 0]]);
});
