import assert from "node:assert/strict";
import { test } from "node:test";

import { layout, paneAt } from "../../../apps/gsr_apps/viewer/panes.js";

test("two panes of one size stand side by side, or one above the other on a high stage", () => {
  for (const [width, height] of [[801, 300], [300, 801]]) {
    const [first, second] = layout("side", width, height, 2, 0.5);
    assert.deepEqual([first.width, first.height], [second.width, second.height]);
    assert.equal(second.x + second.width, width);
    assert.equal(second.y + second.height, height);
    const gap = width > height ? second.x - first.width : second.y - first.height;
    assert.ok(gap >= 4);
  }
});

test("a wipe cuts one pane in two, without a gap", () => {
  const [first, second] = layout("wipe", 1000, 500, 1, 0.3);
  assert.equal(first.clipWidth, 300);
  assert.equal(second.clipX, 300);
  assert.equal(second.clipWidth, 700);
  assert.deepEqual([first.x, first.width], [second.x, second.width]);
});

for (const mode of ["one", "difference"]) {
  test(`${mode} fills the stage with the second pane`, () => {
    const [first, second] = layout(mode, 640, 480, 1, 0.5);
    assert.equal(first.clipWidth, 0);
    assert.deepEqual([second.clipX, second.clipWidth], [0, 640]);
  });
}

test("the pane under a point, and the second one in the gap", () => {
  const panes = layout("side", 802, 300, 1, 0.5);
  assert.equal(paneAt(panes, 10, 10), 0);
  assert.equal(paneAt(panes, 700, 10), 1);
  assert.equal(paneAt(panes, 400.5, 10), 1);
});
