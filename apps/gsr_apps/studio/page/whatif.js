// What if the field were another? Edits are applied to a copy on the server and seen at once.

import { h } from "../viewer/dom.js";
import { Edits, editsOf } from "./edits.js";
import { Handles, parametersOf } from "./handles.js";
import { Panel } from "./panel.js";
import { brushTool } from "./brush.js";
import { saveBlob } from "./saving.js";

export class WhatIf {
  // edited(about, transport): the copy to show, or the original again; failed(error);
  // unlight(): what is lit is no longer meant
  constructor(viewer, { edited, failed, unlight }) {
    this.viewer = viewer;
    this.edited = edited;
    this.failed = failed;
    this.unlight = unlight;
    this.edits = new Edits();
    this.kernel = null;
    this.copy = null;
    this.handles = new Handles({ changed: (shape) => this.reshape(shape), done: () => this.edits.finish() });
    this.brush = brushTool(viewer, (runs) =>
      this.add({ kind: "paint", kernel: this.kernel, runs }));
    this.panel = new Panel("What if", "gsr-whatif", ...this.build());
    this.panel.onclose = () => this.brushing(false);
  }

  build() {
    this.which = h("input", {
      type: "number", min: 0, step: 1, "aria-label": "Kernel to change", className: "gsr-number",
      onchange: () => this.pick(Number(this.which.value)),
    });
    this.about = h("span", { className: "gsr-soft" });
    this.litButton = button("Remove highlighted", "The same for all highlighted kernels", () =>
      this.without([...this.viewer.highlighted.kernels]));
    this.brushButton = h("button", {
      type: "button", "aria-pressed": "false", title: "Drag over the picture: the pixels under the brush take this kernel",
      onclick: () => this.brushing(this.viewer.tool !== this.brush),
    }, "Paint with this kernel");
    this.radius = h("input", {
      type: "range", min: 0.5, max: 20, step: 0.5, value: 4, "aria-label": "Radius of the brush in picture pixels",
      title: "Radius of the brush", oninput: () => { this.brush.radius = Number(this.radius.value); },
    });
    this.list = h("ol", { className: "gsr-edits" });
    this.gain = h("p", { className: "gsr-gain", role: "status" });
    return [
      h("h3", {}, "One kernel"),
      h("div", { className: "gsr-buttons" }, h("label", {}, "Kernel ", this.which), this.about),
      this.handles.element,
      h("div", { className: "gsr-buttons" },
        button("Use everywhere", "Every pixel takes this kernel", () => this.add({ kind: "force", kernel: this.kernel })),
        button("Remove", "Pixels that picked it take their next choice", () => this.without([this.kernel])),
        this.litButton, this.brushButton, this.radius),
      h("h3", {}, "All choices"),
      h("div", { className: "gsr-buttons" },
        button("Shuffle", "Same kernels, wrong places", () => this.add({ kind: "shuffle", seed: this.edits.done.length })),
        button("Soft mixture", "Each pixel takes the mean of all kernels, weighted by what the network thinks of each", () => this.add({ kind: "soft" })),
        button("Top 3", "The same with the three most likely kernels only", () => this.add({ kind: "top", k: 3 })),
        button("Mean kernel", "Every pixel takes the mean kernel of the picture: no longer aware of content", () => this.add({ kind: "mean" }))),
      this.gain,
      h("h3", {}, "Edits"), this.list,
      h("div", { className: "gsr-buttons" }, ...this.history()),
    ];
  }

  history() {
    const file = h("input", {
      type: "file", accept: "application/json,.json", hidden: true,
      onchange: () => this.replayFile(file),
    });
    const move = (verb) => () => this.move(verb);
    this.buttons = {
      undo: button("Undo", "Take back the last edit", move("undo")),
      redo: button("Redo", "Do it again", move("redo")),
      reset: button("Reset", "Back to the field as the network made it", move("reset")),
      save: button("Save", "The edits as a JSON file", () =>
        saveBlob(new Blob([this.edits.toJson()], { type: "application/json" }), "edits.json")),
    };
    return [...Object.values(this.buttons), button("Replay…", "Apply the edits of a saved file", () => file.click()), file];
  }

  // One of the verbs of the list.
  move(verb) {
    this.edits[verb]();
    return this.apply();
  }

  // Back to the field as it was opened; the keyboard must not be left on a button that goes.
  reset() {
    this.viewer.focus();
    return this.move("reset");
  }

  // The panel, with the list of edits in sight.
  reveal() {
    this.panel.show(true);
    this.list.scrollIntoView({ block: "nearest" });
  }

  async replayFile(file) {
    try {
      this.edits.replay(editsOf(await file.files[0].text()));
      await this.apply();
    } catch (error) {
      this.failed(error);
    }
    file.value = "";
  }

  // Another picture: its edits start empty, or with those given.
  use(about, transport, edits = []) {
    this.original = about;
    this.first = transport;
    this.copy = null;
    this.newest = null;
    this.stale = null;
    this.edits.replay([]);
    this.applied = this.edits.kept();
    this.edits.replay(edits);
    this.gain.textContent = about.truth ? "" : "With a ground truth, the cost of an edit is shown here in dB.";
    this.showLit();
    this.which.max = about.kernels.length - 1;
    const used = about.kernels.map((kernel, i) => [kernel.share ?? 0, i]).sort((a, b) => b[0] - a[0]);
    this.pick(used[0][1]);
    this.describe();
    return edits.length ? this.apply() : Promise.resolve();
  }

  get kernels() {
    return (this.copy ?? this.original).kernels;
  }

  pick(number) {
    const kernel = this.kernels[number];
    if (!kernel) {
      this.which.value = this.kernel;
      return;
    }
    this.kernel = number;
    this.which.value = number;
    this.about.textContent = `${(100 * (kernel.share ?? 0)).toFixed(1)} % of the picture`;
    this.handles.show(kernel, kernel.color);
  }

  // Other kernels are lit now.
  showLit() {
    this.litButton.hidden = this.viewer.highlighted.kernels.length < 2;
  }

  without(kernels) {
    this.unlight();
    return this.add({ kind: "without", kernels });
  }

  reshape(shape) {
    this.add({ kind: "kernel", kernel: this.kernel, ...parametersOf(shape) }, `kernel ${this.kernel}`);
  }

  brushing(on) {
    if (on || this.viewer.tool === this.brush) this.viewer.use(on ? this.brush : null);
    this.brushButton.setAttribute("aria-pressed", String(on));
  }

  add(edit, key = null) {
    this.edits.add(edit, key);
    return this.apply();
  }

  // One request at a time; what was done meanwhile goes with the next. Resolves when all is shown.
  apply() {
    this.describe();
    this.again = true;
    this.applying ??= this.applyAll().finally(() => {
      this.applying = null;
    });
    return this.applying;
  }

  async applyAll() {
    while (this.again) {
      this.again = false;
      const { original } = this;
      try {
        await this.applyOnce();
      } catch (error) {
        if (original === this.original) this.refused(error);
      }
    }
  }

  // The picture shows what was applied last; so does the list.
  refused(error) {
    this.again = false;
    this.edits.restore(this.applied);
    this.describe();
    this.pick(this.kernel);
    this.failed(error);
  }

  async applyOnce() {
    const { original, first } = this;
    const asked = this.edits.kept();
    const edits = asked.done;
    if (!edits.length) {
      this.copy = null;
      this.edited(original, first);
    } else {
      // The copy on show may be asked for until the new one is there: the one before it goes.
      const { about, transport } = await first.edit(edits, this.stale);
      if (original !== this.original) return;
      this.stale = this.newest;
      this.newest = about.id;
      this.copy = about;
      this.edits.named(edits, about.labels.slice(original.labels.length));
      this.describe();
      this.edited(about, transport);
    }
    this.applied = asked;
    if (!this.handles.held && !this.edits.open) this.pick(this.kernel);
    else this.handles.color = this.kernels[this.kernel].color;
  }

  describe() {
    const { done, undone } = this.edits;
    const before = this.original?.labels ?? []; // by others, kept in the field's file
    const none = "None yet: this is the field as the network made it.";
    this.list.replaceChildren(
      ...before.map((label) => h("li", { className: "gsr-before", title: "Kept in the file" }, `${label} (in the file)`)),
      ...done.map((edit) => h("li", {}, this.edits.label(edit))),
      ...(before.length + done.length ? [] : [h("li", { className: "gsr-soft" }, none)]));
    this.list.scrollTop = this.list.scrollHeight;
    this.buttons.undo.disabled = this.buttons.reset.disabled = this.buttons.save.disabled = !done.length;
    this.buttons.redo.disabled = !undone.length;
  }

  // What the edits cost in the visible part, where the truth is known.
  async showGain(found, view) {
    const { copy, original } = this;
    if (!copy || !original.truth || !found.scores.gsr) {
      this.gain.textContent = "";
      return;
    }
    try {
      const before = (await this.first.ask("scores", { view, methods: "gsr" }, { channel: "gain" })).scores.gsr.psnr;
      const after = found.scores.gsr.psnr;
      if (copy !== this.copy || before === null || after === null) return;
      const change = after - before;
      this.gain.textContent = `In view: ${before.toFixed(2)} dB before, ${after.toFixed(2)} dB now (${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(2)} dB).`;
    } catch (error) {
      this.failed(error);
    }
  }
}

function button(text, title, run) {
  return h("button", { type: "button", title, onclick: run }, text);
}
