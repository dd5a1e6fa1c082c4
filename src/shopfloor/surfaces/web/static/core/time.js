// Times as people read them: ages, spans and moments; and a clock that pages may read.
//
// `second` and `minute` are signals that tick only while the page is visible, so that an age on the screen is
// redrawn by itself and a hidden tab does nothing.

import { signal } from "../vendor/signals.js";

export const second = signal(Date.now());
export const minute = signal(Date.now());

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000]];

/** A span in its largest unit: "3d", "4h", "12m", "5s". */
export function span(ms) {
  const most = Math.max(0, ms);
  for (const [unit, size] of UNITS) if (most >= size) return `${Math.floor(most / size)}${unit}`;
  return "0s";
}

/** A span in its two largest units: "1h 04m". */
export function longSpan(ms) {
  const at = UNITS.findIndex(([, size]) => ms >= size);
  if (at < 0 || at === UNITS.length - 1) return span(ms);
  const [unit, size] = UNITS[at];
  const [next, part] = UNITS[at + 1];
  const rest = Math.floor((ms % size) / part);
  return `${Math.floor(ms / size)}${unit} ${String(rest).padStart(2, "0")}${next}`;
}

/** How long ago an ISO time was, by a clock (`minute.value` or `second.value`). */
export function ago(iso, clock = minute.value) {
  return span(clock - Date.parse(iso));
}

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const SHORT = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

/** An ISO time in full, in the reader's zone. */
export function fullTime(iso) {
  return iso ? FULL.format(new Date(iso)) : "";
}

/** An ISO time in short, in the reader's zone. */
export function shortTime(iso) {
  return iso ? SHORT.format(new Date(iso)) : "";
}

let ticks = 0;
setInterval(() => {
  if (document.hidden) return;
  second.value = Date.now();
  ticks += 1;
  if (ticks % 15 === 0) minute.value = second.value;
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) second.value = minute.value = Date.now();
});
