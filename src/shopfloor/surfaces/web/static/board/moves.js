// What may be done with a card: the rows of the lifecycle's table that fit it, in a person's words.
//
// The table comes from the code (core/lifecycle.js).  Guards are tried with what the card says; what only the
// server can know (a key that somebody else took) is left to its refusal, which is shown.

import { RULES } from "../core/lifecycle.js";

// What a move is called, in the order in which menus show them; `asks` is what has to be said first, `alone`
// is for one card at a time, `icon` is for what leads nowhere.
const WORDS = {
  "task.specify": { label: "Make it a task", asks: "specify", alone: true },
  "task.decompose": { label: "Split into parts", asks: "decompose", alone: true },
  "task.unblock": { label: "Let it go on" },
  "task.promote": { label: "Make ready" },
  "task.complete": { label: "Mark done" },
  "task.request_changes": { label: "Return with changes", asks: "reason", alone: true },
  "task.reclaim": { label: "Stop and put back" },
  "task.reopen": { label: "Reopen" },
  "task.unarchive": { label: "Bring back" },
  "task.block": { label: "Block", asks: "reason" },
  "task.schedule": { label: "Schedule", asks: "time" },
  "task.cancel": { label: "Cancel", danger: true },
  "task.archive": { label: "Archive" },
  "task.delete": { label: "Delete", asks: "sure", danger: true, icon: "trash" },
};
const ORDER = Object.keys(WORDS);

const GUARDS = {
  parents_met: (card) => card.open_parents === 0 || card.forced,
  parents_open: (card) => card.open_parents > 0,
  phase_review: (card) => card.phase === "review",
  waits_for_task: () => false,
  waits_for_person: () => true,
  forced: (_card, facts) => Boolean(facts.force),
  undecomposed: (card) => !card.decomposed,
  key_free: () => true,
};

function holds(guard, card, facts) {
  if (guard.startsWith("was_")) return card.archived_from === guard.slice(4);
  return GUARDS[guard]?.(card, facts) ?? true;
}

/** The row that applies to a card, as the kernel would find it; undefined where none does. */
export function rowFor(op, card, facts = {}) {
  return RULES.find((rule) => rule.op === op && rule.from === card.status && rule.guards.every((guard) => holds(guard, card, facts)));
}

/** Every move of a card: {op, to, label, asks, args, stops, danger}. */
export function movesOf(card) {
  const ops = [...new Set(RULES.filter((rule) => rule.from === card.status).map((rule) => rule.op))];
  const found = ops.flatMap((op) => {
    const row = rowFor(op, card);
    if (row) return [moveOf(op, row)];
    const forced = op === "task.promote" && rowFor(op, card, { force: true });
    return forced ? [{ ...moveOf(op, forced), label: "Start although parents are open", asks: "force", args: { force: true } }] : [];
  });
  return found.sort((one, two) => ORDER.indexOf(one.op) - ORDER.indexOf(two.op));
}

function moveOf(op, row) {
  const words = WORDS[op];
  return { op, to: row.to, args: {}, stops: row.from === "running", icon: words.icon, danger: words.danger, alone: words.alone, ...words };
}

/** The move that dropping a card on a column means: the first that leads there without destroying. */
export function moveTo(card, status) {
  return movesOf(card).find((move) => move.to === status);
}

/** Where a card may be dropped. */
export function targetsOf(card) {
  return new Set(movesOf(card).map((move) => move.to).filter(Boolean));
}

/** Why a card cannot be dropped on a column, and where it can. */
export function noWay(card, status) {
  if (status === "running") {
    const next = card.status === "ready" ? "It is ready, and starts as soon as nothing holds it back." : "Make it ready, and it starts as soon as there is room.";
    return `Only a dispatcher starts #${card.id}. ${next}`;
  }
  const ways = [...targetsOf(card)];
  const there = ways.length ? `From ${card.status} it may go to ${ways.join(", ")}.` : "It may go nowhere from there.";
  return `#${card.id} cannot go from ${card.status} to ${status}. ${there}`;
}

/** The moves that fit at least one of several cards, with the cards that each one is for. */
export function movesOfMany(cards) {
  const found = new Map();
  for (const card of cards) {
    for (const move of movesOf(card)) {
      if ((move.alone && cards.length > 1) || move.asks === "force") continue;
      const known = found.get(move.op) ?? { ...move, cards: [] };
      known.cards.push(card);
      found.set(move.op, known);
    }
  }
  return [...found.values()];
}

/** The move that leads a card back to where it was, with what it needs to be told; undefined where none does. */
export function wayBack(card, before) {
  if (card.status === before.status) return undefined;
  const move = movesOf(card).find((one) => one.to === before.status && one.op !== "task.specify" && one.op !== "task.decompose" && one.asks !== "force");
  if (!move) return undefined;
  if (move.op === "task.block") {
    const kind = ["needs_input", "capability", "transient"].includes(before.block_kind) ? before.block_kind : "needs_input";
    return { ...move, args: { reason: before.block_reason ?? "taken back", kind } };
  }
  if (move.op === "task.schedule") return { ...move, args: before.not_before ? { not_before: before.not_before } : {} };
  if (move.op === "task.request_changes") return { ...move, args: { reason: "taken back" } };
  return move;
}
