// A page that encodes pictures by itself: dropped, chosen or pasted, nothing leaves it.

import { Encoder, MOST_PIXELS, WAYS } from "../encoder/encoder.js";
import { h } from "../viewer/dom.js";
import { readPayload } from "../viewer/payload.js";
import { benchmark } from "./benchmark.js";
import { describe } from "./describe.js";
import { readPicture } from "./picture.js";
import { Showing, bytesOf, followTheme, problem, textOf } from "./showing.js";

class Page {
  constructor() {
    this.showing = new Showing(document.querySelector("main"), document.documentElement.cloneNode(true));
    followTheme();
    this.about = JSON.parse(textOf("about"));
    this.running = null;
    const asked = new URLSearchParams(location.search);
    const ways = asked.get("encoder")?.split(",").filter((way) => WAYS.includes(way));
    this.encoder = new Encoder(bytesOf("model"), textOf("worker"), ways?.length ? ways : WAYS);
    this.build();
    this.listen();
    if (asked.has("benchmark")) benchmark(this.showing.place, this.encoder);
  }

  build() {
    this.file = h("input", { type: "file", accept: "image/*", hidden: true, ariaLabel: "Picture" });
    const choose = () => this.file.click();
    this.message = h("div", { className: "message", role: "status" });
    const another = h("button", { type: "button", textContent: "Open a picture", onclick: choose });
    this.showing.bar.prepend(another);
    const example = h("button", { type: "button", textContent: "Try an example", onclick: () => this.example() });
    this.drop = h("div", { className: "drop" },
      h("p", {}, "Drop a picture here, or ",
        h("button", { type: "button", textContent: "choose one", onclick: choose }), "."),
      h("p", {}, example));
    this.showing.place.replaceChildren(this.drop);
    document.querySelector("header").append(this.showing.bar, this.file);
    document.querySelector("header").after(this.message);
    this.showing.place.after(this.showing.below);
  }

  listen() {
    this.file.addEventListener("change", () => {
      if (this.file.files[0]) this.open(this.file.files[0]);
      this.file.value = ""; // the same file may be chosen again
    });
    const take = (event, data) => {
      const file = [...(data?.files ?? [])][0];
      if (!file) return;
      event.preventDefault();
      this.open(file);
    };
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      take(event, event.dataTransfer);
    });
    addEventListener("paste", (event) => take(event, event.clipboardData));
  }

  async example() {
    const bytes = new Uint8Array(bytesOf("example"));
    await this.open(new File([bytes], this.about.example, { type: "image/jpeg" }));
  }

  // Encode a file and show it. What is shown already stays until then, and if it cannot be done.
  async open(file, shrink = false) {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    try {
      const picture = await readPicture(file, { most: MOST_PIXELS, shrink });
      if (this.running !== running) return;
      if (picture.tooLarge) this.offerToShrink(file, picture.tooLarge);
      else await this.encode(picture, running.signal);
    } catch (error) {
      if (this.running !== running) return;
      this.say(error.name === "AbortError" ? h("p", {}, "Stopped.") : problem(error));
    }
  }

  async encode(picture, signal) {
    const progress = h("progress", { max: 1, value: 0 });
    const said = h("span", {}, "Preparing the network …");
    const stop = h("button", { type: "button", textContent: "Stop", onclick: () => this.running.abort() });
    this.say(h("p", {}, `${picture.name}, ${picture.width} × ${picture.height} pixels `, progress, " ", said, " ", stop));
    const begun = performance.now();
    const field = await this.encoder.encode(picture, {
      signal,
      onprogress: (done, all) => {
        progress.value = done / all;
        said.textContent = timeLeft(done / all, performance.now() - begun);
      },
    });
    const about = describe(field, { ...this.about, name: picture.name, notes: picture.notes });
    await this.showing.open(about, field);
    document.title = `${picture.name} · gsr`;
    const seconds = (field.milliseconds / 1000).toFixed(1);
    this.say(h("p", {}, `${picture.name}: ${field.width} × ${field.height} Gaussians in ${seconds} s on the ${field.way}. `, picture.notes.join(" ")));
  }

  offerToShrink(file, { width, height, factor }) {
    const most = `${Math.floor(width * factor)} × ${Math.floor(height * factor)}`;
    this.say(h("p", { role: "alert" },
      `${file.name} has ${width} × ${height} pixels; this page encodes up to ${MOST_PIXELS / 1e6} megapixels. `,
      h("button", {
        type: "button", textContent: `Reduce it to ${most}`, onclick: () => this.open(file, true),
      })));
  }

  say(...parts) {
    this.message.replaceChildren(...parts);
  }
}

function timeLeft(part, milliseconds) {
  if (!part) return "encoding …";
  const seconds = Math.ceil((milliseconds / 1000) * (1 / part - 1));
  const left = seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(100 * part)} %, about ${left} left`;
}

// A page that was saved from here holds a field instead of the network.
async function start() {
  const place = document.querySelector("main");
  try {
    if (!textOf("field")) {
      /** @type {any} */ (window).gsrPage = new Page();
      return;
    }
    const showing = new Showing(place, document.documentElement.cloneNode(true));
    followTheme();
    document.querySelector("header").append(showing.bar);
    place.after(showing.below);
    await showing.open(JSON.parse(textOf("about")), await readPayload(bytesOf("field")));
  } catch (error) {
    place.replaceChildren(problem(error));
  }
}

export default start;
