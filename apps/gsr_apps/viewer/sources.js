// What a pane can show: a layer of the field, another method, the ground truth.
// A source is a word: "gsr:result", "gsr:residual", "bicubic", "truth", "original:result".

const RESULT = "GaussianSR";
const OWN = "This picture's Gaussians"; // groups of the menu
const OTHERS = "Other ways to enlarge it";
const LAYERS = [
  ["gsr:result", RESULT, "What the field shows: Gaussians and correction"],
  ["gsr:gaussians", "Gaussians only", "The splatted colours without the network's correction"],
  ["gsr:residual", "Correction ×4", "What the network adds to the Gaussians, four times as strong, around grey"],
  ["gsr:lr", "Picture pixels", "The pixels that were put in"],
];
const ORIGINAL = ["original:result", "Before the edits", "The field as the network made it"];
const TRUTH = ["truth", "Ground truth", "The large picture that the small one was made from"];
const BICUBIC = { name: "bicubic", label: "Bicubic", about: "Smooth interpolation, as most programs enlarge" };

// methods: [{ name, label, about, group }]; what a picture allows of them all, in the order of the keys 2 to 9.
export function sourcesOf(methods, picture) {
  const others = (methods.length ? methods : [BICUBIC]).filter((method) => !method.own);
  /** @type {string[][]} */
  const all = [
    ...LAYERS.map((layer) => [...named(layer, picture), OWN]),
    ...(canReset(picture) ? [[...ORIGINAL, OWN]] : []),
    ...others.map(({ name, label, about, group }) => [name, label ?? name, about ?? "", group ?? OTHERS]),
    ...(picture?.truth ? [[...TRUTH, OTHERS]] : []),
  ];
  return all.map(([value, label, about, group]) => ({ value, label, about, group }));
}

// A layer under the name of the field, which says what was changed in it.
/** @param {string[]} layer */
function named([value, label, about], picture) {
  const own = label === RESULT ? picture?.label ?? label : label;
  return [value, changedIn(value, picture) ? `${own}, ${picture.changed}` : own, about];
}

// What was changed in what a source shows, in words; nothing in the pixels that were put in.
export function changedIn(source, picture) {
  return isField(source) && source !== "gsr:lr" ? picture?.changed ?? "" : "";
}

// Whether the field is known as it was before the edits.
export function canReset(picture) {
  return Boolean(picture?.edited && picture.original && picture.original !== picture.id);
}

// The words of a frame request.
export function requestOf(source) {
  const [method, layer = "result"] = source.split(":");
  return { method, layer };
}

// Whether overlays of the field belong on it.
export function isField(source) {
  return source.startsWith("gsr:");
}
