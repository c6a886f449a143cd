// A field as a page reads it: gsr/field/payload.py describes the layout.

const PREFIX = 16;
const VERSION = 1;
const OPTIONAL = ["slopes", "mixed", "feat"];

// { width, height, model, kernels, radius, finest, footprint, bank, decoder, maps } from the bytes of a
// message. `maps` holds { channels, values } by name: Float32Array, channel by channel, row by row. `bank`
// is four raw numbers per kernel; `decoder` is [{ rows, columns, weight, bias }].
export async function readPayload(buffer) {
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  if (bytes.length < PREFIX || String.fromCharCode(...bytes.subarray(0, 4)) !== "GSRP") {
    throw new Error("This is not a field for a page: it does not begin with GSRP.");
  }
  const version = view.getUint16(4, true);
  if (version !== VERSION) {
    throw new Error(`Version ${version} of fields for pages is not known, only ${VERSION} is.`);
  }
  const end = PREFIX + view.getUint32(8, true);
  if (crc32(bytes.subarray(PREFIX)) !== view.getUint32(12, true)) {
    throw new Error("This field for a page is damaged or cut short.");
  }
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX, end)));
  return parts(header, await inflated(bytes.subarray(end)));
}

function parts(header, body) {
  const [height, width] = header.size;
  const count = width * height;
  const maps = {};
  let at = 0;
  for (const plane of header.planes) {
    const length = (plane.channels * count * plane.bits) / 8;
    maps[plane.name] = { channels: plane.channels, values: numbers(plane, body.subarray(at, at + length), count) };
    at += length;
  }
  for (const name of OPTIONAL) maps[name] ??= { channels: 0, values: new Float32Array(0) };
  const floats = new Float32Array(body.slice(at).buffer);
  let read = 4 * header.kernels;
  const take = (length) => floats.subarray(read, (read += length));
  const bank = floats.subarray(0, read);
  const decoder = header.decoder.map(([rows, columns]) => ({
    rows, columns, weight: take(rows * columns), bias: take(rows),
  }));
  const { model, kernels, radius, finest, footprint } = header;
  return { width, height, model, kernels, radius, finest, footprint, bank, decoder, maps };
}

// With 16 bits the low bytes of a channel come first, then its high bytes.
function numbers({ channels, bits, low, step }, bytes, count) {
  const values = new Float32Array(channels * count);
  for (let c = 0; c < channels; c++) {
    const from = (c * count * bits) / 8;
    for (let i = 0; i < count; i++) {
      const whole = bits === 8 ? bytes[from + i] : bytes[from + i] + 256 * bytes[from + count + i];
      values[c * count + i] = low[c] + whole * step[c];
    }
  }
  return values;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
