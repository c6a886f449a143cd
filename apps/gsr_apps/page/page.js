// A page that holds one field: the viewer with no server behind it.

import { localTransport } from "./local.js";
import { readPayload } from "./payload.js";
import { mount } from "./viewer.js";

const textOf = (id) => document.getElementById(id).textContent;

function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

async function start() {
  followTheme();
  const place = document.querySelector("main");
  try {
    const about = JSON.parse(textOf("about"));
    const bytes = Uint8Array.from(atob(textOf("field").trim()), (letter) => letter.charCodeAt(0));
    const field = await readPayload(bytes.buffer);
    const viewer = mount(place, { scale: 4, methods: [] });
    await viewer.open(about, localTransport(field));
  } catch (error) {
    const said = document.createElement("p");
    Object.assign(said, { className: "problem", textContent: error.message });
    said.setAttribute("role", "alert");
    place.replaceChildren(said);
  }
}

export default start;
