// The menu of a card: everything that the lifecycle lets a person do with it, and what else one wants of a card.

import { change } from "../core/api.js";
import { go } from "../core/route.js";
import { may } from "../core/session.js";
import { refuse, toast } from "../core/toast.js";
import { begin } from "./acting.js";
import { addressOf } from "./card.js";
import { movesOf, movesOfMany } from "./moves.js";

/** Open the menu of a card, or of all that are selected if it is one of them. */
export function menuOf(store, view, id, at) {
  const chosen = view.selected.peek();
  if (chosen.has(id) && chosen.size > 1) {
    const cards = [...chosen].map((one) => store.cards.get(one)?.peek()).filter(Boolean);
    view.menu.value = { at, items: itemsOfMany(store, cards), label: `Moves of ${cards.length} tasks` };
    return;
  }
  const card = store.cards.get(id)?.peek();
  if (card) view.menu.value = { at, items: itemsOf(store, card), label: `Moves of #${id}` };
}

function itemsOf(store, card) {
  const open = { label: "Open", icon: "right", hint: "Enter", run: () => go(addressOf(card.id)) };
  const copy = { label: "Copy its number", icon: "copy", run: () => navigator.clipboard?.writeText(`#${card.id}`).then(() => toast(`#${card.id} is copied`)) };
  if (!may("operator")) return [open, copy];
  const moves = movesOf(card).map((move) => ({
    label: move.to && move.to !== card.status ? `${move.label}${move.asks ? "…" : ""}` : `${move.label}…`, status: move.to, icon: move.icon, danger: move.danger,
    run: () => begin(store, [card], move),
  }));
  return [...moves, null, ...workersItems(store, card), open, copy];
}

function workersItems(store, card) {
  const ask = (op, args, says) => () => change(op, args, { board: store.board }).then(() => {
    toast(says);
    store.refresh([card.id]);
  }, refuse);
  if (card.status === "running") return [{ label: "Stop its worker and pause it", icon: "stop", hint: ".", run: ask("run.terminate", { id: card.id }, `#${card.id}: its worker is stopped`) }];
  if (card.why.code === "task_paused") return [{ label: "Resume", icon: "play", run: ask("dispatch.resume", { ids: [card.id] }, `#${card.id} goes on`) }];
  return [];
}

/** The moves that several cards have, with how many of them each is for. */
export function itemsOfMany(store, cards) {
  return movesOfMany(cards).map((move) => ({
    label: move.cards.length === cards.length ? `${move.label}${move.asks ? "…" : ""}` : `${move.label} (${move.cards.length} of ${cards.length})`,
    status: move.to, icon: move.icon, danger: move.danger, run: () => begin(store, move.cards, move),
  }));
}
