// The transport over HTTP: how the viewer asks a web server.

let viewers = 0;

// Who asks, for the server: it stops an older request of the same viewer and channel, and counts
// people by it. The name must be this page's own.
function newViewer() {
  return { name: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${viewers++}`, asked: 0 };
}

// base: address of the routes; id: of the field; original: id before edits, if there were any, and
// then `viewer` is who asked for that one: an edited copy is looked at by the same person.
export function httpTransport(base, id, original = id, viewer = newViewer()) {
  const rootOf = (key) => new URL(`fields/${encodeURIComponent(key)}/`, base);
  const ask = (what, numbers, signal, key = id) => {
    const url = new URL(what, rootOf(key));
    url.search = new URLSearchParams(numbers);
    return checked(fetch(url, { signal }));
  };
  const rectangle = ({ x, y, width, height }) => ({ x, y, width, height });
  return {
    id,
    async frame({ view, method, layer, quality, channel }, signal) {
      const number = ++viewer.asked;
      const { x, y, width, height, columns, rows } = view;
      const before = method === "original";
      const asked = {
        x, y, width, height, columns, rows, layer, quality, number,
        method: before ? "gsr" : method, viewer: `${viewer.name}-${channel}`,
      };
      const answer = await ask("frame", asked, signal, before ? original : id);
      return { blob: await answer.blob(), milliseconds: renderTime(answer) };
    },
    async ellipses(view, limit, signal) {
      return (await ask("ellipses", { ...rectangle(view), limit }, signal)).json();
    },
    async explain(x, y, scale, signal) {
      return (await ask("explain", { x, y, scale }, signal)).json();
    },
    async choices(signal) {
      return (await ask("choices", {}, signal)).arrayBuffer();
    },
    async scores(view, methods, signal, channel = "scores") {
      const who = { viewer: `${viewer.name}-${channel}`, number: ++viewer.asked };
      return (await ask("scores", { ...rectangle(view), methods, ...who }, signal)).json();
    },
    async usage(view, signal) {
      return (await ask("usage", rectangle(view), signal)).json();
    },
    async footprint(column, row, scale, signal) {
      return (await ask("footprint", { column, row, scale }, signal)).json();
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

function renderTime(answer) {
  return Number(answer.headers.get("server-timing")?.match(/render;dur=([\d.]+)/)?.[1] ?? 0);
}

// The answer, or an Error with the server's sentence and `status`.
export async function checked(promise) {
  const answer = await promise.catch((error) => {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new Error("The app does not answer. Is it still running?"), { offline: true });
  });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(body.error ?? `The app answered with error ${answer.status}.`), {
    status: answer.status,
  });
}

// { done, total } of a job; { total: 0 } when the server says nothing.
export async function progressOf(url) {
  try {
    return await (await fetch(url)).json();
  } catch {
    return { total: 0 };
  }
}
