// Doing it: a move of one card or of many, what is asked before, what is said after, and the way back.
//
// A card is shown where it goes at once; where the server refuses, it goes back and the refusal is told.  What
// failed of many stays selected, each with its reason.

import { signal } from "../core/dom.js";
import { change } from "../core/api.js";
import { announce, toast } from "../core/toast.js";
import { wayBack } from "./moves.js";

/** What has to be said before a move: {move, cards, store}, or null. */
export const asked = signal(null);

/** Why cards were refused at the last attempt: {id: sentence}. */
export const refusals = signal(new Map());

/** The last move that was done, for the way back: {cards, label}. */
export const lastMove = signal(null);

const ONE_BY_ONE = new Set(["task.request_changes", "task.specify", "task.decompose", "task.edit"]);

/** Begin a move: ask what it needs to know, or do it. */
export function begin(store, cards, move) {
  const workers = cards.filter((card) => card.status === "running").length;
  if (move.asks || (workers > 0 && move.stops && cards.length > 0)) asked.value = { move, cards, store, workers };
  else carryOut(store, cards, move);
}

/** Do a move with what was said. */
export async function carryOut(store, cards, move, args = {}) {
  const ids = cards.map((card) => card.id);
  const settle = move.to ? store.pretend(ids, move.to) : () => {};
  refusals.value = new Map([...refusals.value].filter(([id]) => !ids.includes(id)));
  const refused = await send(store.board, ids, move, { ...move.args, ...args });
  const failed = cards.filter((card) => refused.has(card.id));
  const done = cards.filter((card) => !refused.has(card.id));
  settle({ back: failed.length > 0 });
  store.refresh(ids);
  if (done.length) lastMove.value = { store, cards: done, label: move.label, to: move.to };
  report(move, done, failed, refused);
  return failed;
}

async function send(board, ids, move, args) {
  const refused = new Map();
  if (ids.length > 1 && !ONE_BY_ONE.has(move.op)) {
    try {
      for (const one of await change(move.op, { ...args, ids }, { board })) if (one.error) refused.set(one.id, one.error.message);
    } catch (wrong) {
      ids.forEach((id) => refused.set(id, wrong.message));
    }
    return refused;
  }
  await Promise.all(ids.map((id) => change(move.op, { ...args, id }, { board }).catch((wrong) => refused.set(id, wrong.message))));
  return refused;
}

function report(move, done, failed, refused) {
  const what = (cards) => (cards.length === 1 ? `#${cards[0].id}` : `${cards.length} tasks`);
  if (done.length) {
    const canGoBack = move.to && done.some((card) => wayBack({ ...card, status: move.to, archived_from: move.to === "archived" ? card.status : card.archived_from }, card));
    const says = move.to ? `${what(done)}: ${move.to}` : `${what(done)}: ${move.label.toLowerCase()}`;
    announce(says);
    toast(says, { action: canGoBack && !failed.length ? { label: "Undo", run: undo } : null });
  }
  if (!failed.length) return;
  if (failed.length === 1 && !done.length) {
    toast(`${move.label}: ${refused.get(failed[0].id)}`, { kind: "refused" });
    return;
  }
  refusals.value = new Map([...refusals.value, ...refused]);
  const lines = failed.slice(0, 8).map((card) => `#${card.id}: ${refused.get(card.id)}`);
  if (failed.length > lines.length) lines.push(`and ${failed.length - lines.length} more, marked on the board`);
  toast(`${move.label}: ${what(failed)} refused`, { kind: "refused", detail: lines.join("\n") });
}

/** Lead the cards of the last move back to where they were, as far as the lifecycle has a way. */
export async function undo() {
  const last = lastMove.value;
  if (!last) {
    toast("There is no move to take back.", { kind: "note" });
    return;
  }
  lastMove.value = null;
  const { store } = last;
  const stuck = [];
  for (const before of last.cards) {
    const now = (await store.ask({ ids: [before.id] })).columns.flatMap((column) => column.items)[0];
    const move = now && wayBack(now, before);
    if (!move) stuck.push(now && now.status !== before.status ? `#${before.id}: the lifecycle has no way from ${now.status} to ${before.status}` : `#${before.id} has moved on`);
    else await carryOut(store, [now], { ...move, label: "Undo" });
  }
  lastMove.value = null;
  if (stuck.length) toast("That cannot be taken back.", { kind: "refused", detail: stuck.slice(0, 8).join("\n") });
}
