import assert from "node:assert/strict";
import { test } from "node:test";

import {
  directionCss, kernelCss, numberCss, packedCss, parseHex, ramp, rampCss, rgbCss, sizeCss,
} from "../../../apps/gsr_apps/viewer/colors.js";

const brightness = (color) => color.reduce((sum, value, i) => sum + value * [0.299, 0.587, 0.114][i], 0);

test("the ramp grows lighter all the way and stays within its ends", () => {
  let last = -1;
  for (let i = 0; i <= 100; i++) {
    const now = brightness(ramp(i / 100));
    assert.ok(now >= last);
    last = now;
  }
  assert.deepEqual(ramp(-5), ramp(0));
  assert.deepEqual(ramp(5), ramp(1));
});

test("every colour is a hex colour, for any shape", () => {
  for (const angle of [-9, -Math.PI / 2, 0, 1, Math.PI, 100]) {
    for (const [major, minor] of [[0, 0], [0.1, 0.1], [1, 0.2], [40, 1e-9]]) {
      const found = [kernelCss, directionCss, sizeCss].map((css) => css({ major, minor, angle }));
      for (const color of found) assert.match(color, /^#[0-9a-f]{6}$/);
    }
  }
  assert.match(numberCss(99), /^#[0-9a-f]{6}$/);
  assert.match(rampCss(0.5), /^#[0-9a-f]{6}$/);
});

test("a direction and the opposite one have one colour", () => {
  for (let angle = 0; angle < 3; angle += 0.3) {
    const shape = { major: 2, minor: 1 };
    assert.equal(directionCss({ ...shape, angle }), directionCss({ ...shape, angle: angle + Math.PI }));
  }
});

test("packed, parsed and written colours agree", () => {
  assert.equal(packedCss(0x00ff07), "#00ff07");
  assert.deepEqual(parseHex("#00ff07"), [0, 255, 7]);
  assert.equal(rgbCss([-1, 0.5, 2]), "rgb(0 128 255)");
});
