import assert from "node:assert/strict";
import { test } from "node:test";

import { Frames } from "../../../apps/gsr_apps/viewer/frames.js";
import { later, viewportOf } from "./helpers.mjs";

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const picture = {};
const subject = {};
const about = (source) => ({ source, picture, subject });
const abouts = (left, right) => [about(left), about(right)];

function watched() {
  const asked = [];
  const frames = new Frames({ received: () => {}, failed: assert.fail });
  frames.transport = {
    ask: (_what, request, { channel }) => {
      const one = { request, channel, ...later() };
      asked.push(one);
      return one.promise;
    },
  };
  const answer = async (one, rest = {}) => {
    one.resolve({ bitmap: { close() {} }, milliseconds: 5, ...rest });
    await settled();
  };
  return { frames, asked, answer };
}

async function bothExact() {
  const all = watched();
  const viewport = viewportOf();
  all.frames.want(viewport, "exact", abouts("bicubic", "gsr:result"));
  for (const one of [...all.asked]) await all.answer(one);
  return { ...all, viewport };
}

test("another source on one side asks for that side alone", async () => {
  const { frames, asked, viewport } = await bothExact();
  const before = asked.length;
  frames.want(viewport, "preview", abouts("lanczos", "gsr:result"));
  assert.deepEqual(asked.slice(before).map(({ channel }) => channel), [0]);
  assert.ok(frames.isExact(1, "gsr:result", viewport, picture));
});

test("a preview never takes the place of the exact frame of the same view", async () => {
  const { frames, viewport } = await bothExact();
  const exact = frames.of(1, "gsr:result");
  frames.receive(1, { ...exact, quality: "preview", view: { ...exact.view, columns: 1, rows: 1 } });
  assert.equal(frames.of(1, "gsr:result"), exact);
  const moved = { ...exact, quality: "preview", view: { ...exact.view, x: exact.view.x + 1 } };
  frames.receive(1, moved);
  assert.equal(frames.of(1, "gsr:result"), moved);
  assert.ok(frames.isExact(0, "bicubic", viewport, picture));
});

test("a frame of which parts are missing is not exact, and is asked for again", async () => {
  const { frames, asked, answer } = watched();
  const viewport = viewportOf();
  frames.want(viewport, "exact", [null, about("gsr:result")]);
  await answer(asked[0], { missing: 2 });
  assert.ok(!frames.isExact(1, "gsr:result", viewport, picture));
  frames.want(viewport, "exact", [null, about("gsr:result")]);
  await answer(asked[1], { missing: 0 });
  assert.ok(frames.isExact(1, "gsr:result", viewport, picture));
  frames.want(viewport, "exact", [null, about("gsr:result")]);
  assert.equal(asked.length, 2);
});
