import assert from "node:assert/strict";
import { test } from "node:test";

import { isGrey, tiles } from "../../../apps/gsr_apps/encoder/encoder.js";
import { greyDecoder } from "../../../apps/gsr_apps/encoder/gaussians.js";
import { interleaved, makeMachine, padded } from "../../../apps/gsr_apps/encoder/machine.js";
import { moduleBytes } from "../../../apps/gsr_apps/encoder/wasm.js";

const noise = (length, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 12.9898 * i) % 1);

test("the module of WebAssembly is valid", () => {
  assert.ok(WebAssembly.validate(moduleBytes()));
});

test("both machines compute a convolution with bias, floor and what is added", () => {
  const [inputs, outputs, rows, blocks] = [3, 6, 4, 2];
  const length = 8 * blocks + 4;
  const results = ["wasm", "plain"].map((way) => {
    const machine = makeMachine(way);
    const call = {
      source: machine.put(noise((rows + 2) * inputs * length)), sourcePlane: 4 * length, sourceRow: 4 * inputs * length,
      target: machine.reserve(rows * 8 * length), targetPlane: 4 * length, targetRow: 32 * length,
      added: machine.put(noise(rows * 8 * length, 5)),
      weights: machine.put(interleaved(noise(outputs * inputs * 9, 3), outputs, inputs, 9)),
      bias: machine.put(padded(noise(outputs, 7))), floor: machine.put([0]),
      inputs, groups: 2, rows, blocks,
    };
    machine.convolve(call);
    return { name: machine.name, values: machine.floats.slice(call.target / 4, call.target / 4 + rows * 8 * length) };
  });
  assert.deepEqual(results.map(({ name }) => name), ["WebAssembly", "plain JavaScript"]);
  const [ours, theirs] = results.map(({ values }) => values);
  assert.ok(ours.some((value) => value > 0.1));
  ours.forEach((value, i) => assert.ok(Math.abs(value - theirs[i]) < 1e-5));
});

test("a machine grows and keeps what it holds", () => {
  for (const way of ["wasm", "plain"]) {
    const machine = makeMachine(way);
    const first = machine.put([1, 2, 3]);
    const place = machine.reserve(1_000_000);
    machine.release(place);
    assert.equal(machine.reserve(4), place);
    assert.deepEqual([...machine.floats.subarray(first / 4, first / 4 + 3)], [1, 2, 3]);
  }
});

test("tiles cover a picture once, and what surrounds them lies in it", () => {
  const size = { width: 70, height: 33 };
  const seen = new Uint8Array(70 * 33);
  for (const { left, top, width, height, outer } of tiles(size, 32, 5)) {
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) seen[y * 70 + x] += 1;
    assert.equal(outer.left, Math.max(0, left - 5));
    assert.equal(outer.left + outer.width, Math.min(70, left + width + 5));
    assert.equal(outer.top + outer.height, Math.min(33, top + height + 5));
  }
  assert.ok(seen.every((times) => times === 1));
});

test("a picture is grey where its colours are alike, and then its decoder adds grey", () => {
  const planes = Float32Array.of(0.1, 0.2, 0.1, 0.2, 0.1, 0.2);
  assert.ok(isGrey({ width: 2, height: 1, planes }));
  planes[5] = 0.3;
  assert.ok(!isGrey({ width: 2, height: 1, planes }));
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6);
  const [{ bias, weight: alike }] = greyDecoder([{ rows: 3, columns: 2, weight, bias: Float32Array.of(0, 3, 6) }]);
  assert.deepEqual([...bias], [3, 3, 3]);
  assert.deepEqual([...alike], [3, 4, 3, 4, 3, 4]);
});
