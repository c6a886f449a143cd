// A worker that encodes tiles: { model, way, side, only } once, then { tile, core, grey } any number of times.

import { settleFlat, sheets } from "./flat.js";
import { Gaussians } from "./gaussians.js";
import { GraphicsNetwork } from "./graphics.js";
import { makeMachine } from "./machine.js";
import { readModel } from "./model.js";
import { ProcessorNetwork } from "./processor.js";

let network = null;
let gaussians = null;
let flat = null; // { margin, of: { true, false } } for pictures that are grey or not

const TRIED = 32; // pixels a side of the tile that two ways are compared on

// `only`: this way was asked for, however slow it is.
async function prepare({ model: bytes, way, side, only }) {
  const model = await readModel(bytes);
  const machine = makeMachine(way === "plain" ? "plain" : "wasm");
  gaussians = new Gaussians(model, machine);
  network = way === "graphics" ? GraphicsNetwork.of(model, side, only) : new ProcessorNetwork(model, machine);
  const faster = () => timeOf(network) <= timeOf(new ProcessorNetwork(model, machine));
  if (!network || (way === "graphics" && !only && !faster())) {
    throw new Error("This graphics processor cannot run the network, or not fast enough.");
  }
  const run = (grey) => (tile, core) => gaussians.of(tile, network.run(tile), core, grey);
  flat = { margin: model.halo, of: { true: sheets(model.halo, run(true)), false: sheets(model.halo, run(false)) } };
  return { name: network.name };
}

// Milliseconds of a small tile; once before, since the first one is compiled.
function timeOf(one) {
  const tile = { width: TRIED, height: TRIED, planes: new Float32Array(3 * TRIED * TRIED) };
  one.run(tile);
  const start = performance.now();
  one.run(tile);
  return performance.now() - start;
}

function encode({ tile, core, grey }) {
  const part = gaussians.of(tile, network.run(tile), core, grey);
  settleFlat(part, tile, core, flat.margin, flat.of[grey]);
  return { part, transfer: Object.values(part.maps).map((map) => map.values.buffer) };
}

self.onmessage = async ({ data }) => {
  try {
    const { transfer, ...answer } = data.model ? await prepare(data) : encode(data);
    self.postMessage(answer, { transfer: [...new Set(transfer)] });
  } catch (error) {
    self.postMessage({ problem: error.message });
  }
};

export default prepare;
