// The work of a frame, counted from the shader: texture reads and multiply-adds of one output pixel.

/** @typedef {{ reads: number, multiplyAdds: number }} Work */

const TAP_READS = 3; // choice, kernel, and the layer that the weight needs
const TAP_MULTIPLY_ADDS = 36; // exponent, exponential, both tapers, bounds
const SUM_READS = 2; // colours and slopes
const SUM_MULTIPLY_ADDS = 14; // three colours along two slopes, the way, the total

/**
 * @param {{ radius: number, channels: number, widths: number[], kept: number }} field channels: features
 *   of a Gaussian; widths: of the decoder's layers; kept: taps whose weight matters, on average
 * @param {"result" | "gaussians"} layer
 * @returns {Work}
 */
export function workOf({ radius, channels, widths, kept }, layer) {
  const taps = (2 * radius + 1) ** 2;
  const vectors = layer === "result" ? Math.ceil(channels / 4) : 0;
  const decoder = layer === "result"
    ? widths.slice(1).reduce((sum, outputs, i) => sum + outputs * (widths[i] + 1), 0)
    : 0;
  return {
    reads: taps * TAP_READS + kept * (SUM_READS + vectors),
    multiplyAdds: taps * TAP_MULTIPLY_ADDS + kept * (SUM_MULTIPLY_ADDS + 4 * vectors) + decoder,
  };
}

/**
 * Milliseconds of a frame on a graphics processor that does nothing else, the larger of what its
 * arithmetic and its texture units take.
 * @param {Work} work of one pixel
 * @param {number} pixels
 * @param {{ flops: number, texels: number }} speed operations (a multiply-add is two) and reads per second
 */
export function frameTime({ reads, multiplyAdds }, pixels, { flops, texels }) {
  return 1000 * pixels * Math.max((2 * multiplyAdds) / flops, reads / texels);
}
