import assert from "node:assert/strict";
import { test } from "node:test";

import { fits, readLink, writeLink } from "../../../apps/gsr_apps/studio/page/link.js";
import { INITIAL } from "../../../apps/gsr_apps/viewer/state.js";

const viewer = (part = {}) => ({
  state: { ...INITIAL, ...part.state }, place: { x: 12.3456, y: 7, zoom: 3.5 },
  selected: part.selected ?? null, highlighted: { kernels: part.kernels ?? [], region: null },
});

test("an address brings back picture, place, state, point, kernels and edits", () => {
  const state = { mode: "wipe", wipe: 0.25, ellipses: true, offsets: true, sources: ["gsr:lr", "truth"], sigma: 1.5 };
  const edits = [{ kind: "force", kernel: 3 }];
  const source = { demo: "cat, large", shrink: 4, weights: { name: "photo", strength: 0.5 } };
  const found = readLink(writeLink(source, viewer({ state, selected: [1.5, 2], kernels: [7, 9] }), edits));
  assert.deepEqual(found.source, source);
  assert.deepEqual(found.view, { x: 12.346, y: 7, zoom: 3.5 });
  assert.deepEqual(found.state, { ...INITIAL, ...state });
  assert.deepEqual([found.point, found.lit, found.edits], [[1.5, 2], [7, 9], edits]);
  assert.match(found.said, /^This address holds an edit/);
});

test("only what differs from the start is written", () => {
  assert.equal(writeLink({ id: "abc" }, viewer()), "#id=abc&at=12.346,7&zoom=3.5");
});

test("edits that are too long are counted, and their loss is said", () => {
  const edits = Array.from({ length: 300 }, (_, kernel) => ({ kind: "force", kernel }));
  assert.equal(fits(edits), false);
  const found = readLink(writeLink({ id: "abc" }, viewer(), edits));
  assert.deepEqual(found.edits, []);
  assert.match(found.said, /300 edits of this view were too long/);
});

test("nonsense in an address is left out", () => {
  assert.equal(readLink("#at=1,2"), null);
  const found = readLink("#id=a&at=1,x&zoom=-3&wipe=NaN&lit=3.x.99999.4&edits=%5B&point=1&shrink=0.5&weights=a,7");
  assert.deepEqual(found.source, { id: "a" });
  assert.deepEqual([found.view, found.point, found.lit, found.edits], [null, null, [3, 4], []]);
  assert.match(found.said, /cannot be read/);
  assert.deepEqual(found.state, INITIAL);
});
