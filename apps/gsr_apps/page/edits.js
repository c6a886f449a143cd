// Edits of a field in the page, as gsr/field/edits.py makes them; an edit is a plain value with a `kind`.

import { TEMPERATURE } from "../viewer/formula.js";

const KINDS = { force, without, mean, soft };
const LABELS = {
  force: ({ kernel }) => `Kernel ${kernel} everywhere`,
  without: ({ kernels }) => (kernels.length === 1 ? `Without kernel ${kernels[0]}` : `Without ${kernels.length} kernels`),
  mean: () => "One mean kernel for all",
  soft: () => "Soft mixture of all kernels",
};

export const labelOf = (edit) => LABELS[edit.kind](edit);

// The field after all edits, one after the other; the maps that change are new ones.
export function applied(field, edits) {
  const changed = edits.reduce((one, edit, i) => KINDS[edit.kind](one, edit, offBefore(edits.slice(0, i))), field);
  return edits.length ? { ...changed, faithful: false } : field;
}

// All edits as the file of them says it, for what names the result.
export const listed = (edits) => JSON.stringify({ format: "gsr-edits", version: 1, edits });

const offBefore = (edits) => edits.flatMap((edit) => (edit.kind === "without" ? edit.kernels : []));

function force(field, { kernel }) {
  return withIndex(field, new Float32Array(field.maps.index.values.length).fill(kernel));
}

// Their pixels take the likeliest kernel that is left.
function without(field, { kernels }, before) {
  const off = new Set(kernels);
  const closed = new Set([...kernels, ...before]);
  if (closed.size >= field.kernels) throw new Error("At least one kernel must be left.");
  const values = field.maps.index.values.map((kernel, i) => {
    if (!off.has(kernel)) return kernel;
    const scores = scoresOf(field, i, closed);
    return scores.indexOf(Math.max(...scores));
  });
  return withIndex(field, values);
}

function mean(field) {
  const count = field.width * field.height;
  const { mixed, index } = field.maps;
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 4; c++) {
      sums[c] += mixed.channels ? mixed.values[c * count + i] : field.bank[4 * index.values[i] + c];
    }
  }
  return withMixed(field, (_, c) => sums[c] / count);
}

// Of each pixel the mean of all kernels, weighted by the classifier's probabilities.
function soft(field, _, before) {
  const off = new Set(before);
  const kernels = Array.from({ length: field.width * field.height }, (_one, i) => {
    const scores = scoresOf(field, i, off);
    const most = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - most));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return [0, 1, 2, 3].map((c) => (
      weights.reduce((sum, weight, k) => sum + weight * field.bank[4 * k + c], 0) / total
    ));
  });
  return withMixed(field, (i, c) => kernels[i][c]);
}

function scoresOf({ maps: { evidence }, bank, kernels, width, height }, i, off) {
  const count = width * height;
  return Array.from({ length: kernels }, (_, k) => {
    if (off.has(k)) return -Infinity;
    let distance = 0;
    for (let c = 0; c < 3; c++) distance += (evidence.values[c * count + i] - bank[4 * k + c]) ** 2;
    return -distance / (2 * TEMPERATURE);
  });
}

function withIndex(field, values) {
  const mixed = { channels: 0, values: new Float32Array(0) };
  return { ...field, maps: { ...field.maps, index: { channels: 1, values }, mixed } };
}

function withMixed(field, valueOf) {
  const count = field.width * field.height;
  const values = new Float32Array(4 * count);
  for (let c = 0; c < 4; c++) for (let i = 0; i < count; i++) values[c * count + i] = valueOf(i, c);
  return { ...field, maps: { ...field.maps, mixed: { channels: 4, values } } };
}
