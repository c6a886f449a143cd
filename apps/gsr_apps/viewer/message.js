// How data travels to a page: gsr/base/message.py describes the layout.

const PREFIX = 20;

// { header, body } of one whole message of a kind { magic, version, called }.
export async function openMessage(buffer, kind) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  const damaged = () => new Error(`This ${kind.called} is damaged or cut short.`);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== kind.magic) {
    throw new Error(`This is not a ${kind.called}: it does not begin with ${kind.magic}.`);
  }
  if (bytes.length < PREFIX) throw damaged();
  const version = view.getUint16(4, true);
  if (version !== kind.version) {
    throw new Error(`Version ${version} of a ${kind.called} is not known, only ${kind.version} is.`);
  }
  const end = PREFIX + view.getUint32(8, true);
  const whole = end + view.getUint32(12, true) === bytes.length;
  if (view.getUint16(6, true) || !whole || crc32(bytes.subarray(PREFIX)) !== view.getUint32(16, true)) {
    throw damaged();
  }
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX, end)));
  return { header, body: await through(bytes.subarray(end), new DecompressionStream("deflate")) };
}

// A message of a header and a body, as `gsr.base.message` writes it.
export async function writeMessage(kind, header, body) {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const packed = await through(body, new CompressionStream("deflate"));
  const bytes = new Uint8Array(PREFIX + head.length + packed.length);
  const view = new DataView(bytes.buffer);
  bytes.set([...kind.magic].map((letter) => letter.charCodeAt(0)));
  view.setUint16(4, kind.version, true);
  view.setUint32(8, head.length, true);
  view.setUint32(12, packed.length, true);
  bytes.set(head, PREFIX);
  bytes.set(packed, PREFIX + head.length);
  view.setUint32(16, crc32(bytes.subarray(PREFIX)), true);
  return bytes;
}

// Reads Float32Arrays of given lengths from a body, one after the other.
export function floatsFrom(body, start) {
  const floats = new Float32Array(body.slice(start).buffer);
  let at = 0;
  return (length) => floats.subarray(at, (at += length));
}

async function through(bytes, change) {
  const stream = new Blob([bytes]).stream().pipeThrough(change);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
