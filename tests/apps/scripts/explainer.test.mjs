import assert from "node:assert/strict";
import { test } from "node:test";

import { roundedTo100 } from "../../../apps/gsr_apps/viewer/explainer.js";
import { generator } from "./helpers.mjs";

test("shares in tenths of a percent add up to exactly 100, each within a tenth", () => {
  const random = generator(4);
  for (let n = 0; n < 300; n++) {
    const parts = Array.from({ length: 1 + Math.floor(12 * random()) }, () => random() ** 3);
    const total = parts.reduce((sum, part) => sum + part, 0);
    const rounded = roundedTo100(parts);
    assert.equal(Math.round(10 * rounded.reduce((sum, part) => sum + part, 0)), 1000);
    rounded.forEach((part, i) => assert.ok(Math.abs(part - (100 * parts[i]) / total) <= 0.1 + 1e-9));
  }
});
