// A field on the graphics processor: any view of it, at once. null where WebGL2 or what a field needs
// of it is missing.

import { covariance, physical } from "./formula.js";
import { decoderBlock, blockLength, fieldShader, firstBias, FIRST_FEATURE, PLAIN, VERTEX } from "./shaders.js";

const LAYERS = { result: 0, gaussians: 1, residual: 2 };
const CUT = 2e-4; // what is passed over changes a colour by less than half a grey level

export class Renderer {
  /**
   * @param {any} field what readPayload gives: the whole, or any part, when the parts follow with `put`
   * @param {{ software?: boolean }} [how] software: false refuses browsers that draw without a graphics
   *   processor, which a server outruns
   * @returns {Renderer | null}
   */
  static of(field, { software = true } = {}) {
    const canvas = new OffscreenCanvas(1, 1);
    const gl = canvas.getContext("webgl2", {
      alpha: false, antialias: false, preserveDrawingBuffer: true, failIfMajorPerformanceCaveat: !software,
    });
    const [height, width] = wholeOf(field);
    if (!gl || (!software && SOFTWARE.test(nameOf(gl))) || !fits(gl, { ...field, width, height })) return null;
    const renderer = new Renderer(field, canvas, gl);
    if (field.width === width && field.height === height) renderer.put(field);
    return renderer;
  }

  constructor(field, canvas, gl) {
    const [height, width] = wholeOf(field);
    this.field = { ...field, width, height };
    this.canvas = canvas;
    this.gl = gl;
    this.onrestored = () => {}; // the context is back, and empty
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      if (field.width === width && field.height === height) this.put(field);
      this.onrestored();
    });
    this.prepare();
  }

  /** Whether there is nothing to draw with for now. */
  get lost() {
    return this.gl.isContextLost();
  }

  // Everything that a context holds but the maps; again after it was lost.
  prepare() {
    const { gl, field } = this;
    const { width, height, decoder, maps } = field;
    this.widths = [decoder[0].columns - 2, ...decoder.map((layer) => layer.rows)];
    this.features = Math.ceil(maps.feat.channels / 4);
    /** @type {Record<string, any>} */
    this.programs = { plain: program(gl, PLAIN) };
    this.textures = {
      maps: storage(gl, width, height, FIRST_FEATURE + this.features),
      lr: texture(gl, gl.TEXTURE_2D),
      bank: texture(gl, gl.TEXTURE_2D),
      choice: texture(gl, gl.TEXTURE_2D),
      mixed: null, // kernels of their own, where an edit mixed them
    };
    gl.bindTexture(gl.TEXTURE_2D, this.textures.lr);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
    gl.bindTexture(gl.TEXTURE_2D, this.textures.bank);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, field.kernels, 1);
    gl.bindTexture(gl.TEXTURE_2D, this.textures.choice);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R16UI, width, height);
    this.putBank(field.bank);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, decoderBlock(decoder, this.widths), gl.STATIC_DRAW);
    gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, buffer);
  }

  /**
   * The maps of a part of the field, at its place.
   * @param {any} part as readPayload gives it
   */
  put(part) {
    const { gl } = this;
    const { width, height, maps } = part;
    const [top, left] = placeOf(part);
    for (let layer = 0; layer < FIRST_FEATURE + this.features; layer++) this.putLayer(layer, part);
    gl.bindTexture(gl.TEXTURE_2D, this.textures.lr);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, left, top, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixelsOf(part));
    this.putChoice(part, maps.index.values);
    this.putMixed(part, maps.mixed.channels ? maps.mixed.values : null);
  }

  /**
   * Draw with other choices from now on: all that an edit changes.
   * @param {{ bank: Float32Array, index: Float32Array, mixed: Float32Array | null }} choices of the whole
   */
  choose({ bank, index, mixed }) {
    const { width, height } = this.field;
    const whole = { width, height, place: [0, 0] };
    this.putBank(bank);
    this.putChoice(whole, index);
    this.putMixed(whole, mixed);
  }

  putChoice(part, index) {
    const { gl } = this;
    const { width, height } = part;
    const [top, left] = placeOf(part);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
    gl.bindTexture(gl.TEXTURE_2D, this.textures.choice);
    const numbers = Uint16Array.from(index);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, left, top, width, height, gl.RED_INTEGER, gl.UNSIGNED_SHORT, numbers);
  }

  putLayer(layer, part) {
    const { gl } = this;
    const { width, height } = part;
    const [top, left] = placeOf(part);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.textures.maps);
    gl.texSubImage3D(
      gl.TEXTURE_2D_ARRAY, 0, left, top, layer, width, height, 1, gl.RGBA, gl.FLOAT, layerOf(layer, part),
    );
  }

  // Raw kernels of each pixel, or null where all come from the bank.
  putMixed(part, raw) {
    const { width, height } = part;
    const { gl, field, textures } = this;
    this.mixed = raw !== null;
    if (!raw) return;
    if (!textures.mixed) {
      textures.mixed = texture(gl, gl.TEXTURE_2D);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, field.width, field.height);
    }
    const [top, left] = placeOf(part);
    gl.bindTexture(gl.TEXTURE_2D, textures.mixed);
    gl.texSubImage2D(
      gl.TEXTURE_2D, 0, left, top, width, height, gl.RGBA, gl.FLOAT, mixedKernels(raw, width * height),
    );
  }

  /** @param {Float32Array} bank four raw numbers for each kernel */
  putBank(bank) {
    const { gl, field } = this;
    const values = new Float32Array(4 * field.kernels);
    for (let k = 0; k < field.kernels; k++) values.set(shape(physical(bank, 4 * k)), 4 * k);
    gl.bindTexture(gl.TEXTURE_2D, this.textures.bank);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, field.kernels, 1, gl.RGBA, gl.FLOAT, values);
  }

  // The program for fields whose kernels come from the bank, or have been mixed.
  fieldProgram() {
    const { gl, features, widths, mixed } = this;
    const name = mixed ? "mixed" : "field";
    if (!this.programs[name]) {
      const { radius } = this.field;
      const made = program(gl, fieldShader({ radius, features, mixed, widths }));
      gl.uniformBlockBinding(made.handle, gl.getUniformBlockIndex(made.handle, "Decoder"), 0);
      this.programs[name] = made;
    }
    return this.programs[name];
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
    const { handle, at } = plain ? this.programs.plain : this.fieldProgram();
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
    if (this.mixed) bind(gl, at("mixed"), 1, gl.TEXTURE_2D, this.textures.mixed);
    else {
      bind(gl, at("bank"), 1, gl.TEXTURE_2D, this.textures.bank);
      bind(gl, at("choice"), 2, gl.TEXTURE_2D, this.textures.choice);
    }
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

// Of a field by itself, nothing says where it lies.
const wholeOf = ({ whole, height, width }) => whole ?? [height, width];
/** @type {(part: { place?: number[] }) => number[]} */
const placeOf = ({ place }) => place ?? [0, 0];

// Not all browsers admit by themselves that they draw without a graphics processor.
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

function nameOf(gl) {
  const more = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
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

// Half floats hold eleven bits, more than features have in a message and as many as colours need.
function storage(gl, width, height, layers) {
  const made = texture(gl, gl.TEXTURE_2D_ARRAY);
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA16F, width, height, layers);
  return made;
}

// What stands in a layer of the maps, see shaders.js.
function layerOf(layer, { width, height, maps }) {
  const { offsets, colors, slopes, feat } = maps;
  const nothing = { channels: 0, values: null };
  const lanes = [
    [nothing, 0], [offsets, 0], [offsets, 1], [colors, 0],
    [colors, 1], [colors, 2], [slopes, 0], [slopes, 1],
    [slopes, 2], [slopes, 3], [slopes, 4], [slopes, 5],
  ];
  const first = 4 * (layer - FIRST_FEATURE);
  const own = first < 0 ? lanes.slice(4 * layer, 4 * layer + 4) : [0, 1, 2, 3].map((c) => [feat, first + c]);
  const pixels = width * height;
  const values = new Float32Array(4 * pixels);
  own.forEach(([map, c], lane) => {
    if (c >= map.channels) return;
    for (let i = 0; i < pixels; i++) values[4 * i + lane] = map.values[c * pixels + i];
  });
  return values;
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

function pixelsOf({ width, height, maps }) {
  const pixels = width * height;
  const values = new Uint8Array(4 * pixels).fill(255);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) values[4 * i + c] = Math.round(255 * maps.lr.values[c * pixels + i]);
  }
  return values;
}
