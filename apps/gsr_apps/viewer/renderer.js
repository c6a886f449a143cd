// A field on the graphics processor: any view of it, at once. null where WebGL2 or what a field needs
// of it is missing.

import { covariance, physical } from "./formula.js";
import { decoderBlock, blockLength, fieldShader, firstBias, FIRST_FEATURE, PLAIN, VERTEX } from "./shaders.js";

const LAYERS = { result: 0, gaussians: 1, residual: 2 };
const CUT = 2e-4; // what is passed over changes a colour by less than half a grey level

export class Renderer {
  static of(field) {
    const canvas = new OffscreenCanvas(1, 1);
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl || !fits(gl, field)) return null;
    return new Renderer(field, canvas, gl);
  }

  constructor(field, canvas, gl) {
    this.field = field;
    this.canvas = canvas;
    this.gl = gl;
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.prepare());
    this.prepare();
  }

  // Everything that a context holds; again after it was lost.
  prepare() {
    const { gl, field } = this;
    const { radius, decoder, maps } = field;
    this.widths = [decoder[0].columns - 2, ...decoder.map((layer) => layer.rows)];
    const features = Math.ceil(maps.feat.channels / 4);
    const mixed = maps.mixed.channels > 0;
    this.programs = {
      field: program(gl, fieldShader({ radius, features, mixed, widths: this.widths })),
      plain: program(gl, PLAIN),
    };
    this.textures = {
      maps: layersTexture(gl, field, features, mixed),
      bank: bankTexture(gl, field),
      lr: lrTexture(gl, field),
    };
    const block = decoderBlock(decoder, this.widths);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, block, gl.STATIC_DRAW);
    gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, buffer);
    const { handle } = this.programs.field;
    gl.uniformBlockBinding(handle, gl.getUniformBlockIndex(handle, "Decoder"), 0);
  }

  // { bitmap, milliseconds } of a view { x, y, width, height, columns, rows }; layer: result, gaussians,
  // residual, lr or bicubic.
  render(view, layer) {
    const { gl, canvas } = this;
    if (gl.isContextLost()) throw new Error("The graphics processor was lost; it is asked again in a moment.");
    const start = performance.now();
    Object.assign(canvas, { width: view.columns, height: view.rows });
    gl.viewport(0, 0, view.columns, view.rows);
    const plain = !(layer in LAYERS);
    const { handle, at } = plain ? this.programs.plain : this.programs.field;
    gl.useProgram(handle);
    this.place(at, view);
    if (plain) {
      gl.uniform1i(at("cubic"), layer === "bicubic" ? 1 : 0);
      bind(gl, at("lr"), 0, gl.TEXTURE_2D, this.textures.lr);
    } else this.paint(at, view, LAYERS[layer]);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.finish(); // or the time would be that of asking
    const bitmap = canvas.transferToImageBitmap();
    return { bitmap, milliseconds: performance.now() - start };
  }

  place(at, view) {
    const { gl, field } = this;
    const [left, top] = [Math.floor(view.x), Math.floor(view.y)];
    gl.uniform4f(at("view"), view.x - left, view.y - top, view.width / view.columns, view.height / view.rows);
    gl.uniform2i(at("corner"), left, top);
    gl.uniform2i(at("size"), field.width, field.height);
    gl.uniform1i(at("rows"), view.rows);
  }

  paint(at, view, layer) {
    const { gl, field } = this;
    const scale = [view.columns / view.width, view.rows / view.height].map((s) => Math.max(1, s));
    gl.uniform2f(at("footprint"), ...scale.map((s) => (field.footprint / s) ** 2));
    gl.uniform1i(at("layer"), layer);
    gl.uniform1f(at("cut"), CUT);
    const cell = scale.map((s) => 1 / Math.min(s, field.finest));
    gl.uniform4fv(at("biases0"), firstBias(field.decoder[0], ...cell));
    bind(gl, at("maps"), 0, gl.TEXTURE_2D_ARRAY, this.textures.maps);
    bind(gl, at("bank"), 1, gl.TEXTURE_2D, this.textures.bank);
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function fits(gl, field) {
  const side = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  const widths = [field.decoder[0].columns - 2, ...field.decoder.map((layer) => layer.rows)];
  return Math.max(field.width, field.height) <= side
    && 16 * blockLength(widths) <= gl.getParameter(gl.MAX_UNIFORM_BLOCK_SIZE);
}

function program(gl, fragment) {
  const handle = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(handle));
  const places = new Map();
  const at = (name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(handle, name));
    return places.get(name);
  };
  return { handle, at };
}

function bind(gl, place, unit, kind, handle) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(kind, handle);
  gl.uniform1i(place, unit);
}

function texture(gl, kind) {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(kind, made);
  for (const name of ["MIN_FILTER", "MAG_FILTER"]) gl.texParameteri(kind, gl[`TEXTURE_${name}`], gl.NEAREST);
  return made;
}

// Half floats hold kernel numbers to 2048 and twelve bits of colour.
function layersTexture(gl, { width, height, maps }, features, mixed) {
  const count = FIRST_FEATURE + features + (mixed ? 1 : 0);
  const made = texture(gl, gl.TEXTURE_2D_ARRAY);
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA16F, width, height, count);
  const { index, offsets, colors, slopes, feat } = maps;
  const lanes = [
    [index, 0], [offsets, 0], [offsets, 1], [colors, 0],
    [colors, 1], [colors, 2], [slopes, 0], [slopes, 1],
    [slopes, 2], [slopes, 3], [slopes, 4], [slopes, 5],
    ...Array.from({ length: 4 * features }, (_, c) => [feat, c]),
  ];
  const pixels = width * height;
  for (let layer = 0; layer < FIRST_FEATURE + features; layer++) {
    const values = new Float32Array(4 * pixels);
    lanes.slice(4 * layer, 4 * layer + 4).forEach(([map, c], lane) => {
      if (c >= map.channels) return;
      for (let i = 0; i < pixels; i++) values[4 * i + lane] = map.values[c * pixels + i];
    });
    upload(gl, layer, width, height, values);
  }
  if (mixed) upload(gl, count - 1, width, height, mixedKernels(maps.mixed.values, pixels));
  return made;
}

function upload(gl, layer, width, height, values) {
  gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, layer, width, height, 1, gl.RGBA, gl.FLOAT, values);
}

function mixedKernels(raw, pixels) {
  const values = new Float32Array(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    values.set(shape(physical([0, 1, 2, 3].map((c) => raw[c * pixels + i]))), 4 * i);
  }
  return values;
}

function shape(kernel) {
  const { xx, xy, yy } = covariance(kernel);
  return [xx, xy, yy, kernel.opacity];
}

function bankTexture(gl, { kernels, bank }) {
  const values = Float32Array.from({ length: kernels }, (_, k) => k).reduce((all, k) => {
    all.set(shape(physical(bank, 4 * k)), 4 * k);
    return all;
  }, new Float32Array(4 * kernels));
  const made = texture(gl, gl.TEXTURE_2D);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, kernels, 1);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, kernels, 1, gl.RGBA, gl.FLOAT, values);
  return made;
}

function lrTexture(gl, { width, height, maps }) {
  const pixels = width * height;
  const values = new Uint8Array(4 * pixels).fill(255);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) values[4 * i + c] = Math.round(255 * maps.lr.values[c * pixels + i]);
  }
  const made = texture(gl, gl.TEXTURE_2D);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, values);
  return made;
}
