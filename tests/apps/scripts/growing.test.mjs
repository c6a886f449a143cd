import assert from "node:assert/strict";
import { test } from "node:test";

import { Growing, MOST_PIXELS } from "../../../apps/gsr_apps/viewer/growing.js";
import { drawnHere } from "../../../apps/gsr_apps/viewer/here.js";
import { writePayload } from "../../../apps/gsr_apps/viewer/payload.js";

const SIZE = { width: 600, height: 300 };

const messages = new Map(); // they take a moment to write

function messageOf(view) {
  const key = JSON.stringify(view);
  if (!messages.has(key)) messages.set(key, written(view));
  return messages.get(key);
}

// The message of a part: a decoder of one layer, three kernels, every number 0 but the choice.
async function written({ x, y, width, height }) {
  const count = width * height;
  const map = (channels, value = 0) => ({ channels, values: new Float32Array(channels * count).fill(value) });
  const part = {
    width, height, place: [y, x], whole: [SIZE.height, SIZE.width], model: "tiny", kernels: 3, radius: 2, finest: 12,
    footprint: 0.3, bank: new Float32Array(12),
    decoder: [{ rows: 3, columns: 4, weight: new Float32Array(12), bias: new Float32Array(3) }],
    maps: {
      lr: map(3), index: map(1, (x + y) / 256), evidence: map(3), offsets: map(2), colors: map(3), slopes: map(6),
      feat: map(0), mixed: map(0),
    },
  };
  return new Response(await writePayload(part)).arrayBuffer();
}

function renderer() {
  const made = {
    lost: false, parts: [], chosen: [], drawn: 0, field: { radius: 2 }, onrestored: () => {},
    put: (part) => made.parts.push(part.place),
    choose: (choices) => made.chosen.push(choices),
    render: () => {
      made.drawn += 1;
      return { bitmap: "drawn here", milliseconds: 1 };
    },
    destroy: () => {},
  };
  return made;
}

function host() {
  const asked = [];
  return {
    asked,
    async ask(what, args) {
      asked.push(what === "payload" ? [args.view.x, args.view.y] : what);
      return what === "payload" ? messageOf(args.view) : "from the host";
    },
  };
}

test("parts come nearest to the middle of the view first, and each once", async () => {
  const [from, drawing] = [host(), renderer()];
  const growing = new Growing(from, SIZE, { make: () => drawing });
  growing.middle = [10, 280];
  await growing.load();
  assert.deepEqual(from.asked[0], [0, 256]);
  assert.equal(new Set(from.asked.map(String)).size, 6);
  assert.deepEqual(drawing.parts.map(([top, left]) => [left, top]), from.asked);
  assert.equal(growing.known.index[299 * 600 + 599], 3);
});

test("a view is drawn here once all parts that reach into it are there", async () => {
  const growing = new Growing(host(), SIZE, { make: renderer });
  growing.middle = [0, 0];
  const views = [{ x: 0, y: 0, width: 100, height: 100 }, { x: 250, y: 0, width: 4, height: 100 }];
  const seen = [];
  growing.tell = () => seen.push(views.map((view) => growing.covers(view)));
  await growing.load();
  assert.deepEqual(seen[0], [true, false]);
  assert.deepEqual(seen.at(-1), [true, true]);
});

test("where nothing can be drawn the host draws, for good", async () => {
  for (const [size, make] of [[SIZE, () => null], [{ width: MOST_PIXELS, height: 2 }, renderer]]) {
    const growing = new Growing(host(), size, { make });
    await growing.load();
    assert.equal(growing.covers({ x: 0, y: 0, width: 1, height: 1 }), false);
    assert.equal(growing.change([{ kind: "soft" }]), false);
    assert.equal(growing.change([]), true);
  }
});

test("a host that does not give the field is asked for frames", async () => {
  const growing = new Growing({ ask: async () => { throw Object.assign(new Error("no"), { status: 400 }); } }, SIZE, { make: renderer });
  await growing.load();
  assert.equal(growing.refused, true);
});

test("a context that was lost and came back gets the field again", async () => {
  const [from, drawing] = [host(), renderer()];
  const growing = new Growing(from, SIZE, { make: () => drawing });
  await growing.load();
  const view = { x: 0, y: 0, width: 10, height: 10 };
  drawing.lost = true;
  assert.equal(growing.covers(view), false);
  drawing.lost = false;
  drawing.onrestored();
  assert.equal(growing.covers(view), false);
  await new Promise((resolve) => { growing.tell = () => growing.missing.size || resolve(); });
  assert.equal(growing.covers(view), true);
  assert.equal(drawing.parts.length, 12);
});

test("edits are drawn at once, and as before when the host refuses them", async () => {
  const from = host();
  const drawing = renderer();
  const seen = [];
  from.edit = async () => { throw new Error("refused"); };
  const transport = drawnHere(from, SIZE, { make: () => drawing, changed: () => seen.push(drawing.chosen.length) });
  await transport.whole;
  const view = { x: 0, y: 0, width: 10, height: 10, columns: 40, rows: 40 };
  const asked = { view, method: "gsr", layer: "result", quality: "exact" };
  assert.equal((await transport.ask("frame", asked)).by, "browser");
  await assert.rejects(transport.edit([{ kind: "force", kernel: 2 }], null), /refused/);
  assert.deepEqual([...new Set(drawing.chosen[0].index)], [2]);
  await transport.ask("frame", asked);
  assert.deepEqual([...new Set(drawing.chosen[1].index)], [0, 1, 2, 3]);
});

test("other methods, other questions and the server's turn go to the host", async () => {
  const drawing = renderer();
  const transport = drawnHere(host(), SIZE, { make: () => drawing });
  await transport.whole;
  const view = { x: 0, y: 0, width: 10, height: 10, columns: 40, rows: 40 };
  const frame = (part) => transport.ask("frame", { view, method: "gsr", layer: "result", quality: "exact", ...part });
  assert.equal(await frame({ method: "lanczos" }), "from the host");
  assert.equal(await frame({ method: "original" }), "from the host");
  assert.equal(await frame({ view: { ...view, columns: 4, rows: 4 } }), "from the host");
  assert.equal(await transport.ask("explain", { x: 1, y: 1, scale: 2 }), "from the host");
  assert.equal(drawing.drawn, 0);
  assert.equal((await frame({ method: "bicubic" })).by, "browser");
  const left = drawnHere(host(), SIZE, { renderer: "server", make: () => drawing });
  assert.equal(await left.ask("frame", { view, method: "gsr", layer: "result" }), "from the host");
});
