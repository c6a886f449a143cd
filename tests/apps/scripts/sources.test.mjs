import assert from "node:assert/strict";
import { test } from "node:test";

import { canReset, changedIn, isField, requestOf, sourcesOf } from "../../../apps/gsr_apps/viewer/sources.js";

const values = (methods, picture) => sourcesOf(methods, picture).map(({ value }) => value);

test("the layers of the field come first, then the methods, then the truth", () => {
  const methods = [{ name: "lanczos", label: "Lanczos" }, { name: "gsr", own: true }];
  assert.deepEqual(values(methods, { truth: {} }), [
    "gsr:result", "gsr:gaussians", "gsr:residual", "gsr:lr", "lanczos", "truth",
  ]);
  assert.deepEqual(values([], null).slice(4), ["bicubic"]);
});

test("what was changed stands in the name of every layer but the picture's own pixels", () => {
  const picture = { label: "Photo", changed: "edited (2)", edited: true, original: "a", id: "b" };
  const labels = sourcesOf([], picture).map(({ label }) => label);
  assert.equal(labels[0], "Photo, edited (2)");
  assert.match(labels[1], /edited \(2\)$/);
  assert.equal(labels[3], "Picture pixels");
  assert.equal(changedIn("bicubic", picture), "");
  assert.ok(values([], picture).includes("original:result"));
});

test("before the edits is offered only where that field is known", () => {
  assert.equal(canReset({ edited: true, original: "a", id: "b" }), true);
  assert.equal(canReset({ edited: true, original: "a", id: "a" }), false);
  assert.equal(canReset({ edited: false, original: "a", id: "b" }), false);
  assert.equal(canReset(null), false);
});

test("the words of a request", () => {
  assert.deepEqual(requestOf("gsr:lr"), { method: "gsr", layer: "lr" });
  assert.deepEqual(requestOf("truth"), { method: "truth", layer: "result" });
  assert.ok(isField("gsr:lr") && !isField("original:result"));
});
