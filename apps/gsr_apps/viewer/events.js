// Something happens, and those who asked hear of it.

/** @typedef {(value?: any) => void} Hearer */

export class Events {
  /** @param {string[]} names all that can happen */
  constructor(names) {
    /** @type {Map<string, Set<Hearer>>} */
    this.hearers = new Map(names.map((name) => [name, new Set()]));
  }

  /**
   * Call `run` whenever the event happens.
   * @param {string} name
   * @param {Hearer} run
   * @returns {() => void} stops that
   */
  on(name, run) {
    const own = this.hearers.get(name);
    if (!own) throw new Error(`There is no event ${name}; there are ${[...this.hearers.keys()].join(", ")}.`);
    own.add(run);
    return () => own.delete(run);
  }

  /**
   * @param {string} name
   * @param {any} [value]
   */
  emit(name, value) {
    for (const run of [...(this.hearers.get(name) ?? [])]) run(value);
  }
}
