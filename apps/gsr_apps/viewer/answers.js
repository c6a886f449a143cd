// What a transport answered about the picture on show: nothing is asked twice.

import { aborted } from "./transport.js";

export class Answers {
  /** @param {import("./transport.js").Transport} transport */
  constructor(transport) {
    this.transport = transport;
    /** @type {Record<string, { key: string, abort: AbortController, answer: Promise<any> }>} */
    this.running = {};
  }

  /**
   * A newer question of the same kind takes the place of the last one; the same one gets the same answer.
   * @param {string} what
   * @param {any} [args]
   * @param {string} [channel]
   */
  ask(what, args = {}, channel = undefined) {
    const key = JSON.stringify(args);
    if (this.running[what]?.key === key) return this.running[what].answer;
    this.drop(what);
    const abort = new AbortController();
    const answer = this.transport.ask(what, args, { signal: abort.signal, channel }).then((found) => {
      if (abort.signal.aborted) throw aborted();
      return found;
    });
    const own = (this.running[what] = { key, abort, answer });
    answer.catch(() => { // what failed may be asked again
      if (this.running[what] === own) delete this.running[what];
    });
    return answer;
  }

  /** @param {string} what */
  drop(what) {
    this.running[what]?.abort.abort();
    delete this.running[what];
  }

  stop() {
    for (const what of Object.keys(this.running)) this.drop(what);
  }
}
