import assert from "node:assert/strict";
import { test } from "node:test";

import { brushTool } from "../../../apps/gsr_apps/studio/page/brush.js";

function painted(...places) {
  const runs = [];
  const viewer = { picture: { width: 20, height: 10 }, highlight() {} };
  const tool = brushTool(viewer, (found) => runs.push(...found));
  tool.radius = 1.2;
  const [[x, y], ...rest] = places;
  tool.down(x, y);
  for (const place of rest) tool.move(...place);
  tool.up();
  return runs;
}

test("a click marks the pixels under the brush, and the one below its middle always", () => {
  assert.deepEqual(painted([5.5, 5.5]), [[4, 5, 1], [5, 4, 3], [6, 5, 1]]);
  assert.deepEqual(painted([19.99, 9.99]), [[9, 19, 1]]);
});

test("a quick stroke has no holes", () => {
  const middle = painted([2, 5.5], [18, 5.5]).filter(([row]) => row === 5);
  assert.equal(middle.length, 1);
  assert.ok(middle[0][2] >= 16);
});

test("outside of the picture nothing is marked", () => {
  assert.deepEqual(painted([-50, -50]), []);
});

test("a stroke that was not meant is forgotten", () => {
  const runs = [];
  const tool = brushTool({ picture: { width: 20, height: 10 }, highlight() {} }, (found) => runs.push(...found));
  tool.down(5, 5);
  tool.cancel();
  assert.deepEqual(runs, []);
});
