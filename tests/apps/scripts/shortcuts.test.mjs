import assert from "node:assert/strict";
import { test } from "node:test";

import { Kept } from "../../../apps/gsr_apps/studio/page/kept.js";
import { verbOf } from "../../../apps/gsr_apps/studio/page/shortcuts.js";

test("undo and redo have the keys they have everywhere", () => {
  for (const held of [{ ctrlKey: true }, { metaKey: true }]) {
    assert.equal(verbOf({ key: "z", ...held }), "undo");
    assert.equal(verbOf({ key: "Z", shiftKey: true, ...held }), "redo");
    assert.equal(verbOf({ key: "y", ...held }), "redo");
    assert.equal(verbOf({ key: "z", altKey: true, ...held }), null);
    assert.equal(verbOf({ key: "a", ...held }), null);
  }
  assert.equal(verbOf({ key: "z" }), null);
});

test("edits wait for their own picture, size and weights", () => {
  const kept = new Kept();
  const file = { name: "a.png", size: 5, lastModified: 7 };
  kept.put({ demo: "cat", id: "1" }, [{ kind: "mean" }]);
  kept.put({ file, id: "2" }, [{ kind: "soft" }]);
  assert.deepEqual(kept.take({ demo: "cat", id: "9" }), [{ kind: "mean" }]);
  assert.deepEqual(kept.take({ file: { ...file } }), [{ kind: "soft" }]);
  for (const other of [{ demo: "dog" }, { demo: "cat", shrink: 2 }, { demo: "cat", weights: { name: "photo", strength: 1 } },
    { file: { ...file, lastModified: 8 } }, { id: "1" }]) assert.deepEqual(kept.take(other), []);
  kept.put({ demo: "cat" }, []);
  assert.deepEqual(kept.take({ demo: "cat" }), []);
});
