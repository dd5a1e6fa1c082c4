// What changes on the board, as it changes: one stream of events for the board that is shown.
//
// Nothing is missed: whenever the stream opens, what happened since the last event that was seen is read
// first (`fill`), and what the stream brings meanwhile waits behind it.  Where too much was missed, listeners
// are told to read anew.  Events have numbers in the order of the commits, so an older one is a repeated one.

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

const listeners = new Set();
const resyncs = new Set();
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

/** Have a function called when events may have been missed: read anew what is shown. */
export function onResync(fn) {
  resyncs.add(fn);
  return () => resyncs.delete(fn);
}

/** Say up to which event a page has read; what came after it will be told. */
export function seen(id) {
  if (source?.readyState !== EventSource.OPEN) last = last === null ? id : Math.min(last, id);
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

async function fill(stream) {
  const from = last;
  waiting = [];
  try {
    const missed = await call("event.list", from === null ? { limit: 1 } : { after: from, limit: FILL }, { board });
    if (stream !== source) return;
    if (from === null) last = missed.last;
    else if (missed.events.length < FILL) missed.events.forEach(tell);
    else {
      last = null;
      resyncs.forEach((fn) => fn());
    }
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
