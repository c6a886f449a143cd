// A picture file as the browser reads it.

const HEAD = 65536; // bytes in which a file says what it holds
const PROFILES = { // words in a file, and what they say
  "Display P3": "Display P3", "Adobe RGB": "Adobe RGB", ProPhoto: "ProPhoto RGB", "BT.2020": "BT.2020",
  Rec2020: "BT.2020",
};

// { width, height, planes, name, notes }: RGB in [0, 1], upright, on white where it is transparent, and at
// most `most` pixels if `shrink` is set; { tooLarge: { width, height, factor } } if it is not and there are more.
export async function readPicture(file, { most, shrink = false }) {
  const name = file.name || "picture";
  if (!file.size) throw new Error(`${name} is empty.`);
  const bitmap = await decoded(file, name);
  const { width, height } = bitmap;
  const factor = Math.sqrt(most / (width * height));
  if (factor < 1 && !shrink) {
    bitmap.close();
    return { tooLarge: { width, height, factor } };
  }
  const size = factor < 1
    ? [width, height].map((side) => Math.max(1, Math.floor(side * factor))) : [width, height];
  const notes = await notesOn(file);
  if (factor < 1) notes.push(`It was reduced from ${width} × ${height} to ${size[0]} × ${size[1]} pixels.`);
  const { planes, transparent } = pixels(bitmap, ...size);
  bitmap.close();
  if (transparent) notes.push("Its transparent parts were put on white.");
  if (altered()) notes.push("This browser changes pixels that pages read, to protect privacy: colours may be off.");
  return { width: size[0], height: size[1], planes, name, notes };
}

async function decoded(file, name) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none" });
  } catch {
    throw new Error(
      `${name} is not a picture that this browser can open; PNG, JPEG, WebP, GIF and AVIF files are.`,
    );
  }
}

function pixels(bitmap, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`This browser has no room for ${width} × ${height} pixels.`);
  Object.assign(context, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
  context.drawImage(bitmap, 0, 0, width, height);
  const transparent = isTransparent(context.getImageData(0, 0, width, height).data);
  if (transparent) {
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
  }
  return { planes: planesOf(context.getImageData(0, 0, width, height).data), transparent };
}

function isTransparent(values) {
  for (let i = 3; i < values.length; i += 4) if (values[i] < 255) return true;
  return false;
}

export function planesOf(values) {
  const count = values.length / 4;
  const planes = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) planes[c * count + i] = values[4 * i + c] / 255;
  }
  return planes;
}

// What the browser has changed already: it gives eight bits and the colours of sRGB.
async function notesOn(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const text = latin(bytes) + await pngProfile(bytes);
  const profile = Object.keys(PROFILES).find((words) => text.includes(words));
  const notes = [];
  if (profile) {
    notes.push(`Its colours were converted from ${PROFILES[profile]} to sRGB; those that sRGB lacks were clipped.`);
  }
  if (text.startsWith("\x89PNG") && bytes[24] === 16) notes.push("Of its 16 bits per channel 8 were kept.");
  if (text.startsWith("GIF8") || text.includes("ANIM")) notes.push("Of an animation the first picture is taken.");
  return notes;
}

// Names in profiles have two bytes a letter.
const latin = (bytes) => new TextDecoder("latin1").decode(bytes).replaceAll("\0", "");

// The profile of a PNG file, which is compressed there; "" where there is none.
async function pngProfile(bytes) {
  const at = new TextDecoder("latin1").decode(bytes).indexOf("iCCP");
  if (at < 4) return "";
  const length = new DataView(bytes.buffer).getUint32(at - 4);
  const chunk = bytes.subarray(at + 4, at + 4 + length);
  const packed = chunk.subarray(chunk.indexOf(0) + 2); // behind its name and the method
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return latin(new Uint8Array(await new Response(stream).arrayBuffer()));
  } catch {
    return ""; // damaged, or longer than what was read: then the browser ignores it as well
  }
}

function altered() {
  const context = new OffscreenCanvas(8, 8).getContext("2d");
  const known = Uint8ClampedArray.from({ length: 256 }, (_, i) => (i % 4 === 3 ? 255 : (37 * i) % 256));
  context.putImageData(new ImageData(known, 8, 8), 0, 0);
  return context.getImageData(0, 0, 8, 8).data.some((value, i) => value !== known[i]);
}
