// What was done to pictures that are no longer on show, so that it is there when one comes back.

// Whether two sources are one picture, made by the same weights at the same size.
function keyOf({ demo, file, shrink, weights }) {
  if (!demo && !file) return null;
  const picture = demo ?? `${file.name}|${file.size}|${file.lastModified}`;
  return JSON.stringify([demo ? "demo" : "file", picture, shrink ?? 1, weights ?? null]);
}

export class Kept {
  constructor() {
    this.edits = new Map();
  }

  // The picture goes, with these edits done to it.
  put(source, edits) {
    const key = keyOf(source);
    if (!key) return;
    if (edits.length) this.edits.set(key, [...edits]);
    else this.edits.delete(key);
  }

  // The picture comes. Its edits, if it had any.
  take(source) {
    return this.edits.get(keyOf(source)) ?? [];
  }
}
