// The transport over HTTP: how the viewer asks a web server.

/** @typedef {import("./transport.js").Transport} Transport */

let viewers = 0;

// Who asks, for the server: it stops an older request of the same viewer and channel, and counts
// people by it. The name must be this page's own.
function newViewer() {
  return { name: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${viewers++}`, asked: 0 };
}

/**
 * @param {string | URL} base address of the routes
 * @param {string} id of the field
 * @param {string} original its id before edits, if there were any
 * @param {{ name: string, asked: number }} viewer who asked for that one: an edited copy is looked at
 *   by the same person
 * @returns {Transport}
 */
export function httpTransport(base, id, original = id, viewer = newViewer()) {
  const rootOf = (key) => new URL(`fields/${encodeURIComponent(key)}/`, base);
  return {
    id,
    async ask(what, { method, ...args }, { signal, channel } = {}) {
      const before = method === "original";
      const url = new URL(what, rootOf(before ? original : id));
      const own = channel === undefined ? {} : { viewer: `${viewer.name}-${channel}`, number: ++viewer.asked };
      const named = method === undefined ? {} : { method: before ? "gsr" : method };
      url.search = String(new URLSearchParams(/** @type {any} */ ({ ...flat(args), ...named, ...own })));
      return content(await checked(fetch(url, { signal })));
    },
    // An edited copy of the field: what a picture needs to be opened, and its transport.
    async edit(edits, replace, signal) {
      const url = new URL("edit", rootOf(original));
      const body = JSON.stringify({ edits, replace });
      const headers = { "content-type": "application/json" };
      const about = await (await checked(fetch(url, { method: "POST", body, headers, signal }))).json();
      return { about, transport: httpTransport(base, about.id, original, viewer) };
    },
  };
}

// A view is asked for by its numbers.
function flat({ view, ...rest }) {
  const { x, y, width, height, columns, rows } = view ?? {};
  const place = view ? { x, y, width, height } : {};
  return { ...place, ...(columns === undefined ? {} : { columns, rows }), ...rest };
}

async function content(answer) {
  const kind = answer.headers.get("content-type") ?? "";
  if (kind.startsWith("application/json")) return answer.json();
  if (kind.startsWith("image/")) {
    const missing = Number(answer.headers.get("x-gsr-missing") ?? 0);
    return { blob: await answer.blob(), milliseconds: renderTime(answer), missing };
  }
  return answer.arrayBuffer();
}

function renderTime(answer) {
  return Number(answer.headers.get("server-timing")?.match(/render;dur=([\d.]+)/)?.[1] ?? 0);
}

/**
 * The answer, or an Error with the server's sentence and `status`.
 * @param {Promise<Response>} promise
 */
export async function checked(promise) {
  const answer = await promise.catch((error) => {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new Error("The app is not responding. Is it still running?"), { offline: true });
  });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(body.error ?? `The app answered with error ${answer.status}.`), {
    status: answer.status,
  });
}

/**
 * { done, total } of a job; { total: 0 } when the server says nothing.
 * @param {string | URL} url
 */
export async function progressOf(url) {
  try {
    return await (await fetch(url)).json();
  } catch {
    return { total: 0 };
  }
}
