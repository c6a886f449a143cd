// What each step of the tour says and does. `run` gets the page and drives its viewer.

import { STILLS } from "./tour_stills.js";

const SWEEP_MS = 3500;

const look = ({ viewer }, scale, state) => {
  const { width, height, focus } = viewer.picture;
  const [fx, fy] = focus ?? [0.5, 0.5];
  viewer.change(state);
  viewer.look({ x: fx * width, y: fy * height, zoom: scale });
};

const explainFocus = ({ viewer }) => {
  const { width, height, focus } = viewer.picture;
  const [fx, fy] = focus ?? [0.5, 0.5];
  return viewer.select([fx * width, fy * height]);
};

// Zoom evenly, as a hand would; a zoom by that hand ends it.
function sweep(viewer, from, to) {
  const begin = performance.now();
  let last = viewer.place.zoom;
  return new Promise((resolve) => {
    const step = (now) => {
      if (viewer.place.zoom !== last) return resolve();
      const part = Math.min(1, (now - begin) / SWEEP_MS);
      viewer.look({ zoom: from * (to / from) ** part });
      last = viewer.place.zoom;
      if (part < 1 && viewer.element.isConnected) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  });
}

export const STEPS = [
  {
    title: "A picture is a grid of pixels",
    text: "Seen closely it is made of squares, each of one colour. Nothing records what lies between them.",
    still: STILLS.pixel,
    run: (page) => look(page, 40, { mode: "one", sources: ["bicubic", "gsr:lr"] }),
  },
  {
    title: "Every pixel becomes a Gaussian",
    text: "A soft spot of colour with a size, a shape and a direction. It reaches beyond its pixel, and it has no grid.",
    still: STILLS.gaussian,
    run: (page) => look(page, 40, {
      mode: "wipe", wipe: 0.5, sources: ["gsr:lr", "gsr:gaussians"], ellipses: true, colorBy: "own", sigma: 1,
    }),
  },
  {
    title: "One hundred kernels to choose from",
    text: "The shapes were learned once, from many photographs. Choose some in the figure: the pixels that picked them stay lit.",
    still: STILLS.bank,
    run: (page) => {
      look(page, 12, { mode: "one", ellipses: true, colorBy: "kernel" });
      page.kernels.panel.show(true);
    },
  },
  {
    title: "A colour is their weighted sum",
    text: "At the cross, a handful of Gaussians overlap. Their shares add up to 100 %; a small correction by a network is added.",
    still: STILLS.sum,
    run: (page) => {
      look(page, 24, { mode: "one", ellipses: true });
      return explainFocus(page);
    },
  },
  {
    title: "So it can be drawn at any scale",
    text: "The Gaussians were made once. Zooming only draws them again: at 2 times, at 7.31 times, at 30 times.",
    still: STILLS.scale,
    run: async (page) => {
      look(page, 2, { mode: "side", sources: ["bicubic", "gsr:result"] });
      await sweep(page.viewer, 2, 30);
    },
  },
  {
    title: "The kernel follows the content",
    text: "Along an edge the network picks long kernels that lie with it. Where nothing happens the choice hardly matters, and looks arbitrary. The hue is the direction.",
    still: STILLS.choice,
    run: (page) => look(page, 8, { mode: "side", sources: ["gsr:result", "gsr:result"], map: "kernel", opacity: 0.75 }),
  },
  {
    title: "Break it and see",
    text: "Give every pixel the kernel of another one, chosen at random. Left: as it was. Right: the same kernels in wrong places.",
    still: STILLS.broken,
    run: async (page) => {
      page.whatIf.panel.show(true);
      await page.whatIf.add({ kind: "shuffle", seed: 0 });
      if (page.tour.element.hidden) return; // it was ended meanwhile
      look(page, 8, { mode: "wipe", wipe: 0.5, sources: ["original:result", "gsr:result"] });
    },
  },
];
