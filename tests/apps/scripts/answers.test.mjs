import assert from "node:assert/strict";
import { test } from "node:test";

import { Answers } from "../../../apps/gsr_apps/viewer/answers.js";
import { later } from "./helpers.mjs";

function watched() {
  const asked = [];
  const answers = new Answers({
    ask(what, args, how) {
      const one = { what, args, how, ...later() };
      asked.push(one);
      return one.promise;
    },
  });
  return { answers, asked };
}

test("the same question is asked once", async () => {
  const { answers, asked } = watched();
  const both = [answers.ask("explain", { x: 1 }), answers.ask("explain", { x: 1 })];
  asked[0].resolve("found");
  assert.deepEqual(await Promise.all(both), ["found", "found"]);
  assert.equal(await answers.ask("explain", { x: 1 }), "found");
  assert.equal(asked.length, 1);
});

test("a newer one of the kind stops the last, whatever the transport does", async () => {
  const { answers, asked } = watched();
  const first = answers.ask("explain", { x: 1 });
  const second = answers.ask("explain", { x: 2 });
  assert.equal(asked[0].how.signal.aborted, true);
  asked[0].resolve("late");
  asked[1].resolve("found");
  await assert.rejects(first, { name: "AbortError" });
  assert.equal(await second, "found");
});

test("different kinds do not stop each other", () => {
  const { answers, asked } = watched();
  answers.ask("explain", { x: 1 });
  answers.ask("choices");
  assert.equal(asked[0].how.signal.aborted, false);
});

test("what failed is asked again", async () => {
  const { answers, asked } = watched();
  const first = answers.ask("choices");
  asked[0].reject(new Error("no"));
  await assert.rejects(first, /no/);
  const again = answers.ask("choices");
  asked[1].resolve("found");
  assert.equal(await again, "found");
});

test("of another picture nothing is waited for", async () => {
  const { answers, asked } = watched();
  const both = [answers.ask("choices"), answers.ask("explain", { x: 1 })];
  answers.stop();
  for (const one of asked) one.resolve("late");
  for (const one of both) await assert.rejects(one, { name: "AbortError" });
});
