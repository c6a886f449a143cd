import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed, MARGIN } from "../../../apps/gsr_apps/viewer/feed.js";
import { later, viewportOf } from "./helpers.mjs";

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

function watched() {
  const asked = [];
  const shown = [];
  const failed = [];
  const feed = new Feed((request, signal) => {
    const one = { request, signal, ...later() };
    asked.push(one);
    return one.promise;
  }, (frame) => shown.push(frame), (error) => failed.push(error));
  return { feed, asked, shown, failed };
}

const about = (source, subject) => ({ source, subject, picture: {} });

test("one request is on its way, and then the newest that was wanted", async () => {
  const { feed, asked, shown } = watched();
  const subject = {};
  for (const source of ["a", "b", "c"]) feed.want(viewportOf(), "preview", about(source, subject));
  assert.equal(asked.length, 1);
  asked[0].resolve({ bitmap: "first", milliseconds: 5 });
  await settled();
  assert.deepEqual(asked.map(({ request }) => request.source), ["a", "c"]);
  assert.equal(shown[0].bitmap, "first");
});

test("a preview is let finish, an exact frame gives way", () => {
  const { feed, asked } = watched();
  const subject = {};
  feed.want(viewportOf(), "preview", about("a", subject));
  feed.want(viewportOf(), "exact", about("a", subject));
  assert.equal(asked[0].signal.aborted, false);
  const other = watched();
  other.feed.want(viewportOf(), "exact", about("a", subject));
  other.feed.want(viewportOf(), "preview", about("a", subject));
  assert.equal(other.asked[0].signal.aborted, true);
});

test("a frame of another picture is not waited for, and never shown", async () => {
  const { feed, asked, shown } = watched();
  feed.want(viewportOf(), "preview", about("a", {}));
  feed.want(viewportOf(), "preview", about("a", {}));
  assert.equal(asked[0].signal.aborted, true);
  asked[0].resolve({ bitmap: "late", milliseconds: 1 });
  await settled();
  assert.deepEqual(shown, []);
});

test("exact frames have every pixel, previews as many as the time allows", async () => {
  const { feed, asked } = watched();
  const viewport = viewportOf();
  const subject = {};
  feed.want(viewport, "exact", about("a", subject));
  const full = viewport.request(MARGIN);
  assert.deepEqual(asked[0].request.view, full);
  asked[0].resolve({ bitmap: "slow", milliseconds: 60_000 }); // and the next must be coarser
  await settled();
  for (let n = 0; n < 30; n++) {
    feed.want(viewport, "preview", about("a", subject));
    asked.at(-1).resolve({ bitmap: "slow", milliseconds: 60_000 });
    await settled();
  }
  const { view } = asked.at(-1).request;
  assert.ok(view.columns < full.columns && view.columns >= 0.35 * full.columns - 1);
  assert.equal(view.width, full.width);
});

test("what went wrong is said, what was stopped is not", async () => {
  const { feed, asked, failed } = watched();
  feed.want(viewportOf(), "preview", about("a", {}));
  asked[0].reject(new Error("no"));
  await settled();
  feed.want(viewportOf(), "preview", about("a", {}));
  asked[1].reject(new DOMException("stopped", "AbortError"));
  await settled();
  feed.want(viewportOf(), "preview", about("a", {}));
  asked[2].reject(Object.assign(new Error("newer"), { status: 409 }));
  await settled();
  assert.deepEqual(failed.map(({ message }) => message), ["no"]);
});
