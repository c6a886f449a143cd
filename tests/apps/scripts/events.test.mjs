import assert from "node:assert/strict";
import { test } from "node:test";

import { Events } from "../../../apps/gsr_apps/viewer/events.js";

test("whoever asked hears of it until that is stopped", () => {
  const events = new Events(["moved"]);
  const heard = [];
  const stop = events.on("moved", (value) => heard.push(value));
  events.emit("moved", 1);
  stop();
  events.emit("moved", 2);
  assert.deepEqual(heard, [1]);
});

test("one may stop hearing while being called", () => {
  const events = new Events(["moved"]);
  const heard = [];
  const stop = events.on("moved", () => { heard.push("first"); stop(); });
  events.on("moved", () => heard.push("second"));
  events.emit("moved");
  events.emit("moved");
  assert.deepEqual(heard, ["first", "second", "second"]);
});

test("a name that does not exist is refused", () => {
  assert.throws(() => new Events(["moved"]).on("move", () => {}), /no event move; there are moved/);
});
