// The list of edits: what was done, in order, with undo and redo. Plain values, fit for a JSON file.

const FORMAT = "gsr-edits";

export class Edits {
  constructor() {
    this.done = [];
    this.undone = [];
    this.open = null; // the edit that may still be replaced by a newer one of the same key
    this.labels = new WeakMap();
  }

  // What the server calls edits, once it made them.
  named(edits, labels) {
    edits.forEach((edit, i) => this.labels.set(edit, labels[i]));
  }

  // An edit for people; until it is made, it has no name.
  label(edit) {
    return this.labels.get(edit) ?? "…";
  }

  // With a key (say, of a handle being dragged) the edit takes the place of the last one of that key.
  add(edit, key = null) {
    if (key !== null && key === this.open) this.done.pop();
    this.done.push(edit);
    this.undone = [];
    this.open = key;
  }

  // The handle was let go: a later drag is an edit of its own.
  finish() {
    this.open = null;
  }

  undo() {
    if (this.done.length) this.undone.push(this.done.pop());
    this.open = null;
  }

  redo() {
    if (this.undone.length) this.done.push(this.undone.pop());
    this.open = null;
  }

  reset() {
    this.undone = [...this.undone, ...this.done.reverse()];
    this.done = [];
    this.open = null;
  }

  replay(edits) {
    this.done = [...edits];
    this.undone = [];
    this.open = null;
  }

  // What to give to `restore`, should the server refuse what comes next.
  kept() {
    return { done: [...this.done], undone: [...this.undone] };
  }

  restore({ done, undone }) {
    this.done = [...done];
    this.undone = [...undone];
    this.open = null;
  }

  toJson() {
    return JSON.stringify({ format: FORMAT, version: 1, edits: this.done }, null, 1);
  }
}

// The edits of a file. Whether each makes sense is for the server to say.
export function editsOf(text) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error("The file is not JSON; edits are saved here as a JSON file.");
  }
  if (found?.format !== FORMAT || !Array.isArray(found.edits)) {
    throw new Error("The file holds no edits; edits are saved here as a JSON file.");
  }
  return found.edits;
}
