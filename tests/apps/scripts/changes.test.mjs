import assert from "node:assert/strict";
import { test } from "node:test";

import { changed, known } from "../../../apps/gsr_apps/viewer/changes.js";
import { physical } from "../../../apps/gsr_apps/viewer/formula.js";

// Two by three pixels and three kernels; what each pixel would like lies at one of them.
const bank = Float32Array.from([0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 2]);
const likes = [0, 1, 2, 0, 1, 1];
const field = {
  width: 3, bank, index: Float32Array.from(likes),
  evidence: Float32Array.from([0, 1, 2].flatMap((c) => likes.map((k) => bank[4 * k + c] + (c === 1 ? 0.02 : 0)))),
};

test("without edits all is as it was", () => {
  assert.deepEqual([...changed(field, []).index], likes);
});

test("a kernel that is off goes to the next likeliest, and stays off", () => {
  const { index, off } = changed(field, [{ kind: "without", kernels: [1] }]);
  assert.deepEqual([...index], [0, 0, 2, 0, 0, 0]);
  assert.deepEqual([...off], [1]);
  const later = changed(field, [{ kind: "without", kernels: [1] }, { kind: "without", kernels: [0] }]);
  assert.deepEqual([...later.index], [2, 2, 2, 2, 2, 2]);
});

test("painting after a mixture gives the painted pixels the kernel alone", () => {
  const { index, mixed } = changed(field, [{ kind: "mean" }, { kind: "paint", kernel: 2, runs: [[1, 0, 2]] }]);
  assert.deepEqual([...index], [0, 1, 2, 2, 2, 1]);
  assert.deepEqual([0, 1, 2, 3].map((c) => mixed[6 * c + 3]), [0, 1, 0, 2]);
  assert.notEqual(mixed[6], mixed[6 + 3]);
});

test("a choice ends a mixture", () => {
  const edits = [{ kind: "soft" }, { kind: "force", kernel: 1 }];
  assert.equal(changed(field, edits).mixed, null);
  assert.deepEqual([...changed(field, edits).index], [1, 1, 1, 1, 1, 1]);
});

test("the best one alone is the choice, and all of them are the soft mixture", () => {
  const best = changed(field, [{ kind: "top", k: 1 }]).mixed;
  const raw = (k) => [...bank.slice(4 * k, 4 * k + 4)];
  likes.forEach((k, i) => assert.deepEqual([0, 1, 2, 3].map((c) => best[6 * c + i]), raw(k)));
  assert.deepEqual(changed(field, [{ kind: "top", k: 3 }]).mixed, changed(field, [{ kind: "soft" }]).mixed);
});

test("a mixture does without what is off", () => {
  const { mixed } = changed(field, [{ kind: "without", kernels: [1, 2] }, { kind: "soft" }]);
  assert.deepEqual([...mixed], [...Array(18).fill(0), ...Array(6).fill(0)]);
});

test("a reshaped kernel has the shape that was asked for", () => {
  const shape = { sigma_x: 0.8, sigma_y: 1.5, rho: -0.3, opacity: 0.7 };
  const found = physical(changed(field, [{ kind: "kernel", kernel: 1, ...shape }]).bank, 4);
  for (const name of Object.keys(shape)) assert.ok(Math.abs(found[name] - shape[name]) < 1e-6);
  assert.equal(bank[4], 1);
});

test("a shuffle and what nobody knows is left to the library", () => {
  assert.ok(known([{ kind: "paint" }, { kind: "soft" }]));
  for (const kind of ["shuffle", "other", "toString", undefined]) assert.equal(known([{ kind }]), false);
  assert.equal(known([null]), false);
});
