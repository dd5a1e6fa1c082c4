// The one way to the server: operations by name, and the few addresses beside them.
//
// `call` asks, `change` writes.  A write carries an id of its own and is sent again with the same id when its
// answer was lost on the way, so that it happens once however bad the connection is.  What the server refuses
// arrives as a `Refusal` with the code and the sentence that every surface gives.

import { currentBoard } from "./route.js";

export class Refusal extends Error {
  constructor(code, message, detail, status) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.detail = detail;
    this.status = status;
  }
}

const PASSING = new Set([0, 429, 502, 503, 504]);

/** Whether a refusal is only of this moment: the server is away or busy, and what was asked may be asked again. */
export function isPassing(refused) {
  return refused instanceof Refusal && PASSING.has(refused.status);
}

const API = "/api/v1";
const RETRY_MS = [300, 900, 2000];
const whenSignedOut = new Set();

/** Have a function called when the server no longer knows who we are. */
export function onSignedOut(fn) {
  whenSignedOut.add(fn);
  return () => whenSignedOut.delete(fn);
}

/** Sixteen random bytes as text; works on plain HTTP too, where randomUUID is missing. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ask an operation: its result, or a Refusal thrown. */
export async function call(op, args = {}, { board = currentBoard.peek(), id, signal } = {}) {
  const body = JSON.stringify({ op, args, ...(board ? { board } : {}), ...(id ? { request_id: id } : {}) });
  const answer = await send(`${API}/call`, { method: "POST", body, signal, headers: { "Content-Type": "application/json" } });
  return answer.result;
}

/** Ask for a change; it is done once, also when the connection breaks in the middle. */
export async function change(op, args = {}, options = {}) {
  const id = options.id ?? freshId();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(op, args, { ...options, id });
    } catch (refused) {
      const lost = refused.code === "unreachable" || refused.status === 503;
      if (!lost || attempt >= RETRY_MS.length) throw refused;
      await new Promise((resume) => setTimeout(resume, RETRY_MS[attempt]));
    }
  }
}

/** GET a path below /api/v1 ("/tasks/4/log.html"), with a query made of what is not null. */
export async function get(path, query = {}, { board = currentBoard.peek(), signal } = {}) {
  return send(API + path + search({ board, ...query }), { signal });
}

/** POST JSON to a path below /api/v1. */
export async function post(path, body) {
  return send(API + path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

/** Markdown texts as sanitised HTML, in the same order. */
export async function markdown(texts) {
  return (await post("/markdown", { texts })).html;
}

/** Put a file on a task. */
export async function upload(task, file, { board = currentBoard.peek(), name = file.name } = {}) {
  const path = `${API}/tasks/${task}/attachments/${encodeURIComponent(name)}${search({ board })}`;
  return send(path, { method: "PUT", body: file });
}

/** Where an attachment is fetched from. */
export function attachmentUrl(task, name, board = currentBoard.peek()) {
  return `${API}/tasks/${task}/attachments/${encodeURIComponent(name)}${search({ board })}`;
}

/** Take an attachment away. */
export async function removeAttachment(task, name, board = currentBoard.peek()) {
  return send(attachmentUrl(task, name, board), { method: "DELETE" });
}

function search(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function send(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options, headers: { "X-Shopfloor": "1", ...options.headers } });
  } catch (broken) {
    if (broken.name === "AbortError") throw broken;
    throw new Refusal("unreachable", "the server cannot be reached; the page tries again by itself", null, 0);
  }
  const answer = await read(response);
  if (response.ok && !answer?.error) return answer;
  const told = answer?.error ?? {};
  const message = told.message ?? `the server answered ${response.status}`;
  if (response.status === 401) whenSignedOut.forEach((fn) => fn());
  throw new Refusal(told.code ?? `http_${response.status}`, message, told.detail, response.status);
}

async function read(response) {
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
