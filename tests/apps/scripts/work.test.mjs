import assert from "node:assert/strict";
import { test } from "node:test";

import { fieldShader, FIRST_FEATURE } from "../../../apps/gsr_apps/viewer/shaders.js";
import { frameTime, workOf } from "../../../apps/gsr_apps/viewer/work.js";

// The model `lite`, and the taps that matter of its fields, see docs/renderer.md.
const LITE = { radius: 2, channels: 29, widths: [31, 48, 48, 3], kept: 11 };
const PIXELS = 1280 * 720;
const INTEGRATED = { flops: 1e12, texels: 2e10 };

test("a field of lite is drawn within a sixtieth of a second, the Gaussians alone in a half of that", () => {
  assert.ok(frameTime(workOf(LITE, "result"), PIXELS, INTEGRATED) < 16);
  assert.ok(frameTime(workOf(LITE, "gaussians"), PIXELS, INTEGRATED) < 8);
});

test("what is counted is what the shader reads", () => {
  const features = Math.ceil(LITE.channels / 4);
  const shader = fieldShader({ radius: 2, features, mixed: false, widths: LITE.widths });
  const [before, after] = shader.split("if (w <= cut * total) continue;");
  const reads = (text) => text.split("texelFetch(").length - 1;
  assert.equal(reads(before), 3);
  const summed = reads(after) - 1 + features; // one of them stands in the loop over features
  const taps = 25;
  assert.equal(workOf({ ...LITE, kept: 4 }, "result").reads, 3 * taps + 4 * summed);
  assert.equal(FIRST_FEATURE, 3);
});

test("the slower of arithmetic and reads decides", () => {
  assert.equal(frameTime({ reads: 10, multiplyAdds: 0 }, 1e6, { flops: 1, texels: 1e9 }), 10);
  assert.equal(frameTime({ reads: 0, multiplyAdds: 10 }, 1e6, { flops: 1e9, texels: 1 }), 20);
});
