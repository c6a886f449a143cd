// Having a picture encoded, with progress and a way to stop.

import { checked, progressOf } from "../viewer/http.js";

const WATCH_MS = 400;
const GONE = 404;

// What a model of these weights is called.
export function nameOf({ name, strength }) {
  return strength < 1 ? `${name} at ${strength}` : name;
}

export class Opening {
  // opened(about, source), failed(error)
  constructor(base, notices, { opened, failed }) {
    this.base = base;
    this.notices = notices;
    this.opened = opened;
    this.failed = failed;
  }

  // source: { demo } | { file } | { id }, and { shrink } or { truth: File }; `weights: { name, strength }`
  // other than the app's own. kept: the field of `source.id` may still be there; that of
  // `source.of` gets the `truth` or the `weights`, if it is
  async open(source, kept = false) {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.notices.say(null);
    try {
      const about = (kept && (await this.readKept(source, abort))) || (await this.read(source, abort));
      if (!abort.signal.aborted) this.opened(about, { ...source, id: about.id, of: undefined });
      return true;
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 409) this.failed(error);
      return false;
    } finally {
      if (this.abort === abort) {
        this.abort = null;
        this.notices.showBusy(null);
      }
    }
  }

  stop() {
    this.abort?.abort();
  }

  async readKept({ id }, abort) {
    try {
      return await this.json(`fields/${encodeURIComponent(id)}`, {}, { signal: abort.signal });
    } catch (error) {
      if (error.status === GONE) return null;
      throw error;
    }
  }

  async read(source, abort) {
    const { truth, of, weights } = source;
    const first = (of && (await this.readKept({ id: of }, abort))) || (await this.encode(source, abort));
    const about = weights && first.model !== nameOf(weights) ? await this.weigh(first, weights, abort) : first;
    if (!truth) return about;
    return this.json(`fields/${about.id}/truth`, {}, { method: "POST", body: truth, signal: abort.signal });
  }

  async encode({ demo, file, id, shrink }, abort) {
    if (!demo && !file) return this.json(`fields/${encodeURIComponent(id)}`, {}, { signal: abort.signal });
    const options = shrink ? { shrink } : {};
    return demo
      ? this.watched("open-demo", { name: demo, ...options }, null, demo, abort)
      : this.readFile(file, options, abort);
  }

  weigh({ id, name }, weights, abort) {
    return this.watched(`fields/${id}/weights`, weights, null, name, abort);
  }

  readFile(file, options, abort) {
    const name = file.name || "pasted";
    if (name.endsWith(".gsf")) return this.watched("open-field", { name }, file, name, abort);
    return this.watched("open", { name, ...options }, file, name, abort);
  }

  async json(route, query, init) {
    const url = new URL(route, this.base);
    url.search = String(new URLSearchParams(query));
    return (await checked(fetch(url, init))).json();
  }

  async watched(route, query, body, label, abort) {
    const job = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const watching = this.watch(job, label, abort);
    try {
      return await this.json(route, { ...query, job }, { method: "POST", body, signal: abort.signal });
    } finally {
      clearInterval(watching);
    }
  }

  watch(job, label, abort) {
    const url = new URL(`jobs/${job}`, this.base);
    abort.signal.addEventListener("abort", () => fetch(url, { method: "DELETE" }).catch(() => {}));
    const stop = () => abort.abort();
    this.notices.showBusy(`Making Gaussians of ${label}…`, stop);
    return setInterval(async () => {
      const { done, total } = await progressOf(url);
      if (total > 1 && this.abort === abort) {
        this.notices.showBusy(`Making Gaussians of ${label}: part ${done} of ${total}`, stop, done / total);
      }
    }, WATCH_MS);
  }
}
