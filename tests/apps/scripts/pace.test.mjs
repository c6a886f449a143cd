import assert from "node:assert/strict";
import { test } from "node:test";

import { leftOut, Pace } from "../../../apps/gsr_apps/viewer/pace.js";
import { median } from "../../../apps/gsr_apps/viewer/timing.js";

const PIXELS = 1280 * 720;

test("nothing is left out until a frame was measured, nor where frames are quick", () => {
  const pace = new Pace();
  assert.deepEqual(pace.effort("result", PIXELS), { layer: "result", part: 1 });
  pace.learn("result", PIXELS, 5);
  assert.deepEqual(pace.effort("result", PIXELS), { layer: "result", part: 1 });
});

test("the decoder goes first, then pixels, and never too many of them", () => {
  const pace = new Pace();
  pace.learn("result", PIXELS, 40);
  assert.deepEqual(pace.effort("result", PIXELS), { layer: "gaussians", part: 1 });
  pace.learn("gaussians", PIXELS, 28);
  const effort = pace.effort("result", PIXELS);
  assert.equal(effort.layer, "gaussians");
  assert.ok(Math.abs(effort.part - Math.sqrt(0.5)) < 1e-9);
  for (let n = 0; n < 20; n++) pace.learn("gaussians", PIXELS, 1e6);
  assert.equal(pace.effort("result", PIXELS).part, 0.35);
});

test("another layer keeps its own meaning", () => {
  const pace = new Pace();
  pace.learn("residual", PIXELS, 100);
  const { layer, part } = pace.effort("residual", PIXELS);
  assert.equal(layer, "residual");
  assert.ok(part < 1);
});

test("a machine that grows quick is believed", () => {
  const pace = new Pace();
  pace.learn("result", PIXELS, 100);
  for (let n = 0; n < 20; n++) pace.learn("result", PIXELS, 2);
  assert.deepEqual(pace.effort("result", PIXELS), { layer: "result", part: 1 });
});

test("what was left out is said", () => {
  assert.equal(leftOut("result", { layer: "result", part: 1 }), "");
  assert.equal(leftOut("result", { layer: "gaussians", part: 0.5 }), "Gaussians only, 50 % of the pixels a side");
});

test("the middle of some times", () => {
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([4, 1]), 2.5);
});
