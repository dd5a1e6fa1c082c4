// What a person set on this machine: kept in localStorage, shared by the tabs, defaults where nothing is kept.

import { effect, signal } from "../vendor/signals.js";

const PREFIX = "shopfloor.";
const known = new Map();

/** A signal that is remembered under a name. */
export function pref(name, preset) {
  if (known.has(name)) return known.get(name);
  const value = signal(read(name, preset));
  known.set(name, value);
  effect(() => write(name, value.value, preset));
  return value;
}

function read(name, preset) {
  try {
    const kept = localStorage.getItem(PREFIX + name);
    return kept === null ? preset : JSON.parse(kept);
  } catch {
    return preset;
  }
}

function write(name, value, preset) {
  try {
    if (JSON.stringify(value) === JSON.stringify(preset)) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows the page; only the setting is gone with the tab.
  }
}

addEventListener("storage", (event) => {
  if (!event.key?.startsWith(PREFIX)) return;
  const value = known.get(event.key.slice(PREFIX.length));
  if (value && event.newValue !== null) value.value = JSON.parse(event.newValue);
});
