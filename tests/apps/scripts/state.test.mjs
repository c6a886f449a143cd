import assert from "node:assert/strict";
import { test } from "node:test";

import { OVERLAYS, SWITCHED } from "../../../apps/gsr_apps/viewer/overlays.js";
import { INITIAL, sensible } from "../../../apps/gsr_apps/viewer/state.js";

test("the start makes sense, all of it", () => {
  assert.deepEqual(sensible(INITIAL), INITIAL);
});

test("what makes no sense is left out, whatever an address or a notebook held", () => {
  const odd = [null, undefined, NaN, -1, 1e9, "side ", {}, [], "__proto__"];
  for (const key of Object.keys(INITIAL)) {
    for (const value of odd) {
      const kept = sensible({ [key]: value, nobody: 1 });
      assert.ok(!("nobody" in kept));
      if (key in kept) assert.equal(typeof kept[key], typeof INITIAL[key]);
    }
  }
  assert.deepEqual(sensible({ constructor: 1, toString: 2, mode: "wipe", wipe: 2 }), { mode: "wipe" });
});

test("every overlay with a label has a switch that is off at first", () => {
  assert.ok(SWITCHED.length >= 2);
  for (const { name } of SWITCHED) {
    assert.equal(INITIAL[name], false);
    assert.deepEqual(sensible({ [name]: true }), { [name]: true });
    assert.deepEqual(sensible({ [name]: 1 }), {});
  }
  assert.equal(new Set(OVERLAYS.map(({ name }) => name)).size, OVERLAYS.length);
});
