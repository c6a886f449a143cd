import assert from "node:assert/strict";
import { test } from "node:test";

import { LARGEST } from "../../../apps/gsr_apps/viewer/viewport.js";
import { generator, viewportOf } from "./helpers.mjs";

const close = (a, b, by = 1e-9) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("the point under the hand stays there while the zoom changes", () => {
  const random = generator(1);
  for (let n = 0; n < 300; n++) {
    const viewport = viewportOf({ width: 4000, height: 4000, cx: 2000, cy: 2000, scale: 2 ** (1 + 4 * random()) });
    const [px, py] = [200 * random(), 150 * random()];
    const [x, y] = viewport.toPicture(px, py);
    viewport.zoomAt(px, py, 2 ** (1 + 5 * random()));
    const [qx, qy] = viewport.toScreen(x, y);
    close(qx, px, 1e-6);
    close(qy, py, 1e-6);
  }
});

test("screen and picture are each other's inverse", () => {
  const viewport = viewportOf({ scale: 3.7 });
  const [x, y] = viewport.toPicture(...viewport.toScreen(7.25, 11.5));
  close(x, 7.25);
  close(y, 11.5);
});

test("no hand pushes the picture out of the pane", () => {
  const random = generator(2);
  for (let n = 0; n < 300; n++) {
    const viewport = viewportOf({ scale: 2 ** (6 * random()) });
    viewport.panBy(4000 * (random() - 0.5), 4000 * (random() - 0.5));
    const { x, y, width, height } = viewport.seen();
    close(width, Math.min(40, 200 / viewport.scale), 1e-6);
    close(height, Math.min(30, 150 / viewport.scale), 1e-6);
    assert.ok(x >= -1e-9 && y >= -1e-9 && x + width <= 40 + 1e-9 && y + height <= 30 + 1e-9);
  }
});

test("the zoom stays within its range", () => {
  const viewport = viewportOf();
  viewport.setScale(1e6);
  assert.equal(viewport.scale, LARGEST);
  viewport.setScale(0);
  assert.equal(viewport.scale, 0.25);
  assert.equal(viewportOf({ width: 4000, height: 3000, scale: 1e-6 }).scale, 0.05); // all of it
  const dense = viewportOf();
  dense.dpr = 3;
  for (const [asked, got] of [[1e6, LARGEST * 3], [0, 0.75]]) {
    dense.setScale(asked);
    assert.equal(dense.scale, got); // the same for who reads it, in CSS pixels
  }
});

test("no more pixels are asked for than a renderer makes", () => {
  const viewport = viewportOf({ scale: 60 });
  viewport.dpr = 3;
  for (const scale of [63, 64, 65, 100, 192]) {
    viewport.setScale(scale);
    const { width, height, columns, rows } = viewport.request(32);
    assert.ok(columns / width <= LARGEST + 1e-9 && rows / height <= LARGEST + 1e-9);
  }
});

test("fit shows the whole picture in the middle", () => {
  const viewport = viewportOf({ width: 100, height: 10 });
  viewport.fit();
  assert.deepEqual([viewport.scale, viewport.cx, viewport.cy], [2, 50, 5]);
});

test("a request lies on the pane's pixels and never far outside of the picture", () => {
  const random = generator(3);
  for (let n = 0; n < 200; n++) {
    const viewport = viewportOf({ cx: 40 * random(), cy: 30 * random(), scale: 2 ** (6 * random()) });
    const asked = viewport.request(32);
    close(asked.columns, asked.width * viewport.scale, 1e-6);
    close(asked.rows, asked.height * viewport.scale, 1e-6);
    for (const place of viewport.toScreen(asked.x, asked.y)) close(place, Math.round(place), 1e-6);
    assert.ok(asked.x > -1.0001 && asked.x + asked.width < 41.0001);
    assert.ok(asked.columns <= 264 && asked.rows <= 214);
  }
});

test("nothing is asked for where nothing is seen", () => {
  const viewport = viewportOf();
  viewport.cx = 4000;
  assert.equal(viewport.request(32), null);
});

test("the same place is found in another size of the picture", () => {
  const place = viewportOf({ cx: 10, cy: 6, scale: 8 }).placeIn({ width: 80, height: 60 });
  assert.deepEqual(place, { x: 20, y: 12, scale: 4 });
});
