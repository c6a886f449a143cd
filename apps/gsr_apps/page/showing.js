// A field on the page: the viewer, and what can be taken away.

import { h } from "../viewer/dom.js";
import { localTransport } from "../viewer/local.js";
import { mount } from "../viewer/viewer.js";
import { redescribed } from "./describe.js";
import { applied } from "./edits.js";
import { help } from "./help.js";
import { download, outputSize, pageBlob, pictureBlob, stem } from "./saving.js";
import { WhatIf } from "./whatif.js";

export const textOf = (id) => document.getElementById(id)?.textContent.trim();
export const bytesOf = (id) => (
  Uint8Array.from(atob(textOf(id)), (letter) => letter.charCodeAt(0)).buffer
);

export function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

export function problem(error) {
  return h("p", { className: "problem", role: "alert", textContent: error.message });
}

// One field after another in one place. `blank` is the page as it was loaded.
export class Showing {
  constructor(place, blank) {
    this.place = place;
    this.blank = blank;
    this.viewer = null;
    this.about = this.field = this.transport = this.original = null; // of what is open
    this.said = h("span", { className: "said", role: "status" });
    this.scale = h("input", { type: "number", min: "0.1", max: "64", step: "0.1", value: "4", ariaLabel: "Scale" });
    this.bar = h("div", { className: "bar", hidden: true },
      h("label", {}, "Scale ", this.scale),
      this.button("Save picture", () => this.savePicture()),
      this.button("Save page", () => this.savePage()),
      this.said);
    this.whatIf = new WhatIf((kernels) => this.viewer.highlight({ kernels }), (edits) => this.edit(edits));
    this.below = h("div", { className: "below", hidden: true }, this.whatIf.element, help());
  }

  button(text, run) {
    const made = h("button", { type: "button", textContent: text });
    made.addEventListener("click", async () => {
      made.disabled = true;
      try {
        await run();
      } catch (error) {
        this.said.textContent = error.message;
      }
      made.disabled = false;
    });
    return made;
  }

  async open(about, field) {
    const transport = localTransport(field);
    if (!this.viewer) {
      this.place.replaceChildren();
      this.viewer = mount(this.place, { scale: 4, methods: [] });
    }
    Object.assign(this, { about, field, transport, original: { about, field } });
    await this.viewer.open(about, transport);
    this.whatIf.chosen.clear();
    this.whatIf.use(about.kernels, []);
    this.bar.hidden = this.below.hidden = false;
    this.said.textContent = "";
  }

  // The field after edits of the one that was opened; the view stays.
  async edit(edits) {
    const field = applied(this.original.field, edits);
    const about = edits.length ? redescribed(this.original.about, field, edits) : this.original.about;
    const transport = localTransport(field);
    Object.assign(this, { about, field, transport });
    await this.viewer.open(about, transport, { edited: true });
    this.whatIf.use(about.kernels, edits);
  }

  // How files are called, before a scale and a suffix.
  get stem() {
    return stem(this.about.name) + (this.about.edited ? "-edited" : "");
  }

  async savePicture() {
    const scale = Number(this.scale.value);
    outputSize(this.about, scale); // before anything is said
    const blob = await pictureBlob(this.about, this.transport, scale, (done, all) => {
      this.said.textContent = `${Math.round((100 * done) / all)} %`;
    });
    const name = `${this.stem}-x${scale}.png`;
    download(blob, name);
    this.said.textContent = `${name}, ${megabytes(blob.size)}`;
  }

  async savePage() {
    const blob = await pageBlob(this.blank, this.about, this.field);
    const name = `${this.stem}.html`;
    download(blob, name);
    this.said.textContent = `${name}, ${megabytes(blob.size)}`;
  }
}

export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
