// Words in a PNG file: what made the picture goes with it.

import { crc32 } from "../viewer/message.js";

const BEFORE = 33; // bytes of the signature and the header, behind which text may stand

export async function withText(blob, words) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const chunks = Object.entries(words).map(([key, value]) => chunk("iTXt", [
    ...encoded(key), 0, 0, 0, 0, 0, ...encoded(value),
  ]));
  return new Blob([bytes.subarray(0, BEFORE), ...chunks, bytes.subarray(BEFORE)], { type: "image/png" });
}

const encoded = (text) => new TextEncoder().encode(text);

function chunk(kind, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(encoded(kind), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
