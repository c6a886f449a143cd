import assert from "node:assert/strict";
import { test } from "node:test";

import { spread, sumOf } from "../../../apps/gsr_apps/viewer/sums.js";
import { gaussianAt, strengthOf } from "../../../apps/gsr_apps/viewer/xray.js";
import { INITIAL } from "../../../apps/gsr_apps/viewer/state.js";
import { generator } from "./helpers.mjs";

test("labels never share a place and keep their order around the point", () => {
  const random = generator(11);
  for (let n = 0; n < 300; n++) {
    const some = () => (random() < 0.4 ? 1 : 2 * Math.PI * random() - Math.PI);
    const angles = Array.from({ length: 1 + Math.floor(6 * random()) }, some);
    const gap = Math.min(0.8, (2 * Math.PI) / angles.length);
    const turned = (angle) => ((angle % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
    const turns = spread(angles).map(turned).sort((a, b) => a - b);
    turns.forEach((turn, i) => {
      const next = i + 1 < turns.length ? turns[i + 1] : turns[0] + 2 * Math.PI;
      assert.ok(next - turn >= gap - 1e-9);
    });
  }
  assert.deepEqual(spread([]), []);
  assert.deepEqual(spread([2]), [2]);
});

test("the sum builds up from black to the colour", () => {
  const contributions = [{ share: 0.75, color: [1, 0.5, 0] }, { share: 0.25, color: [0, 0.5, 1] }];
  assert.deepEqual(sumOf(contributions, 0), [0, 0, 0]);
  assert.deepEqual(sumOf(contributions, 1), [0.75, 0.375, 0]);
  assert.deepEqual(sumOf(contributions, 2), [0.75, 0.5, 0.25]);
});

test("the Gaussian under the pointer is the one it lies deepest in", () => {
  const list = { x: [10, 12], y: [10, 10] };
  const shapes = [{ major: 2, minor: 0.5, angle: 0 }, { major: 1, minor: 1, angle: 0 }];
  const shape = (i) => shapes[i];
  assert.equal(gaussianAt([10.2, 10], list, shape, 1), 0);
  assert.equal(gaussianAt([12.4, 10.4], list, shape, 1), 1);
  assert.equal(gaussianAt([10, 11], list, shape, 1), -1); // across the long one
});

test("outlines come by themselves from close up, on any screen, and as much as is wanted", () => {
  const at = (zoom, dpr, part = {}) =>
    strengthOf({ state: { ...INITIAL, ...part }, viewport: { scale: zoom * dpr }, dpr });
  for (const dpr of [1, 1.5, 3]) {
    assert.equal(at(12, dpr), 0);
    assert.ok(at(16, dpr) > 0 && at(16, dpr) < at(20, dpr) && at(20, dpr) < 0.5);
    assert.equal(at(64, dpr, { near: false }), 0);
    assert.equal(at(2, dpr, { xray: 1 }), 1);
  }
});
