// The bank of kernels as a figure, linked with the picture: pick kernels and their pixels light up,
// mark a region and the figure shows what it uses.

import { debounce, h } from "../viewer/dom.js";
import { checked } from "../viewer/http.js";
import { Panel } from "./panel.js";
import { loadPlotly } from "./plotly.js";

export class Kernels {
  // viewer: the viewer; picked(kernels): a choice was made here; failed(error)
  constructor(base, viewer, { picked, failed }) {
    this.base = base;
    this.viewer = viewer;
    this.picked = picked;
    this.failed = failed;
    this.marked = [];
    this.plot = h("div", { className: "gsr-plot" });
    this.said = h("p", { className: "gsr-said-here", role: "status" });
    this.mark = h("button", {
      type: "button", "aria-pressed": "false", onclick: () => this.marking(this.viewer.tool !== this.tool),
      title: "Drag a rectangle over the picture: the bars show the kernels it uses",
    }, "Mark a region");
    // The figure takes a pointer; the number is for those who have none.
    this.number = h("input", {
      type: "number", min: 0, step: 1, required: true, className: "gsr-number", "aria-label": "Number of a kernel",
    });
    const choosing = h("form", {
      className: "gsr-buttons",
      onsubmit: (event) => {
        event.preventDefault();
        this.toggle(Number(this.number.value));
      },
    }, h("label", {}, "Kernel ", this.number), h("button", { title: "Toggle highlighting of its pixels" }, "Choose"));
    this.clear = h("button", { type: "button", onclick: () => this.reset() }, "Clear");
    this.panel = new Panel("Kernels", "gsr-kernels",
      h("p", {}, "The shapes that the network learned. Fill shows how much this picture uses each. Choose some, and the picture pixels that picked them stay lit."),
      this.plot, choosing, h("div", { className: "gsr-buttons" }, this.mark, this.clear), this.said);
    this.panel.onopen = () => {
      // Type a number, press Enter; a screen keyboard would only hide the picture.
      if (matchMedia("(hover: hover)").matches) this.number.focus({ preventScroll: true });
      this.draw();
    };
    this.panel.onclose = () => this.marking(false);
    this.tool = regionTool(viewer, debounce(120, () => this.showUsage()));
  }

  use(about, transport) {
    const same = this.about?.id === about.id;
    const edited = this.about?.original === about.original; // before or after
    this.about = about;
    this.transport = transport;
    this.number.max = about.kernels.length - 1;
    if (!edited) this.reset();
    if (this.panel.open && !same) this.draw();
  }

  async draw() {
    const { about } = this;
    if (!about || this.drawn === about.id) return;
    try {
      const Plotly = await loadPlotly(this.base);
      const figure = await (await checked(fetch(new URL(`fields/${about.id}/bank`, this.base)))).json();
      if (about !== this.about) return;
      this.Plotly = Plotly;
      this.drawn = about.id;
      await Plotly.react(this.plot, figure.data, ownLayout(figure.layout, this.plot), {
        displayModeBar: false, responsive: true,
      });
      this.plot.removeAllListeners("plotly_click");
      this.plot.on("plotly_click", ({ points }) => this.toggle(numberOf(points[0])));
      this.showPicked();
      if (this.viewer.highlighted.region) this.showUsage();
    } catch (error) {
      this.failed(error);
    }
  }

  // Light or dark has changed.
  recolor() {
    if (this.plot.data) this.Plotly.relayout(this.plot, { "font.color": getComputedStyle(this.plot).color });
  }

  toggle(kernel) {
    const { kernels: lit } = this.viewer.highlighted;
    this.light(lit.includes(kernel) ? lit.filter((other) => other !== kernel) : [...lit, kernel]);
  }

  light(kernels) {
    this.viewer.highlight({ kernels });
    this.showPicked();
    this.picked(kernels);
  }

  showPicked() {
    const { kernels: lit, region } = this.viewer.highlighted;
    const share = lit.reduce((sum, kernel) => sum + (this.about?.kernels[kernel]?.share ?? 0), 0);
    const chosen = `${lit.length === 1 ? `Kernel ${lit[0]}` : `${lit.length} kernels`}: ${(100 * share).toFixed(1)} % of the picture.`;
    this.said.textContent = [
      lit.length ? chosen : "", region ? "Bars: the marked region." : "",
    ].join(" ");
    this.clear.disabled = !lit.length && !region;
    if (!this.Plotly || !this.plot.data) return;
    this.plot.data.forEach((trace, i) => {
      if (!trace.customdata) return;
      const numbers = Array.from(trace.customdata, (row) => [row].flat()[0]);
      const points = numbers.flatMap((kernel, at) => (lit.includes(kernel) ? [at] : []));
      this.Plotly.restyle(this.plot, { selectedpoints: [lit.length ? points : null] }, [i]);
    });
  }

  // --- a region ------------------------------------------------------------------------------

  marking(on) {
    if (on || this.viewer.tool === this.tool) this.viewer.use(on ? this.tool : null);
    this.mark.setAttribute("aria-pressed", String(on));
    if (on) this.said.textContent = "Drag a rectangle over the picture.";
  }

  async showUsage() {
    const { region } = this.viewer.highlighted;
    const { about } = this;
    try {
      const shares = region
        ? (await this.transport.ask("usage", { view: region })).shares
        : about.kernels.map((kernel) => kernel.share);
      if (about !== this.about || !this.plot.data) return;
      this.plot.data.forEach((trace, i) => {
        if (trace.type !== "bar") return;
        const heights = Array.from(trace.customdata, (row) => 100 * shares[[row].flat()[0]]);
        this.Plotly.restyle(this.plot, { y: [heights] }, [i]);
      });
      this.showPicked();
    } catch (error) {
      this.failed(error);
    }
  }

  reset() {
    this.marking(false);
    const { kernels, region } = this.viewer.highlighted;
    this.viewer.highlight({ region: null });
    if (kernels.length) this.light([]);
    if (region) this.showUsage();
    this.showPicked();
  }
}

function numberOf(point) {
  return [point.customdata].flat()[0];
}

function ownLayout(layout, plot) {
  const style = getComputedStyle(plot);
  const quiet = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  return {
    ...layout, ...quiet, autosize: true, width: undefined, font: { ...layout.font, color: style.color, size: 11 },
  };
}

// A rectangle of the picture, from one corner to the other.
function regionTool(viewer, done) {
  let corner = null;
  const within = (value, most) => Math.min(most, Math.max(0, value));
  return {
    down: (x, y) => {
      corner = [x, y];
    },
    move: (x, y) => {
      const { width, height } = viewer.picture;
      const [x0, x1] = [corner[0], x].map((v) => within(v, width)).sort((a, b) => a - b);
      const [y0, y1] = [corner[1], y].map((v) => within(v, height)).sort((a, b) => a - b);
      viewer.highlight({ region: { x: x0, y: y0, width: Math.max(x1 - x0, 0.5), height: Math.max(y1 - y0, 0.5) } });
    },
    up: () => {
      corner = null;
      if (viewer.highlighted.region) done();
    },
    cancel: () => {
      corner = null;
    },
  };
}
