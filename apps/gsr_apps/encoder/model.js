// A model as a page reads it: gsr_apps/encoder/weights.py describes the layout.

import { floatsFrom, openMessage } from "../viewer/message.js";

const KIND = { magic: "GSRW", version: 1, called: "model for a page" };
const BICUBIC = 2; // LR pixels that a reduction by two reads on either side, see gsr/network/correction.py
const OFFSETS = 2;
const COLORS = 3;
const EVIDENCE = 3;

// { ...header, convolutions, bank, decoder, halo, heads } from the bytes of a message. A convolution is
// { inputs, outputs, weights, bias, relu, adds }: weights are out x in x 9, and `adds` names what its
// result is added to, "block" (what this block began with) or "head". `halo` is how many pixels around
// one its Gaussian depends on; `heads` says where each map begins in the last convolution's result.
export async function readModel(buffer) {
  const { header, body } = await openMessage(buffer, KIND);
  const { channels, blocks, kernels, features, slopes, gain, radius } = header;
  const heads = {
    offsets: 0,
    colors: OFFSETS,
    slopes: OFFSETS + COLORS,
    feat: OFFSETS + COLORS + slopes,
    evidence: OFFSETS + COLORS + slopes + features,
  };
  const last = heads.evidence + EVIDENCE;
  const convolutions = [];
  let at = 0;
  const add = (inputs, outputs, how = {}) => {
    const made = convolution(body.subarray(at), inputs, outputs);
    convolutions.push({ relu: false, adds: null, ...made, ...how });
    at += 8 * outputs + 18 * inputs * outputs;
  };
  add(3, channels);
  for (let i = 0; i < blocks; i++) {
    add(channels, channels, { relu: true });
    add(channels, channels, { adds: "block" });
  }
  add(channels, channels, { adds: "head" });
  add(channels, last);
  const take = floatsFrom(body, at);
  const bank = take(4 * kernels);
  const decoder = header.decoder.map(([rows, columns]) => ({
    rows, columns, weight: take(rows * columns), bias: take(rows),
  }));
  const halo = convolutions.length + (gain ? radius + BICUBIC : 0);
  return { ...header, convolutions, bank, decoder, halo, heads, outputs: last };
}

// Steps and biases are float32, weights int16: a weight n of output o means n * steps[o].
function convolution(bytes, inputs, outputs) {
  const floats = new Float32Array(bytes.slice(0, 8 * outputs).buffer);
  const [steps, bias] = [floats.subarray(0, outputs), floats.subarray(outputs)];
  const count = 9 * inputs;
  const whole = new Int16Array(bytes.slice(8 * outputs, 8 * outputs + 2 * count * outputs).buffer);
  const weights = Float32Array.from(whole, (number, i) => number * steps[Math.floor(i / count)]);
  return { inputs, outputs, weights, bias };
}
