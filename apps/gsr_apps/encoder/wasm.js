// A convolution as WebAssembly, made here: there is one loop, and no compiler is needed for it.
//
// What it computes, for each group of four outputs, each row and each block of eight pixels: the sums of
// `taps` weights for each input, in eight vectors of four numbers that stay in registers.

const I32 = 0x7f;
const V128 = 0x7b;
const VOID = 0x40;
const LANES = 4;
const VECTORS = 2; // of a block
export const BLOCK = LANES * VECTORS; // pixels

// Whole numbers of any size, seven bits at a time.
function leb(value) {
  const bytes = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>>= 7;
    if (value === 0) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

// Signed, for constants.
function signed(value) {
  const bytes = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(byte & 0x40)) || (value === -1 && byte & 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

const get = (local) => [0x20, ...leb(local)];
const set = (local) => [0x21, ...leb(local)];
const constant = (value) => [0x41, ...signed(value)];
const simd = (code, ...rest) => [0xfd, ...leb(code), ...rest];
const at = (offset) => [2, ...leb(offset)]; // alignment of 4 bytes
const load = (offset) => simd(0x00, ...at(offset));
const store = (offset) => simd(0x0b, ...at(offset));
const splat = (offset) => simd(0x09, ...at(offset)); // one number from memory in all lanes
const [ADD, MULTIPLY] = [[0x6a], [0x6c]];
const [PLUS, TIMES, MOST] = [simd(0xe4), simd(0xe6), simd(0xe9)];
const FUSED = simd(0x105); // product and sum in one, of "relaxed" vectors, which newer browsers have
const advance = (local, by) => [...get(local), ...by, ...ADD, ...set(local)];

// `body` for counter = 0, 1, ... below the local `end`, which is at least 1.
function loop(counter, end, body) {
  return [
    ...constant(0), ...set(counter), 0x03, VOID, ...body,
    ...advance(counter, constant(1)), ...get(counter), ...get(end), 0x49, 0x0d, 0, 0x0b,
  ];
}

// Parameters in this order; all are numbers of 32 bits, places and strides in bytes. `source` is the place
// of the first tap of the first output; `added` is 0 or the place of what is added, laid out as the target.
export const PARAMETERS = [
  "source", "sourcePlane", "sourceRow", "target", "targetPlane", "targetRow", "added",
  "weights", "bias", "floor", "inputs", "groups", "rows", "blocks",
];

function convolve(taps, fused) {
  const names = [
    ...PARAMETERS, "group", "row", "block", "input", "weight", "groupWeights", "from", "into", "plus",
    "second", "third", "groupTarget", "groupPlus", "rowOffset",
  ];
  const local = Object.fromEntries(names.map((name, i) => [name, i]));
  const side = Math.round(Math.sqrt(taps));
  const numbers = names.length - PARAMETERS.length;
  const vector = (i) => names.length + i;
  const [sums, left, right, one] = [(o, v) => vector(VECTORS * o + v), vector(8), vector(9), vector(10)];
  const outputs = [...Array(LANES).keys()];
  const halves = [...Array(VECTORS).keys()];

  const begin = outputs.flatMap((o) => [
    ...get(local.bias), ...splat(4 * o), ...set(one),
    ...halves.flatMap((v) => [...get(one), ...set(sums(o, v))]),
  ]);
  const tap = (row, dx, number) => [
    ...get(row), ...load(4 * dx), ...set(left),
    ...get(row), ...load(4 * dx + 16), ...set(right),
    ...outputs.flatMap((o) => [
      ...get(local.weight), ...splat(4 * (LANES * number + o)), ...set(one),
      ...halves.flatMap((v) => {
        const [sum, factors] = [get(sums(o, v)), [...get(one), ...get(v ? right : left)]];
        const grown = fused ? [...factors, ...sum, ...FUSED] : [...sum, ...factors, ...TIMES, ...PLUS];
        return [...grown, ...set(sums(o, v))];
      }),
    ]),
  ];
  const rows = [local.from, local.second, local.third].slice(0, side);
  const inner = [
    ...rows.slice(1).flatMap((row, i) => [...get(rows[i]), ...get(local.sourceRow), ...ADD, ...set(row)]),
    ...rows.flatMap((row, dy) => [...Array(side).keys()].flatMap((dx) => tap(row, dx, side * dy + dx))),
    ...advance(local.from, get(local.sourcePlane)),
    ...advance(local.weight, constant(4 * LANES * taps)),
  ];
  const finish = [
    ...get(local.floor), ...splat(0), ...set(one),
    ...outputs.flatMap((o) => [
      ...halves.flatMap((v) => [
        ...get(sums(o, v)), ...get(one), ...MOST, ...set(sums(o, v)),
        ...get(local.added), 0x04, VOID,
        ...get(sums(o, v)), ...get(local.plus), ...load(16 * v), ...PLUS, ...set(sums(o, v)), 0x0b,
        ...get(local.into), ...get(sums(o, v)), ...store(16 * v),
      ]),
      ...advance(local.into, get(local.targetPlane)), ...advance(local.plus, get(local.targetPlane)),
    ]),
  ];
  const place = (result, start, rowStride) => [
    ...get(start), ...get(local.row), ...get(rowStride), ...MULTIPLY, ...ADD,
    ...get(local.block), ...constant(4 * BLOCK), ...MULTIPLY, ...ADD, ...set(result),
  ];
  const blocks = [
    ...place(local.from, local.source, local.sourceRow),
    ...place(local.into, local.groupTarget, local.targetRow),
    ...place(local.plus, local.groupPlus, local.targetRow),
    ...get(local.groupWeights), ...set(local.weight),
    ...begin,
    ...loop(local.input, local.inputs, inner),
    ...finish,
  ];
  const fourPlanes = [...get(local.targetPlane), ...constant(LANES), ...MULTIPLY];
  const body = [
    ...get(local.target), ...set(local.groupTarget), ...get(local.added), ...set(local.groupPlus),
    ...get(local.weights), ...set(local.groupWeights),
    ...loop(local.group, local.groups, [
      ...loop(local.row, local.rows, loop(local.block, local.blocks, blocks)),
      ...advance(local.groupTarget, fourPlanes), ...advance(local.groupPlus, fourPlanes),
      ...advance(local.bias, constant(4 * LANES)),
      ...get(local.weight), ...set(local.groupWeights), // where the last block ended
    ]),
    0x0b,
  ];
  const declared = [2, ...leb(numbers), I32, ...leb(11), V128];
  return sized([...declared, ...body]);
}

const sized = (bytes) => [...leb(bytes.length), ...bytes];
const section = (number, bytes) => [number, ...sized(bytes)];
const text = (word) => sized([...word].map((letter) => letter.charCodeAt(0)));

// A module with `convolve` (nine taps) and `mix` (one), which work on the imported memory page.memory.
export function moduleBytes(fused = false) {
  const type = [0x60, ...sized(PARAMETERS.map(() => I32)), 0];
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, ...type]),
    ...section(2, [1, ...text("page"), ...text("memory"), 2, 0, 1]),
    ...section(3, [2, 0, 0]),
    ...section(7, [2, ...text("convolve"), 0, 0, ...text("mix"), 0, 1]),
    ...section(10, [2, ...convolve(9, fused), ...convolve(1, fused)]),
  ]);
}
