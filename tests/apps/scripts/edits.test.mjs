import assert from "node:assert/strict";
import { test } from "node:test";

import { Edits, editsOf } from "../../../apps/gsr_apps/studio/page/edits.js";

const kinds = (edits) => edits.done.map(({ kind }) => kind);

test("a handle that is dragged is one edit until it is let go", () => {
  const edits = new Edits();
  for (const n of [1, 2, 3]) edits.add({ kind: "kernel", n }, "kernel 5");
  edits.finish();
  edits.add({ kind: "kernel", n: 4 }, "kernel 5");
  assert.deepEqual(edits.done.map(({ n }) => n), [3, 4]);
});

test("undo and redo walk the list, and a new edit forgets what was undone", () => {
  const edits = new Edits();
  for (const kind of ["force", "shuffle", "soft"]) edits.add({ kind });
  edits.undo();
  edits.undo();
  edits.redo();
  assert.deepEqual(kinds(edits), ["force", "shuffle"]);
  edits.add({ kind: "mean" });
  edits.redo();
  assert.deepEqual(kinds(edits), ["force", "shuffle", "mean"]);
});

test("reset can be taken back, edit by edit", () => {
  const edits = new Edits();
  for (const kind of ["force", "shuffle"]) edits.add({ kind });
  edits.reset();
  assert.deepEqual(kinds(edits), []);
  edits.redo();
  edits.redo();
  assert.deepEqual(kinds(edits), ["force", "shuffle"]);
});

test("what was kept comes back as it was", () => {
  const edits = new Edits();
  edits.add({ kind: "force" });
  const kept = edits.kept();
  edits.add({ kind: "soft" });
  edits.restore(kept);
  assert.deepEqual(kinds(edits), ["force"]);
});

test("a file brings back the list, and any other file is refused in a sentence", () => {
  const edits = new Edits();
  edits.add({ kind: "force", kernel: 3 });
  assert.deepEqual(editsOf(edits.toJson()), edits.done);
  for (const text of ["", "{", "null", "[]", '{"format": "gsr-edits", "edits": 3}', '{"edits": []}']) {
    assert.throws(() => editsOf(text), /saved here as a JSON file\.$/);
  }
});

test("an edit is called what the app calls it, once that is known", () => {
  const edits = new Edits();
  edits.add({ kind: "mean" });
  assert.equal(edits.label(edits.done[0]), "…");
  edits.named(edits.done, ["One mean kernel for all"]);
  assert.equal(edits.label(edits.done[0]), "One mean kernel for all");
  for (const odd of [null, 3, {}]) assert.equal(edits.label(odd), "…");
});
