import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { httpTransport } from "../../../apps/gsr_apps/viewer/http.js";

const { fetch } = globalThis;
afterEach(() => { globalThis.fetch = fetch; });

function answering(body, { type = "application/json", status = 200, ...headers } = {}) {
  const asked = [];
  globalThis.fetch = async (url, init) => {
    asked.push({ url: new URL(url), init });
    return new Response(body, { status, headers: { "content-type": type, ...headers } });
  };
  return asked;
}

const BASE = "http://app/studio/";
const VIEW = { x: 1, y: 2, width: 3, height: 4, columns: 30, rows: 40 };

test("a frame is asked for by its numbers, under the name of the viewer and its channel", async () => {
  const asked = answering("pixels", { type: "image/png", "server-timing": "render;dur=12.5" });
  const transport = httpTransport(BASE, "a b");
  const args = { view: VIEW, method: "gsr", layer: "result", quality: "exact" };
  const { blob, milliseconds } = await transport.ask("frame", args, { channel: 1 });
  await transport.ask("frame", args, { channel: 1 });
  assert.equal(milliseconds, 12.5);
  assert.equal(await blob.text(), "pixels");
  const [first, second] = asked.map(({ url }) => Object.fromEntries(url.searchParams));
  assert.equal(asked[0].url.pathname, "/studio/fields/a%20b/frame");
  const { viewer, number, ...rest } = first;
  assert.deepEqual(rest, {
    x: "1", y: "2", width: "3", height: "4", columns: "30", rows: "40", method: "gsr", layer: "result",
    quality: "exact",
  });
  assert.match(viewer, /-1$/);
  assert.deepEqual([second.viewer, Number(second.number)], [viewer, Number(number) + 1]);
});

test("what was before the edits is asked of the field before the edits", async () => {
  const asked = answering("{}");
  await httpTransport(BASE, "edited", "first").ask("frame", { view: VIEW, method: "original" });
  assert.equal(asked[0].url.pathname, "/studio/fields/first/frame");
  assert.equal(asked[0].url.searchParams.get("method"), "gsr");
});

test("two viewers have two names", async () => {
  const asked = answering("{}");
  for (const id of ["a", "b"]) await httpTransport(BASE, id).ask("scores", {}, { channel: "scores" });
  assert.notEqual(...asked.map(({ url }) => url.searchParams.get("viewer")));
});

test("plain values and planes come as what they are", async () => {
  answering('{"shares": [1]}');
  assert.deepEqual(await httpTransport(BASE, "a").ask("usage", { view: VIEW }), { shares: [1] });
  answering(new Uint8Array([1, 2]), { type: "application/octet-stream" });
  assert.equal((await httpTransport(BASE, "a").ask("choices", {})).byteLength, 2);
});

test("an error is the server's sentence, its status and whether it was there at all", async () => {
  answering('{"error": "There is no such field."}', { status: 404 });
  await assert.rejects(httpTransport(BASE, "a").ask("choices", {}), { message: "There is no such field.", status: 404 });
  answering("<html>", { status: 502, type: "text/html" });
  await assert.rejects(httpTransport(BASE, "a").ask("choices", {}), { message: "The app answered with error 502." });
  globalThis.fetch = async () => { throw new TypeError("failed to fetch"); };
  await assert.rejects(httpTransport(BASE, "a").ask("choices", {}), { offline: true });
});

test("an edited copy is looked at by the same person", async () => {
  const asked = answering('{"id": "edited"}');
  const transport = httpTransport(BASE, "first");
  const { about, transport: copy } = await transport.edit([{ kind: "soft" }], null);
  await transport.ask("frame", { view: VIEW }, { channel: 0 });
  await copy.ask("frame", { view: VIEW }, { channel: 0 });
  assert.equal(about.id, "edited");
  assert.deepEqual(JSON.parse(asked[0].init.body), { edits: [{ kind: "soft" }], replace: null });
  assert.equal(asked[1].url.searchParams.get("viewer"), asked[2].url.searchParams.get("viewer"));
});
