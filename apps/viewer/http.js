// The transport over HTTP: how the viewer asks a web server.

let viewers = 0;

export function httpTransport(base, id) {
  const root = new URL(`fields/${encodeURIComponent(id)}/`, base);
  // The server stops an older request of the same viewer and channel; the name must be this page's own.
  const viewer = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${viewers++}`;
  let number = 0;
  const ask = (what, numbers, signal) => {
    const url = new URL(what, root);
    url.search = new URLSearchParams(numbers);
    return checked(fetch(url, { signal }));
  };
  return {
    async frame({ view, method, layer, quality, channel }, signal) {
      number += 1;
      const who = `${viewer}-${channel}`;
      const answer = await ask("frame", { ...view, method, layer, quality, viewer: who, number }, signal);
      return { blob: await answer.blob(), milliseconds: renderTime(answer) };
    },
    async ellipses({ x, y, width, height }, limit, signal) {
      return (await ask("ellipses", { x, y, width, height, limit }, signal)).json();
    },
    async explain(x, y, scale, signal) {
      return (await ask("explain", { x, y, scale }, signal)).json();
    },
    async classMap(signal) {
      return new Uint16Array(await (await ask("classmap", {}, signal)).arrayBuffer());
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
    throw new Error("The app does not answer. Is it still running?");
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
