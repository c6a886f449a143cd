// The shaders of the renderer. Everything is read by texelFetch, so no filter ever blends two Gaussians.
//
// Texture layers of `maps`, four numbers each, per picture pixel:
//   0: nothing, offset x, offset y, red
//   1: green, blue, slope of red along x, along y
//   2: slopes of green and blue
//   3...: features
// A kernel is covariance xx, xy, yy and opacity: in `bank` by its number, which `choice` has for each
// pixel, or in `mixed` for each pixel.

export const FIRST_FEATURE = 3;

export const VERTEX = `#version 300 es
void main() { // one triangle over everything
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
precision highp usampler2D;
uniform vec4 view;  // left, top, LR pixels per output pixel along x and y
uniform ivec2 corner; // whole LR pixels that left and top are counted from, for the digits of a float
uniform ivec2 size; // of the picture, LR pixels
uniform int rows;   // of the output
out vec4 color;

// The point of this output pixel, counted from \`corner\`, kept inside the picture.
vec2 place() {
  vec2 pixel = vec2(gl_FragCoord.x, float(rows) - gl_FragCoord.y);
  return clamp(view.xy + pixel * view.zw, vec2(-corner), vec2(size - corner));
}
`;

// The picture's own pixels, and their bicubic interpolation (Keys, a = -0.5, as Pillow's).
export const PLAIN = `${HEAD}
uniform sampler2D lr;
uniform bool cubic;
vec4 keys(float t) {
  vec4 d = abs(vec4(t + 1.0, t, t - 1.0, t - 2.0));
  vec4 near = (1.5 * d - 2.5) * d * d + 1.0;
  vec4 far = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
  return mix(far, near, vec4(lessThanEqual(d, vec4(1.0))));
}
void main() {
  vec2 p = place();
  if (!cubic) {
    ivec2 pixel = clamp(ivec2(floor(p)) + corner, ivec2(0), size - 1);
    color = vec4(texelFetch(lr, pixel, 0).rgb, 1.0);
    return;
  }
  ivec2 first = ivec2(floor(p - 0.5));
  vec2 t = p - 0.5 - vec2(first);
  vec4 across = keys(t.x), down = keys(t.y);
  vec3 sum = vec3(0.0);
  float total = 0.0;
  for (int j = 0; j < 4; j++) for (int i = 0; i < 4; i++) {
    ivec2 pixel = first + ivec2(i - 1, j - 1) + corner;
    if (any(lessThan(pixel, ivec2(0))) || any(greaterThanEqual(pixel, size))) continue;
    float w = across[i] * down[j];
    sum += w * texelFetch(lr, pixel, 0).rgb;
    total += w;
  }
  color = vec4(sum / total, 1.0);
}`;

// The field itself.
//   features: textures of four features; widths: [inputs, hidden..., 3] of the decoder
export function fieldShader({ radius, features, mixed, widths }) {
  return `${HEAD}
uniform sampler2DArray maps;
${mixed ? "uniform sampler2D mixed;" : "uniform sampler2D bank; uniform usampler2D choice;"}
uniform vec2 footprint; // variance of an output pixel along x and y
uniform int layer;      // 0 result, 1 Gaussians alone, 2 what the decoder adds
uniform float cut;      // weights below this part of the sum so far are passed over
${decoderUniforms(widths)}
const int RADIUS = ${radius};
const ivec2 TAPS[${(2 * radius + 1) ** 2}] = ivec2[](${taps(radius)});

float taper(float d) {
  float u = clamp(abs(d) - (float(RADIUS) - 0.5), 0.0, 1.0);
  return 1.0 - u * u * (3.0 - 2.0 * u);
}
${decoder(widths)}
void main() {
  vec2 p = place();
  ivec2 cell = clamp(ivec2(floor(p)), -corner, size - 1 - corner);
  vec3 rgb = vec3(0.0);
  vec2 way = vec2(0.0);
  vec4 sums[${Math.max(1, features)}];
  for (int f = 0; f < ${features}; f++) sums[f] = vec4(0.0);
  float total = 0.0;
  for (int k = 0; k < ${(2 * radius + 1) ** 2}; k++) {
    ivec2 near = cell + TAPS[k];
    ivec2 pixel = near + corner;
    if (any(lessThan(pixel, ivec2(0))) || any(greaterThanEqual(pixel, size))) continue;
    vec4 head = texelFetch(maps, ivec3(pixel, 0), 0);
    vec4 kernel = ${mixed ? "texelFetch(mixed, pixel, 0)"
    : "texelFetch(bank, ivec2(int(texelFetch(choice, pixel, 0).r), 0), 0)"};
    vec2 to = p - vec2(near) - 0.5;
    vec2 d = to - head.yz;
    float a = kernel.x + footprint.x, c = kernel.z + footprint.y, b = kernel.y;
    float e = (0.5 * (c * d.x * d.x + a * d.y * d.y) - b * d.x * d.y) / (a * c - b * b);
    float w = kernel.w * exp(-min(e, 60.0)) * taper(to.x) * taper(to.y);
    if (w <= cut * total) continue;
    vec4 one = texelFetch(maps, ivec3(pixel, 1), 0);
    vec4 two = texelFetch(maps, ivec3(pixel, 2), 0);
    total += w;
    rgb += w * (vec3(head.w, one.xy) + vec3(dot(one.zw, d), dot(two.xy, d), dot(two.zw, d)));
    way += w * d;
    if (layer != 1) {
      for (int f = 0; f < ${features}; f++) sums[f] += w * texelFetch(maps, ivec3(pixel, ${FIRST_FEATURE} + f), 0);
    }
  }
  rgb /= total;
  if (layer == 1) { color = vec4(rgb, 1.0); return; }
  for (int f = 0; f < ${features}; f++) sums[f] /= total;
  vec3 more = decoded(sums, way / total);
  color = vec4(layer == 2 ? 0.5 + 4.0 * more : rgb + more, 1.0);
}`;
}

// Nearest first: the sum is large before the taps come that may be passed over.
function taps(radius) {
  const all = [];
  for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) all.push([x, y]);
  all.sort(([a, b], [c, d]) => a * a + b * b - c * c - d * d);
  return all.map(([x, y]) => `ivec2(${x}, ${y})`).join(", ");
}

const vectors = (count) => Math.ceil(count / 4);

// Inputs and hidden values stand in vec4, four outputs of a layer are a mat4 times each of them; the
// last layer has three rows of vec4. `offset` is where the weights of a layer begin in the block.
function decoderUniforms(widths) {
  return `layout(std140) uniform Decoder { vec4 weights[${blockLength(widths)}]; };
uniform vec4 biases0[${vectors(widths[1])}]; // of the first layer, with the size of an output pixel in them`;
}

export function blockLength(widths) {
  let length = 0;
  for (let i = 1; i < widths.length; i++) {
    const last = i === widths.length - 1;
    length += (last ? 3 : 4 * vectors(widths[i])) * vectors(widths[i - 1]);
    if (i > 1) length += last ? 1 : vectors(widths[i]);
  }
  return length;
}

function decoder(widths) {
  const lines = [];
  let at = 0;
  for (let i = 1; i < widths.length; i++) {
    const [inputs, outputs] = [vectors(widths[i - 1]), vectors(widths[i])];
    const from = `h${i - 1}`;
    if (i === widths.length - 1) {
      const dots = [0, 1, 2].map((r) => `dot(weights[${at} + ${r * inputs} + i], ${from}[i])`);
      lines.push(
        `vec3 out3 = weights[${at + 3 * inputs}].xyz;`,
        `for (int i = 0; i < ${inputs}; i++) out3 += vec3(${dots.join(", ")});`,
        "return out3;",
      );
      break;
    }
    const columns = [0, 1, 2, 3].map((c) => `weights[m + ${c}] * ${from}[i].${"xyzw"[c]}`);
    const bias = i === 1 ? "biases0[o]" : `weights[${at + 4 * inputs * outputs} + o]`;
    lines.push(
      `vec4 h${i}[${outputs}];`,
      `for (int o = 0; o < ${outputs}; o++) {`,
      `  vec4 sum = ${bias};`,
      `  for (int i = 0; i < ${inputs}; i++) {`,
      `    int m = ${at} + 4 * (o * ${inputs} + i);`,
      `    sum += ${columns.join(" + ")};`,
      "  }",
      `  h${i}[o] = max(sum, vec4(0.0));`,
      "}",
    );
    at += 4 * inputs * outputs + (i === 1 ? 0 : outputs);
  }
  const features = Math.max(1, vectors(widths[0] - 2));
  const rest = (widths[0] - 2) % 4;
  return `vec3 decoded(vec4 feat[${features}], vec2 way) {
  vec4 h0[${vectors(widths[0])}];
  for (int f = 0; f < ${vectors(widths[0] - 2)}; f++) h0[f] = feat[f];
  ${wayInto(widths[0] - 2, rest)}
  ${lines.join("\n  ")}
}`;
}

// The mean offset comes right behind the last feature.
function wayInto(features, rest) {
  const last = Math.floor(features / 4);
  return [0, 1].map((axis) => {
    const [vector, lane] = [last + Math.floor((rest + axis) / 4), (rest + axis) % 4];
    return `h0[${vector}]${lane === 0 ? " = vec4(0.0); " : ""}${lane === 0 ? `h0[${vector}]` : ""}.${"xyzw"[lane]} = way.${"xy"[axis]};`;
  }).join("\n  ");
}

// The decoder's numbers in the order that the shader reads them.
export function decoderBlock(layers, widths) {
  const block = new Float32Array(4 * blockLength(widths));
  let at = 0;
  layers.forEach(({ columns, weight, bias }, index) => {
    const inputs = vectors(widths[index]);
    const outputs = vectors(widths[index + 1]);
    const value = (o, i) => (o < widths[index + 1] && i < widths[index] ? weight[o * columns + i] : 0);
    if (index === layers.length - 1) {
      for (let o = 0; o < 3; o++) for (let i = 0; i < 4 * inputs; i++) block[at++] = value(o, i);
      block.set(bias, at);
      return;
    }
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) {
      for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) block[at++] = value(4 * o + r, 4 * i + c);
    }
    if (index > 0) {
      block.set(bias, at);
      at += 4 * outputs;
    }
  });
  return block;
}

// The first layer's bias with the size of an output pixel in it, in whole vectors.
export function firstBias({ rows, columns, weight, bias }, cellX, cellY) {
  const out = new Float32Array(4 * vectors(rows));
  for (let r = 0; r < rows; r++) {
    const own = r * columns + columns - 2;
    out[r] = bias[r] + weight[own] * cellX + weight[own + 1] * cellY;
  }
  return out;
}
