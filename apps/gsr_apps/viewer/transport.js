// What the viewer asks a host. A transport has one verb and need not know the questions:
//
//   ask(what, args, { signal, channel }) -> a promise of the answer
//
//   frame({ view, method, layer, quality })   -> { blob or bitmap, milliseconds }; view has columns and rows
//   ellipses({ view, limit })                 -> columns of Gaussians, see payloads.ellipses
//   explain({ x, y, scale })                  -> see payloads.explanation
//   choices({})                               -> planes, see payloads.choices
//   footprint({ column, row, scale })         -> see payloads.reach
//   tiles({ view })                           -> see Growing.progress; of pictures that are `growing`
//   usage({ view })                           -> { shares }
//   scores({ view, methods })                 -> { scores }
//
// With a channel, a later question of the same channel may stop an earlier one.

/** @typedef {{ x: number, y: number, width: number, height: number }} Rectangle of the picture, its pixels */
/** @typedef {Rectangle & { columns: number, rows: number }} View and with how many pixels it is shown */
/** @typedef {{ signal?: AbortSignal, channel?: string | number }} Asking */
/**
 * @typedef {object} Transport
 * @property {(what: string, args: any, how?: Asking) => Promise<any>} ask
 * @property {string} [id] of the field, where hosts have several
 * @property {() => void} [stop] it is no longer needed
 * @property {(edits: any[], replace: string | null) => Promise<{ about: any, transport: Transport }>} [edit]
 *   an edited copy of the field: what a picture needs to be opened, and its transport
 */

/**
 * The place alone, of a view or of anything larger.
 * @param {Rectangle} view
 * @returns {Rectangle}
 */
export function placeOnly({ x, y, width, height }) {
  return { x, y, width, height };
}

/** The end of a question that nobody waits for. */
export function aborted() {
  return new DOMException("no longer wanted", "AbortError");
}

/**
 * Whether an error only says that an answer was no longer wanted.
 * @param {any} error
 */
export function unwanted(error) {
  return error.name === "AbortError" || error.status === 409;
}
