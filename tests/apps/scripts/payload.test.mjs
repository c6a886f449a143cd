import assert from "node:assert/strict";
import { test } from "node:test";

import { emptyField, putPart, readPayload, writePayload } from "../../../apps/gsr_apps/viewer/payload.js";

const CHANNELS = { lr: 3, index: 1, evidence: 3, offsets: 2, colors: 3, slopes: 6, feat: 2, mixed: 0 };

function someField(width, height) {
  const maps = {};
  for (const [name, channels] of Object.entries(CHANNELS)) {
    const values = Float32Array.from({ length: channels * width * height }, (_, i) => {
      if (name === "lr") return ((i * 37) % 256) / 255;
      return name === "index" ? i % 5 : Math.sin(i);
    });
    maps[name] = { channels, values };
  }
  const decoder = [
    { rows: 4, columns: 6, weight: Float32Array.from({ length: 24 }, Math.cos), bias: new Float32Array(4) },
    { rows: 3, columns: 4, weight: new Float32Array(12), bias: Float32Array.of(1, 2, 3) },
  ];
  return {
    width, height, model: "some", kernels: 5, radius: 2, finest: 12, footprint: 0.4,
    bank: Float32Array.from({ length: 20 }, Math.sin), decoder, maps,
  };
}

const bufferOf = (bytes) => bytes.slice().buffer;

test("what is written is read, within half a step", async () => {
  const field = someField(7, 5);
  const found = await readPayload(bufferOf(await writePayload(field)));
  for (const [name, { values }] of Object.entries(field.maps)) {
    const near = name === "lr" || name === "index" ? 1e-6 : 0.005;
    values.forEach((value, i) => assert.ok(Math.abs(value - found.maps[name].values[i]) <= near, name));
  }
  assert.deepEqual(found.bank, field.bank);
  assert.deepEqual(found.decoder, field.decoder);
  assert.deepEqual([found.whole, found.place], [[5, 7], [0, 0]]);
});

test("parts fill a field", () => {
  const whole = someField(7, 5);
  const cut = (left, top, width, height) => {
    const maps = {};
    for (const [name, { channels, values }] of Object.entries(whole.maps)) {
      const into = new Float32Array(channels * width * height);
      for (let i = 0; i < into.length; i++) {
        const [c, y, x] = [Math.floor(i / (width * height)), Math.floor(i / width) % height, i % width];
        into[i] = values[(c * 5 + top + y) * 7 + left + x];
      }
      maps[name] = { channels, values: into };
    }
    return { ...whole, width, height, place: [top, left], whole: [5, 7], maps };
  };
  const parts = [cut(4, 0, 3, 5), cut(0, 2, 4, 3), cut(0, 0, 4, 2)];
  const field = emptyField(parts[0]);
  parts.forEach((part) => putPart(field, part));
  for (const name of Object.keys(CHANNELS)) assert.deepEqual(field.maps[name], whole.maps[name], name);
});

test("any damage is refused in a sentence", async () => {
  const bytes = await writePayload(someField(3, 2));
  for (let at = 0; at < bytes.length; at += at < 24 ? 1 : 29) {
    const flipped = bytes.slice();
    flipped[at] ^= 1 << at % 8;
    await assert.rejects(readPayload(bufferOf(flipped)), /damaged or cut short|is not known|does not begin/);
    await assert.rejects(readPayload(bufferOf(bytes.slice(0, at))), /damaged or cut short|does not begin/);
  }
  await assert.rejects(readPayload(bufferOf(Uint8Array.of(...bytes, 0))), /damaged or cut short/);
});

test("another version is named", async () => {
  const bytes = await writePayload(someField(3, 2));
  for (const version of [1, 3, 65535]) {
    new DataView(bytes.buffer).setUint16(4, version, true);
    await assert.rejects(readPayload(bufferOf(bytes)), new RegExp(`Version ${version} of a field for a page`));
  }
});
