// What can be taken away of a page: the picture at any scale, and the page with its field.

import { writePayload } from "../viewer/payload.js";
import { withText } from "./png.js";

const STRIP = 1024; // rows rendered at a time
export const MOST_SIDE = 16384;
export const MOST_PIXELS = 100_000_000;

// The size of a picture at a scale, or a sentence in an Error.
export function outputSize({ width, height }, scale) {
  if (!(scale > 0 && scale <= 64)) throw new Error("A scale is a number above 0, of at most 64.");
  const size = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  if (Math.max(...size) > MOST_SIDE || size[0] * size[1] > MOST_PIXELS) {
    const most = Math.min(MOST_SIDE / Math.max(width, height), Math.sqrt(MOST_PIXELS / (width * height)));
    throw new Error(
      `${size[0]} × ${size[1]} pixels are too many for a browser; up to scale ${Math.floor(100 * most) / 100} fits.`,
    );
  }
  return { columns: size[0], rows: size[1] };
}

/**
 * A PNG of the whole picture.
 * @param {any} picture
 * @param {import("../viewer/transport.js").Transport} transport
 * @param {number} scale
 * @param {(done: number, all: number) => void} [onprogress] with rows
 */
export async function pictureBlob(picture, transport, scale, onprogress = () => {}) {
  const { columns, rows } = outputSize(picture, scale);
  const canvas = new OffscreenCanvas(columns, rows);
  const context = canvas.getContext("2d");
  if (!context) throw new Error(`This browser has no room for ${columns} × ${rows} pixels.`);
  const [dx, dy] = [picture.width / columns, picture.height / rows];
  for (let top = 0; top < rows; top += STRIP) {
    for (let left = 0; left < columns; left += STRIP) {
      const [wide, tall] = [Math.min(STRIP, columns - left), Math.min(STRIP, rows - top)];
      const view = { x: left * dx, y: top * dy, width: wide * dx, height: tall * dy, columns: wide, rows: tall };
      const request = { view, method: "gsr", layer: "result", quality: "exact", channel: "save" };
      const { bitmap } = await transport.ask("frame", request);
      context.drawImage(bitmap, left, top);
      bitmap.close();
    }
    onprogress(Math.min(rows, top + STRIP), rows);
    await new Promise((resolve) => { setTimeout(resolve); }); // let the page breathe
  }
  const words = { ...picture.made, "gsr:scale": scale.toPrecision(6).replace(/\.?0+$/, "") };
  return withText(await canvas.convertToBlob({ type: "image/png" }), words);
}

// The page as it was loaded, with a field instead of the network.
export async function pageBlob(blank, picture, field) {
  const page = blank.cloneNode(true);
  const title = [picture.name, picture.changed].filter(Boolean).join(", ");
  page.querySelector("title").textContent = `${title} · gsr`;
  page.querySelector("h1").textContent = title;
  page.querySelector("header p").textContent =
    `${picture.width} × ${picture.height} Gaussians of the model ${field.model}`;
  page.querySelectorAll("script[id]").forEach((script) => script.remove());
  const bytes = await writePayload(field);
  const module = page.querySelector("script[type=module]");
  module.before(data("about", "application/json", JSON.stringify(picture).replaceAll("<", "\\u003c")));
  module.before(data("field", "text/plain", base64(bytes)));
  return new Blob(["<!doctype html>\n", page.outerHTML], { type: "text/html" });
}

function data(id, type, text) {
  return Object.assign(document.createElement("script"), { id, type, textContent: text });
}

function base64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 0x6000) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000))));
  }
  return parts.join("");
}

export function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// "photo.jpg" as "photo".
export const stem = (name) => name.replace(/\.\w{1,5}$/, "") || "picture";
