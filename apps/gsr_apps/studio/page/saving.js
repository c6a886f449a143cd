// Files for the user.

import { h } from "../viewer/dom.js";

export function saveBlob(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The name that the server gave a file.
export function fileName(answer) {
  const header = answer.headers.get("content-disposition") ?? "";
  const encoded = header.match(/filename\*=utf-8''([^;]+)/i)?.[1];
  return encoded ? decodeURIComponent(encoded) : header.match(/filename="([^"]+)"/)?.[1] ?? "picture.png";
}
