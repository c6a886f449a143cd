// Watches a picture whose Gaussians are still being made, where the host makes them bit by bit.

const OFTEN_MS = 300; // while some of what is in view is missing
const SELDOM_MS = 1500; // while the rest is being made

/** @typedef {{ done: number, total: number, missing: number[][], failed: string | null }} Told
 *   see `Growing.progress` */

export class Arrival {
  /**
   * @param {object} act
   * @param {() => Promise<Told>} act.ask how far it is; looking keeps the work going
   * @param {(told: Told, nearer: boolean) => void} act.told with whether more is there than before
   * @param {(error: any) => void} act.failed
   */
  constructor(act) {
    this.act = act;
    /** @type {Told | null} */
    this.latest = null;
    this.timer = 0;
    this.round = 0;
  }

  /** Begin with a picture. */
  watch() {
    this.stop();
    this.look();
  }

  /** The view is another one: how much is missing of that is asked at once. */
  look() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pass(++this.round), 0);
  }

  async pass(round) {
    try {
      const told = await this.act.ask();
      if (round !== this.round) return;
      const nearer = !this.latest || told.done !== this.latest.done;
      this.latest = told;
      this.act.told(told, nearer);
      if (told.failed || told.done === told.total) return;
      const wait = told.missing.length ? OFTEN_MS : SELDOM_MS;
      this.timer = setTimeout(() => this.pass(round), wait);
    } catch (error) {
      if (round === this.round) this.act.failed(error);
    }
  }

  stop() {
    clearTimeout(this.timer);
    this.round += 1;
    this.latest = null;
  }
}
