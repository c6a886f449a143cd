import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Arrival } from "../../../apps/gsr_apps/viewer/arrival.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function watched(answers) {
  const seen = [];
  const failures = [];
  const arrival = new Arrival({
    ask: async () => {
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    told: ({ done }, nearer) => seen.push([done, nearer]),
    failed: (error) => failures.push(error.message),
  });
  return { arrival, seen, failures, answers };
}

const at = (done, missing = [[0, 0, 9, 9]]) => ({ done, total: 3, missing, failed: null });

async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settled();
}

test("it asks until all is there, and says when there is more", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const { arrival, seen, answers } = watched([at(0), at(0), at(1, []), at(3, [])]);
  arrival.watch();
  await pass(0);
  await pass(300);
  await pass(300);
  await pass(300); // nothing in view is missing: not so soon
  assert.deepEqual(seen, [[0, true], [0, false], [1, true]]);
  await pass(1500);
  await pass(9000);
  assert.deepEqual(seen.at(-1), [3, true]);
  assert.equal(answers.length, 0);
});

test("a stopped one says nothing more, a failed one says so and ends", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const stopped = watched([at(0), at(1)]);
  stopped.arrival.watch();
  await pass(0);
  stopped.arrival.stop();
  await pass(9000);
  assert.equal(stopped.seen.length, 1);
  const failed = watched([new Error("gone"), at(1)]);
  failed.arrival.watch();
  await pass(0);
  await pass(9000);
  assert.deepEqual(failed.failures, ["gone"]);
  assert.equal(failed.answers.length, 1);
});
