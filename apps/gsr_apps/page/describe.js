// What the viewer must know of a field, as gsr_apps.viewer.payloads.describe says it. `about` is what is
// known of the model and of the picture: { label, made, name, notes }.

import { kernelCss } from "../viewer/colors.js";
import { ellipse, physical } from "../viewer/formula.js";
import { listed } from "./edits.js";

export function describe(field, { label, made, name, notes }) {
  const { width, height, model } = field;
  return {
    width, height, model, label, made, name, notes, alpha: false, changed: "", edits: 0, edited: false,
    kernels: kernelsOf(field),
  };
}

// The same after edits.
export function redescribed(about, field, edits) {
  const count = edits.length;
  return {
    ...about, edits: count, edited: count > 0, changed: count ? `edited (${count})` : "",
    made: { ...about.made, "gsr:edits": listed(edits) }, kernels: kernelsOf(field),
  };
}

export function kernelsOf(field) {
  const shares = new Float64Array(field.kernels);
  const { values } = field.maps.index;
  for (const kernel of values) shares[kernel] += 1 / values.length;
  return Array.from(shares, (share, k) => {
    const kernel = physical(field.bank, 4 * k);
    const shape = ellipse(kernel);
    return { ...shape, ...kernel, share, color: kernelCss(shape) };
  });
}
