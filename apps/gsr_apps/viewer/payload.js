// A field as a page reads and writes it: gsr/field/payload.py and docs/payload.md describe the layout.

import { floatsFrom, openMessage, writeMessage } from "./message.js";

export const KIND = { magic: "GSRP", version: 2, called: "field for a page" };
const OPTIONAL = ["slopes", "mixed", "feat"];
const BITS = { lr: 8, index: 16, evidence: 12, offsets: 8, colors: 12, slopes: 8, feat: 8, mixed: 16 };

// { width, height, place, whole, model, kernels, radius, finest, footprint, faithful, bank, decoder, maps }
// from the bytes of a message. `maps` holds { channels, values } by name: Float32Array, channel by channel,
// row by row. `bank` is four raw numbers per kernel; `decoder` is [{ rows, columns, weight, bias }].
// Of a part, width and height are its own; it lies at `place` [top, left] of `whole` [height, width].
export async function readPayload(buffer) {
  const { header, body } = await openMessage(buffer, KIND);
  const [height, width] = header.size;
  const count = width * height;
  if (body.length !== bodyLength(header)) {
    throw new Error(`This ${KIND.called} does not hold what its header says.`);
  }
  const maps = {};
  let at = 0;
  for (const plane of header.planes) {
    const length = (plane.channels * count * plane.bits) / 8;
    maps[plane.name] = { channels: plane.channels, values: numbers(plane, body.subarray(at, at + length), count) };
    at += length;
  }
  for (const name of OPTIONAL) maps[name] ??= { channels: 0, values: new Float32Array(0) };
  const take = floatsFrom(body, at);
  const bank = take(4 * header.kernels);
  const decoder = header.decoder.map(([rows, columns]) => ({
    rows, columns, weight: take(rows * columns), bias: take(rows),
  }));
  const { place, whole, model, kernels, radius, finest, footprint, faithful = false } = header;
  return { width, height, place, whole, model, kernels, radius, finest, footprint, faithful, bank, decoder, maps };
}

function bodyLength({ size: [height, width], planes, kernels, decoder }) {
  const perPixel = planes.reduce((sum, { channels, bits }) => sum + (channels * bits) / 8, 0);
  return height * width * perPixel + 4 * (4 * kernels + decoder.reduce((sum, [out, n]) => sum + out * (n + 1), 0));
}

// A field for parts to be put into: all that a part says of it, and maps of zeros.
export function emptyField(part) {
  const [height, width] = part.whole;
  const maps = {};
  for (const [name, { channels }] of Object.entries(part.maps)) {
    maps[name] = { channels, values: new Float32Array(channels * width * height) };
  }
  return { ...part, width, height, place: [0, 0], maps };
}

export function putPart(field, part) {
  const [top, left] = part.place;
  for (const [name, { channels, values }] of Object.entries(part.maps)) {
    const into = field.maps[name].values;
    for (let c = 0; c < channels; c++) {
      for (let row = 0; row < part.height; row++) {
        const from = (c * part.height + row) * part.width;
        into.set(values.subarray(from, from + part.width), (c * field.height + top + row) * field.width + left);
      }
    }
  }
}

// The message of a field, or of a part of one.
export async function writePayload(field) {
  const { width, height, model, kernels, radius, finest, footprint, faithful } = field;
  const { place = [0, 0], whole = [height, width] } = field;
  const count = width * height;
  const names = Object.keys(BITS).filter((name) => field.maps[name].channels || name === "feat");
  const packed = names.map((name) => quantised(name, field.maps[name], count));
  const floats = [field.bank, ...field.decoder.flatMap(({ weight, bias }) => [weight, bias])];
  const header = {
    size: [height, width], place, whole, model, kernels, radius,
    finest, footprint, decoder: field.decoder.map(({ rows, columns }) => [rows, columns]),
    planes: packed.map(({ plane }) => plane), faithful: Boolean(faithful),
  };
  return writeMessage(KIND, header, joined([...packed.map(({ bytes }) => bytes), ...floats]));
}

function joined(parts) {
  const all = parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
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

function quantised(name, { channels, values }, count) {
  const whole = name === "lr" || name === "index"; // numbers of 255 and of 1 already
  const [low, step, most] = [[], [], []];
  for (let c = 0; c < channels; c++) {
    let [least, largest] = [0, 0];
    for (let i = c * count; i < (c + 1) * count; i++) {
      if (values[i] < least) least = values[i];
      else if (values[i] > largest) largest = values[i];
    }
    low.push(whole ? 0 : least);
    const own = Math.max((largest - least) / (2 ** BITS[name] - 1), 1e-12);
    step.push(whole ? (name === "lr" ? 1 / 255 : 1) : own);
    most.push(Math.round((largest - low[c]) / step[c]));
  }
  const bits = BITS[name] === 8 || most.every((number) => number < 256) ? 8 : 16;
  const bytes = new Uint8Array((channels * count * bits) / 8);
  for (let c = 0; c < channels; c++) {
    const at = (c * count * bits) / 8;
    for (let i = 0; i < count; i++) {
      const number = Math.min(2 ** bits - 1, Math.round((values[c * count + i] - low[c]) / step[c]));
      bytes[at + i] = number;
      if (bits === 16) bytes[at + count + i] = number >> 8;
    }
  }
  return { plane: { name, channels, bits, low, step }, bytes };
}
