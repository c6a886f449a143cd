// The network on the graphics processor: one fragment shader per convolution, WebGL2. Features stand in
// array textures of 32-bit floats, four channels to a layer, and a pass writes several layers at once.

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const MATRIX_BYTES = 64;
const MOST_LAYERS = 4; // written by a pass: more would not stay in registers
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const layersOf = (channels) => Math.ceil(channels / 4);

// Sums over nine taps and all layers; what lies outside the picture is zero, as in training.
function fragment(inputs, outputs, relu, adds) {
  const each = (text) => Array.from({ length: outputs }, (_, o) => text.replaceAll("$", o)).join("\n");
  return `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2DArray;
uniform sampler2DArray source;
uniform sampler2DArray added;
uniform ivec2 size;
uniform int first; // layer of the target
layout(std140) uniform Weights { mat4 weights[${9 * inputs * outputs}]; vec4 bias[${outputs}]; };
${each("layout(location = $) out vec4 target$;")}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  ${each("vec4 sum$ = bias[$];")}
  for (int tap = 0; tap < 9; tap++) {
    ivec2 near = at + ivec2(tap % 3 - 1, tap / 3 - 1);
    if (any(lessThan(near, ivec2(0))) || any(greaterThanEqual(near, size))) continue;
    for (int i = 0; i < ${inputs}; i++) {
      vec4 value = texelFetch(source, ivec3(near, i), 0);
      int m = (tap * ${inputs} + i) * ${outputs};
      ${each("sum$ += weights[m + $] * value;")}
    }
  }
  ${relu ? each("sum$ = max(sum$, vec4(0.0));") : ""}
  ${adds ? each("sum$ += texelFetch(added, ivec3(at, first + $), 0);") : ""}
  ${each("target$ = sum$;")}
}`;
}

export class GraphicsNetwork {
  // null where there is no WebGL2 that can write 32-bit floats, or shaders are too small for the model; and,
  // unless `software` will do, where the browser only imitates a graphics processor.
  static of(model, side, software = false) {
    if (!globalThis.OffscreenCanvas) return null;
    const canvas = new OffscreenCanvas(1, 1);
    const gl = canvas.getContext("webgl2", {
      antialias: false, powerPreference: "high-performance", failIfMajorPerformanceCaveat: !software,
    });
    if (!gl?.getExtension("EXT_color_buffer_float")) return null;
    if (!software && SOFTWARE.test(rendererName(gl))) return null;
    const layers = layersOf(Math.max(model.channels, model.outputs));
    const room = gl.getParameter(gl.MAX_UNIFORM_BLOCK_SIZE);
    const together = Math.min(
      MOST_LAYERS, gl.getParameter(gl.MAX_DRAW_BUFFERS), gl.getParameter(gl.MAX_COLOR_ATTACHMENTS),
      Math.floor(room / (9 * layersOf(model.channels) * MATRIX_BYTES + 16)),
    );
    const fits = side <= gl.getParameter(gl.MAX_TEXTURE_SIZE)
      && layers + MOST_LAYERS <= gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS);
    return together >= 1 && fits ? new GraphicsNetwork(gl, model, side, layers, together) : null;
  }

  constructor(gl, model, side, layers, together) {
    this.gl = gl;
    this.together = together; // layers that a pass writes
    this.outputs = model.outputs;
    this.programs = new Map();
    this.name = rendererName(gl);
    const whole = together * Math.ceil(layers / together); // so that every pass writes as many
    this.picture = texture(gl, side, 1);
    this.maps = Array.from({ length: 4 }, () => {
      const made = texture(gl, side, whole);
      return { made, targets: Array.from({ length: whole / together }, (_, p) => passTarget(gl, made, p, together)) };
    });
    this.layers = model.convolutions.map((layer) => this.prepared(layer));
    if (gl.getError()) throw new Error("The graphics processor has too little memory for the network.");
  }

  // The program of a convolution, and the weights of each pass.
  prepared({ inputs, outputs, weights, bias, relu, adds }) {
    const { gl, together } = this;
    const passes = Array.from({ length: Math.ceil(layersOf(outputs) / together) }, (_, p) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
      const values = matrices(weights, bias, { inputs, outputs, first: 4 * p * together, together });
      gl.bufferData(gl.UNIFORM_BUFFER, values, gl.STATIC_DRAW);
      return buffer;
    });
    return { program: this.program(layersOf(inputs), relu, Boolean(adds)), passes, adds };
  }

  program(inputs, relu, adds) {
    const key = `${inputs} ${relu} ${adds}`;
    if (!this.programs.has(key)) {
      this.programs.set(key, compiled(this.gl, fragment(inputs, this.together, relu, adds)));
    }
    return this.programs.get(key);
  }

  // What the heads say of a picture's pixels { width, height, planes }: { values, stride }, pixel by pixel.
  run({ width, height, planes }) {
    const { gl, maps, layers } = this;
    if (gl.isContextLost()) throw new Error("The graphics processor was lost while it worked.");
    upload(gl, this.picture, width, height, planes);
    gl.viewport(0, 0, width, height);
    const [head, ...spare] = maps;
    let now = { made: this.picture, targets: [] };
    let block = head;
    layers.forEach((layer, i) => {
      const target = i === 0 ? head : spare.find((one) => one !== now && one !== block);
      this.convolve(layer, now, target, { block, head }[layer.adds], width, height);
      now = target;
      if (layer.adds === "block" || i === 0) block = now;
    });
    return this.read(now, width, height);
  }

  convolve({ program, passes }, source, target, added, width, height) {
    const { gl } = this;
    gl.useProgram(program.handle);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, source.made);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, added?.made ?? source.made);
    gl.uniform1i(program.at("source"), 0);
    gl.uniform1i(program.at("added"), 1);
    gl.uniform2i(program.at("size"), width, height);
    passes.forEach((buffer, p) => {
      gl.uniform1i(program.at("first"), p * this.together);
      gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, buffer);
      gl.bindFramebuffer(gl.FRAMEBUFFER, target.targets[p]);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    });
  }

  read(source, width, height) {
    const { gl, together, outputs } = this;
    const values = new Float32Array(width * height * outputs);
    const layer = new Float32Array(4 * width * height);
    for (let l = 0; l < layersOf(outputs); l++) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, source.targets[Math.floor(l / together)]);
      gl.readBuffer(gl.COLOR_ATTACHMENT0 + (l % together));
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, layer);
      const most = Math.min(4, outputs - 4 * l);
      for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < most; c++) values[i * outputs + 4 * l + c] = layer[4 * i + c];
      }
    }
    if (gl.getError() || gl.isContextLost()) throw new Error("The graphics processor was lost while it worked.");
    return { values, stride: outputs };
  }
}

function rendererName(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
}

function texture(gl, side, layers) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, made);
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA32F, side, side, layers);
  for (const name of ["MIN_FILTER", "MAG_FILTER"]) {
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl[`TEXTURE_${name}`], gl.NEAREST);
  }
  return made;
}

// What a pass writes to.
function passTarget(gl, made, pass, together) {
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  const places = Array.from({ length: together }, (_, i) => gl.COLOR_ATTACHMENT0 + i);
  places.forEach((place, i) => gl.framebufferTextureLayer(gl.FRAMEBUFFER, place, made, 0, pass * together + i));
  gl.drawBuffers(places);
  return framebuffer;
}

function compiled(gl, text) {
  const handle = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, text]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(handle));
  gl.uniformBlockBinding(handle, gl.getUniformBlockIndex(handle, "Weights"), 0);
  const places = {};
  return { handle, at: (name) => (places[name] ??= gl.getUniformLocation(handle, name)) };
}

// Weights of a pass as the shader reads them: for each tap, layer of the source and layer of the target a
// matrix, column by column, then the biases.
function matrices(weights, bias, { inputs, outputs, first, together }) {
  const layers = layersOf(inputs);
  const values = new Float32Array(16 * 9 * layers * together + 4 * together);
  for (let o = first; o < Math.min(outputs, first + 4 * together); o++) {
    const [target, lane] = [Math.floor((o - first) / 4), (o - first) % 4];
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < 9; tap++) {
        const matrix = (tap * layers + Math.floor(i / 4)) * together + target;
        values[16 * matrix + 4 * (i % 4) + lane] = weights[(o * inputs + i) * 9 + tap];
      }
    }
    values[16 * 9 * layers * together + (o - first)] = bias[o];
  }
  return values;
}

// The picture as the network wants it, -1 to 1.
function upload(gl, made, width, height, planes) {
  const count = width * height;
  const values = new Float32Array(4 * count);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < count; i++) values[4 * i + c] = (planes[c * count + i] - 0.5) / 0.5;
  }
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, made);
  gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, width, height, 1, gl.RGBA, gl.FLOAT, values);
}
