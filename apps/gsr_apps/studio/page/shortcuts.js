// Keys that work wherever the keyboard is: undo and redo. Fields of text have their own.

const TEXTUAL = "input[type=text], input[type=number], input:not([type]), textarea";

/**
 * The verb of a key event, or null.
 * @param {{ key: string, ctrlKey?: boolean, metaKey?: boolean, shiftKey?: boolean, altKey?: boolean }} event
 */
export function verbOf({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (!(ctrlKey || metaKey) || altKey) return null;
  const letter = key.toLowerCase();
  if (letter === "z") return shiftKey ? "redo" : "undo";
  return letter === "y" && !shiftKey ? "redo" : null;
}

// move(verb): returns whether there was something to undo or to do again
export function undoing(move) {
  addEventListener("keydown", (event) => {
    const verb = verbOf(event);
    const target = /** @type {Element} */ (event.target);
    if (verb && !target.matches?.(TEXTUAL) && move(verb)) event.preventDefault();
  });
}
