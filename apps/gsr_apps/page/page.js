// A page that holds one field: the viewer with no server behind it.

import { readPayload } from "../viewer/payload.js";
import { Showing, bytesOf, followTheme, problem, textOf } from "./showing.js";

async function start() {
  const blank = document.documentElement.cloneNode(true);
  followTheme();
  const place = document.querySelector("main");
  const showing = new Showing(place, blank);
  /** @type {any} */ (window).gsrShowing = showing;
  document.querySelector("header").append(showing.bar);
  place.after(showing.below);
  try {
    await showing.open(JSON.parse(textOf("about")), await readPayload(bytesOf("field")));
  } catch (error) {
    place.replaceChildren(problem(error));
  }
}

export default start;
