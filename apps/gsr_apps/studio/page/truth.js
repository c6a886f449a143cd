// The ground truth of a picture: what it was made from, to measure against.

import { h } from "../viewer/dom.js";

export class Truth {
  // reopen(part): open the same picture again with { shrink } or { truth: File }, or {} for none
  constructor(reopen) {
    this.reopen = reopen;
    this.factor = h("input", {
      type: "number", min: 1.1, max: 16, step: "any", required: true, value: 4, "aria-label": "Shrink by",
    });
    this.go = h("button", {
      type: "button", className: "gsr-go",
      onclick: () => this.factor.reportValidity() && this.take({ shrink: Number(this.factor.value) }),
    }, "Shrink it");
    this.file = h("input", {
      type: "file", accept: "image/*", hidden: true,
      onchange: () => {
        const [truth] = this.file.files;
        if (truth) this.take({ truth });
        this.file.value = "";
      },
    });
    this.choose = h("button", { type: "button", onclick: () => this.file.click() }, "Choose the large original…");
    this.drop = h("button", { type: "button", onclick: () => this.take({}) }, "Without");
    this.said = h("p", {});
    this.element = h("details", { className: "gsr-menu gsr-truth" },
      h("summary", { title: "Measure against a large original" }, "Ground truth"),
      h("div", {}, this.said,
        h("label", {}, "Shrink this picture by × ", this.factor), this.go, this.choose, this.drop, this.file));
  }

  // Close the menu and open the picture again.
  take(part) {
    this.element.open = false;
    this.reopen(part);
  }

  // source: what was opened; a field that came without its picture cannot be shrunk
  use(about, source) {
    const { truth } = about;
    const own = Boolean(source.demo || (source.file && !source.file.name?.endsWith(".gsf")));
    this.go.disabled = this.choose.disabled = this.factor.disabled = !own;
    this.drop.hidden = !truth;
    this.said.textContent = truth
      ? `Known: ${truth.width} × ${truth.height} pixels, ${Number(truth.scale).toFixed(2)} times as large. Each side of the viewer shows its PSNR and SSIM.`
      : own
        ? "Shrink the picture first and keep the original: each method can then be compared with it."
        : "Open the picture itself to measure against an original.";
  }
}
