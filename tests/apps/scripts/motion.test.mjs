import assert from "node:assert/strict";
import { test } from "node:test";

import { eased, glided } from "../../../apps/gsr_apps/viewer/motion.js";
import { Throw } from "../../../apps/gsr_apps/viewer/pointer.js";

const event = (timeStamp, clientX, clientY = 0, pointerType = "touch") => ({ timeStamp, clientX, clientY, pointerType });

function thrown(moves, pointerType) {
  const flight = new Throw();
  flight.begin(event(0, 0, 0, pointerType));
  for (const [time, x] of moves) flight.add(event(time, x));
  return flight.end(event(moves.at(-1)[0], moves.at(-1)[1]));
}

test("an eased move begins and ends where it should, and never turns back", () => {
  assert.deepEqual([eased(0), eased(1)], [0, 1]);
  for (let n = 0; n < 100; n++) assert.ok(eased((n + 1) / 100) > eased(n / 100));
});

test("what glides slows down and stays", () => {
  const at = [0, 100, 200, 300, 5000, 6000].map((ms) => glided(2, ms));
  for (let n = 1; n < at.length; n++) assert.ok(at[n] >= at[n - 1]);
  assert.ok(at[1] - at[0] > at[2] - at[1]);
  assert.ok(at[5] - at[4] < 1e-3);
});

test("a finger that is lifted while moving throws the picture; one that rests puts it down", () => {
  const [speed] = thrown([[16, 20], [32, 40], [48, 60], [64, 80]]);
  assert.ok(Math.abs(speed - 1.25) < 1e-9);
  assert.equal(thrown([[16, 20], [32, 40], [400, 41], [420, 41]]), null);
});

test("a mouse puts things down where they are", () => {
  assert.equal(thrown([[4, 10], [8, 20], [12, 30], [16, 40]], "mouse"), null);
  assert.ok(thrown([[16, 80], [32, 160], [48, 240]], "mouse"));
});
