// The view as an address: what stands behind # brings back the picture, the place and what is shown.

import { SWITCHED } from "../viewer/overlays.js";
import { INITIAL } from "../viewer/state.js";

// Keys of the address <-> members of the viewer's state. Only what differs from the start is written.
const WORDS = { mode: "mode", map: "map", color: "colorBy" };
const NUMBERS = { wipe: "wipe", gain: "gain", sigma: "sigma", opacity: "opacity" };
const SWITCHES = SWITCHED.map(({ name }) => name);
const LONGEST = 4000; // characters; edits that need more are left out
const MOST_LIT = 4096; // kernels
const FARTHEST = 1e9; // LR pixels

export function fits(edits) {
  return JSON.stringify(edits).length < LONGEST;
}

// source: { demo | id, shrink, weights }; viewer: the viewer; edits: what was changed
export function writeLink(source, viewer, edits = []) {
  const { state, place, selected, highlighted } = viewer;
  const words = new URLSearchParams();
  if (source.demo) words.set("demo", source.demo);
  else words.set("id", source.id);
  if (source.shrink) words.set("shrink", source.shrink);
  if (source.weights) words.set("weights", `${source.weights.name},${source.weights.strength}`);
  words.set("at", `${round(place.x)},${round(place.y)}`);
  words.set("zoom", String(round(place.zoom)));
  for (const [key, member] of Object.entries({ ...WORDS, ...NUMBERS })) {
    if (state[member] !== INITIAL[member]) words.set(key, state[member]);
  }
  for (const name of SWITCHES) if (state[name]) words.set(name, "1");
  if (String(state.sources) !== String(INITIAL.sources)) words.set("show", state.sources.join(","));
  if (selected) words.set("point", selected.map(round).join(","));
  if (highlighted.kernels.length) words.set("lit", highlighted.kernels.join("."));
  if (edits.length && fits(edits)) words.set("edits", JSON.stringify(edits));
  else if (edits.length) words.set("unkept", String(edits.length));
  return `#${words}`.replaceAll("%2C", ",").replaceAll("%3A", ":");
}

// { source, view, state, point, lit, edits, said } of an address, without what makes no sense; null
// when it names no picture. `said`: a sentence about the edits, if there were any.
export function readLink(hash) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const demo = words.get("demo");
  const id = words.get("id");
  if (!demo && !id) return null;
  const shrink = positive(words.get("shrink"));
  const at = pair(words.get("at"));
  const zoom = positive(words.get("zoom"));
  return {
    source: { ...(demo ? { demo } : { id }), ...(shrink > 1 ? { shrink } : {}), ...readWeights(words) },
    view: at && zoom ? { x: at[0], y: at[1], zoom } : null,
    state: readState(words),
    point: pair(words.get("point")),
    lit: (words.get("lit") ?? "").split(".").filter((word) => /^\d{1,4}$/.test(word)).slice(0, MOST_LIT).map(Number),
    ...readEdits(words),
  };
}

function readWeights(words) {
  const [name, strength] = (words.get("weights") ?? "").split(",");
  const part = Number(strength);
  return name && strength && part >= 0 && part <= 1 ? { weights: { name, strength: part } } : {};
}

function readState(words) {
  const state = { ...INITIAL }; // what is not named is as at the start, whatever is on show
  for (const [key, member] of Object.entries(WORDS)) if (words.has(key)) state[member] = words.get(key);
  for (const [key, member] of Object.entries(NUMBERS)) {
    if (positive(words.get(key))) state[member] = positive(words.get(key));
  }
  for (const name of SWITCHES) if (words.has(name)) state[name] = true;
  const sources = words.get("show")?.split(",");
  if (sources?.length === 2) state.sources = sources;
  return state;
}

// Whoever opens an address must not take what was changed for the network's own work, or the
// other way round.
function readEdits(words) {
  const unkept = positive(words.get("unkept"));
  if (unkept) return { edits: [], said: `${many(unkept)} of this view were too long for an address: here it is without them.` };
  if (!words.has("edits")) return { edits: [], said: "" };
  const edits = listOf(words.get("edits"));
  if (!edits) return { edits: [], said: "The edits in this address cannot be read and were left out." };
  return { edits, said: edits.length ? `This address holds ${many(edits.length).toLowerCase()}: the picture is not as the network made it.` : "" };
}

function many(count) {
  return count === 1 ? "An edit" : `${count} edits`;
}

function listOf(text) {
  try {
    const edits = text.length < LONGEST ? JSON.parse(text) : null;
    return Array.isArray(edits) ? edits : null;
  } catch {
    return null;
  }
}

function pair(text) {
  const numbers = (text ?? "").split(",").map(Number);
  return text && numbers.length === 2 && numbers.every((value) => Math.abs(value) <= FARTHEST) ? numbers : null;
}

function positive(text) {
  const value = Number(text);
  return text && Number.isFinite(value) && value > 0 ? value : null;
}

function round(value) {
  return Math.round(1000 * value) / 1000;
}
