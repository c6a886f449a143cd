import assert from "node:assert/strict";
import { test } from "node:test";

import { parsed, partOf, RANGE, scaleAt, snapped, TICKS } from "../../../apps/gsr_apps/viewer/dial.js";
import { generator } from "./helpers.mjs";

test("a place on the ruler and its scale are each other's inverse, over any range", () => {
  const random = generator(5);
  for (let n = 0; n < 200; n++) {
    const range = [0.25 * random() + 0.01, 64];
    const part = random();
    assert.ok(Math.abs(partOf(scaleAt(part, range), range) - part) < 1e-9);
  }
});

test("ticks lie evenly: each step of the ruler is as many times as large", () => {
  const places = TICKS.map((tick) => partOf(tick));
  const steps = places.slice(1).map((place, i) => place - places[i]);
  assert.ok(Math.max(...steps) - Math.min(...steps) < 1e-9);
});

test("near a tick the tick is meant, elsewhere what was pointed at", () => {
  assert.equal(snapped(7.9, TICKS), 8);
  assert.equal(snapped(8.2, TICKS), 8);
  assert.equal(snapped(6, TICKS), 6);
  assert.equal(snapped(1.3, [...TICKS, 1.31]), 1.31);
});

test("a scale may be typed as people write it, and nothing outside of the range is taken", () => {
  const written = { 3.7: 3.7, "3,7": 3.7, "x 3.7": 3.7, "×8": 8, "8x": 8, " 0.25": RANGE[0], 64: 64 };
  for (const [text, value] of Object.entries(written)) assert.equal(parsed(text), value);
  for (const text of ["", "many", "0", "-1", "0.2", "65", "1000", "NaN", "Infinity", "x"]) assert.equal(parsed(text), null);
});
