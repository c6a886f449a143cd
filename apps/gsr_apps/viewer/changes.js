// Edits, made here: what gsr/field/edits.py does to the bank, to the choice of each pixel and to its
// mixture. `maps` are { index, evidence } of the whole picture, as readPayload gives them.

const TEMPERATURE = 0.15 ** 2; // of the classifier, see gsr/network/classifier.py
const RHO_LIMIT = 0.98;

/** @typedef {{ bank: Float32Array, index: Float32Array, mixed: Float32Array | null, off: Set<number> }} Choices
 *   four raw numbers per kernel; the kernel of each pixel; raw kernels of its own, channel by channel */

/**
 * Each kind: (the choices so far, the edit, what is known of the field) to what it replaces of them.
 * @type {Record<string, (now: Choices, edit: any, field: any) => Partial<Choices>>}
 */
export const CHANGES = {
  kernel(now, { kernel, sigma_x, sigma_y, rho, opacity }) {
    const bank = now.bank.slice();
    bank.set([Math.log(sigma_x), Math.log(sigma_y), Math.atanh(rho / RHO_LIMIT),
      Math.log(opacity / (1 - opacity))], 4 * kernel);
    return { bank };
  },
  force: (now, { kernel }) => ({ index: new Float32Array(now.index.length).fill(kernel), mixed: null }),
  paint(now, { kernel, runs }, { width }) {
    const index = now.index.slice();
    const mixed = now.mixed?.slice() ?? null;
    for (const [row, column, length] of runs) {
      const from = row * width + column;
      index.fill(kernel, from, from + length);
      if (!mixed) continue;
      for (let c = 0; c < 4; c++) {
        const plane = c * index.length + from;
        mixed.fill(now.bank[4 * kernel + c], plane, plane + length);
      }
    }
    return { index, mixed };
  },
  without(now, { kernels }, { evidence }) {
    const gone = new Set(kernels);
    const off = new Set([...now.off, ...kernels]);
    const index = now.index.map((kernel, i) => (gone.has(kernel) ? nearest(evidence, i, now.bank, off) : kernel));
    return { index, mixed: null, off };
  },
  mean(now) {
    const count = now.index.length;
    const mixed = new Float32Array(4 * count);
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += now.mixed ? now.mixed[c * count + i] : now.bank[4 * now.index[i] + c];
      mixed.fill(sum / count, c * count, (c + 1) * count);
    }
    return { mixed };
  },
  soft: (now, _, field) => ({ mixed: mixture(now, field, now.bank.length / 4) }),
  top: (now, { k }, field) => ({ mixed: mixture(now, field, k) }),
};

/** Whether all of a list can be made here; a shuffle depends on the generator of the library. */
export function known(edits) {
  return edits.every((edit) => Object.hasOwn(CHANGES, edit?.kind));
}

/**
 * The choices of a field after a list of edits.
 * @param {{ width: number, bank: Float32Array, index: Float32Array, evidence: Float32Array }} field
 * @param {any[]} edits
 * @returns {Choices}
 */
export function changed(field, edits) {
  const first = { bank: field.bank, index: field.index, mixed: null, off: new Set() };
  return edits.reduce((now, edit) => ({ ...now, ...CHANGES[edit.kind](now, edit, field) }), first);
}

// Squared distance of what a pixel would like to a kernel.
function distance(evidence, count, i, bank, k) {
  let sum = 0;
  for (let c = 0; c < 3; c++) sum += (evidence[c * count + i] - bank[4 * k + c]) ** 2;
  return sum;
}

function nearest(evidence, i, bank, off) {
  const count = evidence.length / 3;
  let [best, least] = [0, Infinity];
  for (let k = 0; k < bank.length / 4; k++) {
    if (off.has(k)) continue;
    const own = distance(evidence, count, i, bank, k);
    if (own < least) [best, least] = [k, own];
  }
  return best;
}

// The mean of the `top` likeliest kernels of each pixel, weighted by how likely they are.
function mixture({ bank, off }, { evidence }, top) {
  const count = evidence.length / 3;
  const kernels = Array.from({ length: bank.length / 4 }, (_, k) => k).filter((k) => !off.has(k));
  const mixed = new Float32Array(4 * count);
  const scores = new Float64Array(kernels.length);
  for (let i = 0; i < count; i++) {
    kernels.forEach((k, n) => { scores[n] = -distance(evidence, count, i, bank, k) / (2 * TEMPERATURE); });
    const ranked = top < kernels.length ? [...scores].sort((a, b) => b - a) : null;
    const least = ranked ? ranked[top - 1] : -Infinity;
    const most = ranked ? ranked[0] : scores.reduce((a, b) => Math.max(a, b));
    let total = 0;
    for (let n = 0; n < kernels.length; n++) {
      if (scores[n] < least) continue;
      const weight = Math.exp(scores[n] - most);
      total += weight;
      for (let c = 0; c < 4; c++) mixed[c * count + i] += weight * bank[4 * kernels[n] + c];
    }
    for (let c = 0; c < 4; c++) mixed[c * count + i] /= total;
  }
  return mixed;
}
