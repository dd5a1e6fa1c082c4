// Commands: everything that a key can do, in one registry for keys, the palette, the help and remapping.
//
// A command is {id, title, group, keys, run, when, inField}.  Keys are written "c", "?", "Shift+X", "Mod+k"
// (Ctrl, or Cmd on a Mac) or as two strokes "g b".  The command that was registered last wins, so that what is
// on top of the page has the key; while a dialog is open only its own commands have any.

import { computed, effect, signal } from "../vendor/signals.js";
import { useLayoutEffect, useMemo } from "../vendor/preact-hooks.js";
import { pref } from "./prefs.js";

const SECOND_STROKE_MS = 1200;
// Each has its place by when it came, also when what it holds is made anew.
const places = signal([]);
const commands = computed(() => places.value.flatMap((place) => place.list));
const running = new Set();
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys that a person gave to commands: {id: ["k"]}. */
export const remapped = pref("keys", {});

/** The first stroke of a sequence that waits for its second one, or "". */
export const pending = signal("");

let timer = null;

/** Register a command; answers how to take it away. */
export function command(given) {
  const place = { list: [filled(given)] };
  places.value = [...places.peek(), place];
  return () => leave(place);
}

function filled(given) {
  return { group: "General", keys: [], when: () => true, inField: false, ...given };
}

function leave(place) {
  places.value = places.peek().filter((other) => other !== place);
}

/** Register commands while a component is there, from the moment it is seen; `make` answers a list of them. */
export function useCommands(make, deps = []) {
  const place = useMemo(() => ({ list: [] }), []);
  useLayoutEffect(() => {
    place.list = make().map(filled);
    places.value = places.peek().includes(place) ? [...places.peek()] : [...places.peek(), place];
  }, deps);
  useLayoutEffect(() => () => leave(place), []);
}

/** All commands that may run now, one for each id, the newest first. */
export function available() {
  const ids = new Set();
  return [...commands.value].reverse().filter((one) => {
    if (ids.has(one.id) || !one.when()) return false;
    ids.add(one.id);
    return true;
  });
}

/** All commands, one for each id, in the order of registration. */
export function allCommands() {
  return [...new Map(commands.value.map((one) => [one.id, one])).values()];
}

/** The keys of a command: the person's, or its own. */
export function keysOf(one) {
  return remapped.value[one.id] ?? one.keys;
}

/** Give a command other keys; null takes its own again. */
export function remap(id, keys) {
  const { [id]: _old, ...others } = remapped.value;
  remapped.value = keys === null ? others : { ...others, [id]: keys };
}

/** A key as people read it: "Mod+k" is "Ctrl K" or "⌘ K". */
export function readable(key) {
  const words = { Mod: mac ? "⌘" : "Ctrl", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };
  return key.split(" ").map((stroke) => stroke.split("+").map((part) => words[part] ?? part).join(" ")).join(" then ");
}

/** The stroke of a keyboard event, as commands write it; "" for a modifier alone. */
export function strokeOf(event) {
  if (["Shift", "Control", "Alt", "Meta", "Dead"].includes(event.key)) return "";
  const parts = [];
  if (mac ? event.metaKey : event.ctrlKey) parts.push("Mod");
  if (event.altKey) parts.push("Alt");
  const key = event.key === " " ? "Space" : event.key;
  if (event.shiftKey && (key.length > 1 || /[a-z]/i.test(key))) parts.push("Shift");
  parts.push(key.length === 1 && parts.includes("Shift") ? key.toUpperCase() : key);
  return parts.join("+");
}

function inField(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]") !== null;
}

/** Carry a command out; while what it asked for is open, its key does nothing. */
function begin(one, event) {
  if (running.has(one.id)) return;
  const given = one.run(event);
  if (typeof given?.finally !== "function") return;
  running.add(one.id);
  given.finally(() => running.delete(one.id));
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  const stroke = strokeOf(event);
  if (!stroke) return;
  const field = inField(event.target);
  const modal = document.querySelector("dialog[open], [role=menu]") !== null;
  const whole = pending.peek() ? `${pending.peek()} ${stroke}` : stroke;
  const offered = available().filter((one) => (!field || one.inField) && (!modal || one.modal));
  clearTimeout(timer);
  pending.value = "";
  const found = offered.find((one) => keysOf(one).includes(whole));
  // A button keeps its own keys: Enter and Space press it.
  if (found && !(["Enter", "Space"].includes(stroke) && event.target.closest?.("button, a, summary"))) {
    event.preventDefault();
    begin(found, event);
    return;
  }
  if (offered.some((one) => keysOf(one).some((keys) => keys.startsWith(`${whole} `)))) {
    event.preventDefault();
    pending.value = whole;
    timer = setTimeout(() => { pending.value = ""; }, SECOND_STROKE_MS);
  }
}

document.addEventListener("keydown", onKey);
effect(() => { document.documentElement.dataset.pendingKey = pending.value; });
