// How the board speaks: titles of columns, reasons for waiting, money, and when an age begins to worry.

import { span, shortTime } from "../core/time.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** From when on a card's age is shown as warning and as late, by its status. */
const STUCK_MS = {
  running: [10 * 60_000, HOUR],
  ready: [HOUR, DAY],
  review: [HOUR, DAY],
  todo: [7 * DAY, 30 * DAY],
  blocked: [HOUR, DAY],
};

/** "calm", "warn" or "late". */
export function worry(card, now) {
  const limits = STUCK_MS[card.status];
  if (!limits) return "calm";
  const age = now - Date.parse(card.since);
  return age >= limits[1] ? "late" : age >= limits[0] ? "warn" : "calm";
}

/** A status as a column's title. */
export function title(status) {
  return status[0].toUpperCase() + status.slice(1);
}

/** An amount in US dollars, to the cent, and more exactly where it is less. */
export function money(micros) {
  const dollars = micros / 1_000_000;
  return `$${dollars >= 0.095 || dollars === 0 ? dollars.toFixed(2) : dollars.toFixed(3)}`;
}

const numbers = (ids) => ids.slice(0, 3).map((id) => `#${id}`).join(", ") + (ids.length > 3 ? ` and ${ids.length - 3} more` : "");
const until = (why) => (why.until ? ` until ${shortTime(why.until)}` : "");

// What a card says of why it is where it is.  What is not here goes without saying in its column.
const REASONS = {
  question: (why, card) => (card.block_reason ? `Asks: ${card.block_reason}` : card.questions > 1 ? `Asks ${card.questions} questions` : "Asks a question"),
  block_loop: (why) => `Blocked again and again: ${why.words}`,
  planning: () => "A model is asked about it",
  planning_failed: (why) => `The model failed: ${why.words}`,
  waits_for_parents: (why) => `Waits for ${numbers(why.on)}`,
  parent_failed: (why) => `${numbers(why.on)} will not finish by itself`,
  parked: () => "Parked until released",
  waits_for_time: (why) => `Comes due ${shortTime(why.until)}`,
  waits_for_retry: (why, card) => `Tries again ${shortTime(why.until)}: ${card.last_error}`,
  previous_worker_leaving: () => "The last worker is still leaving",
  waits_for_review: () => "Waits for your review",
  board_paused: (why) => `The board is paused: ${why.words}`,
  profile_paused: (why, card) => `${card.assignee ?? "Its profile"} is paused: ${why.words}`,
  task_paused: (why) => `Paused: ${why.words}`,
  quota: (why) => why.words,
  budget: (why) => why.words,
  cooldown: (why) => `Asked to be run later,${until(why)}`,
  unassigned: () => "Nobody is assigned",
  unknown_profile: (why) => `There is no profile “${why.words}” here`,
  no_dispatcher: () => "No dispatcher is running",
  profile_cap: (why) => `“${why.words}” runs as many as it may`,
  board_cap: () => "All slots are in use",
  gave_up: (why, card) => (card.last_error ? `Gave up: ${card.last_error}` : why.words),
  blocked_needs_input: (why) => why.words,
  blocked_capability: (why) => why.words,
  blocked_transient: (why) => why.words,
  starting: () => "Its worker is being started",
  check_runs: () => "Its check decides now",
};
const QUIET = new Set(["in_triage", "promotes_next", "starts_next", "running", "is_done", "is_cancelled", "is_archived"]);

/** Why a card waits, in a few words; null where there is nothing to say. */
export function reason(card) {
  const { why } = card;
  if (QUIET.has(why.code)) return null;
  return REASONS[why.code]?.(why, card) ?? why.words ?? why.code.replaceAll("_", " ");
}

/** Whether a reason wants somebody: a person, or a repair. */
export function wantsSomebody(card) {
  return ["question", "waits_for_review", "gave_up", "blocked_needs_input", "blocked_capability", "blocked_transient", "parent_failed",
    "block_loop", "unassigned", "unknown_profile", "planning_failed"].includes(card.why.code);
}

/** A card in a sentence, for who hears it. */
export function spoken(card, now) {
  const parts = [`#${card.id} ${card.title}`, card.moving ? `moving to ${card.status}` : card.status, `for ${span(now - Date.parse(card.since))}`];
  if (card.assignee) parts.push(`assigned to ${card.assignee}`);
  if (card.priority) parts.push(`priority ${card.priority}`);
  if (card.progress_total) parts.push(`${card.progress_done} of ${card.progress_total} parts done`);
  const why = reason(card);
  if (why) parts.push(why);
  if (card.now?.note) parts.push(`doing: ${card.now.note}`);
  return parts.join(", ");
}
