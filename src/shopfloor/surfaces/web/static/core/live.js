// What changes on the board, as it changes: one stream of events for the board that is shown.
//
// Nothing is missed: whenever the stream opens, what happened since the last event that was seen is read
// first (`fill`), and what the stream brings meanwhile waits behind it.  Where too much was missed, listeners
// are told to read anew; so are, at the first opening, those who do not say what they had read before it (`seen`).
// Events have numbers in the order of the commits, so an older one is a repeated one.

import { computed, effect, signal } from "../vendor/signals.js";
import { call } from "./api.js";
import { currentBoard } from "./route.js";
import { session } from "./session.js";

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15_000;
const FILL = 500;

/** "live", "connecting" or "lost". */
export const connection = signal("connecting");

/** Whether changes arrive. */
export const online = computed(() => connection.value === "live");

/** A worker whose attempt has ended may still have processes; that the last of them has gone is no event, so it is asked for. */
export const LEAVING = "previous_worker_leaving";
export const LEAVING_MS = 500;

const listeners = new Set();
const resyncs = new Map();
let board = null;
let source = null;
let last = null;
let waiting = null;
let pauseMs = PAUSE_MIN_MS;
let timer = null;

/** Have a function called with each event {id, task, kind, status, ...}; answers how to stop that. */
export function onEvent(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

/** Have a function called when events may have been missed: read anew what is shown; `says`: it calls `seen`. */
export function onResync(fn, { says = false } = {}) {
  resyncs.set(fn, says);
  return () => resyncs.delete(fn);
}

/** Say up to which event a page has read; what came after it is told, again where it was told before. */
export function seen(id) {
  if (last === null) last = id;
  else if (id < last) catchUp(id, last).catch(() => {});
}

/** Try now instead of at the next attempt. */
export function reconnect() {
  if (board !== null) open();
}

function tell(event) {
  if (last !== null && event.id <= last) return;
  last = event.id;
  listeners.forEach((fn) => fn(event));
}

function open() {
  stop();
  const stream = new EventSource(`/api/v1/events/stream?${new URLSearchParams({ board })}`);
  source = stream;
  stream.onopen = () => fill(stream);
  stream.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (waiting) waiting.push(event);
    else tell(event);
  };
  stream.onerror = () => {
    connection.value = navigator.onLine === false || pauseMs > PAUSE_MIN_MS ? "lost" : "connecting";
    // The browser tries again by itself, except when the answer was an error.
    if (stream.readyState === EventSource.CLOSED) again();
    else pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
  };
}

/** Read the events after one and tell them, up to another or all; where they are too many, all is read anew. */
async function catchUp(from, to = Infinity) {
  const asked = board;
  const missed = await call("event.list", { after: from, limit: FILL }, { board: asked });
  if (asked !== board) return;
  const found = missed.events.filter((event) => event.id <= to);
  last = Math.max(last ?? 0, missed.events.length < FILL ? Math.min(missed.last, to) : missed.last);
  if (missed.events.length === FILL) resyncs.forEach((_says, fn) => fn());
  else found.forEach((event) => listeners.forEach((fn) => fn(event)));
}

async function fill(stream) {
  waiting = [];
  try {
    // A page may say what it has read while the newest event is asked for: then it is told what came after that.
    const newest = last === null ? await call("event.list", { limit: 1 }, { board }) : null;
    if (stream !== source) return;
    if (newest) resyncs.forEach((says, fn) => says || fn());
    if (last === null) last = newest.last;
    else await catchUp(last);
    if (stream !== source) return;
    waiting.forEach(tell);
    waiting = null;
    pauseMs = PAUSE_MIN_MS;
    connection.value = "live";
  } catch {
    if (stream === source) again();
  }
}

function again() {
  stop();
  timer = setTimeout(open, pauseMs);
  pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
}

function stop() {
  clearTimeout(timer);
  waiting = null;
  source?.close();
}

effect(() => {
  const wanted = session.value ? currentBoard.value : null;
  if (wanted === board) return;
  stop();
  board = wanted;
  source = null;
  last = null;
  pauseMs = PAUSE_MIN_MS;
  connection.value = "connecting";
  if (board !== null) open();
});

addEventListener("online", reconnect);
addEventListener("offline", () => { connection.value = "lost"; });
