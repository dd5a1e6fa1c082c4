// One card: number, title, who, how long, what it waits for, what its worker does, what it cost.
//
// It reads its own signal, so a change of one task draws one card.  The number of lines is fixed by heights.js.

import { html, names, useEffect, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { inBoard, route } from "../core/route.js";
import { longSpan, minute, second, span } from "../core/time.js";
import { Avatar, Icon } from "../core/ui.js";
import { reasonLines, titleLines } from "./heights.js";
import { money, reason, spoken, wantsSomebody, worry } from "./words.js";

/** The address of a card's task, with the board's filters kept. */
export function addressOf(id, tab = null) {
  const query = new URLSearchParams(route.peek().query);
  query.delete("tab");
  if (tab) query.set("tab", tab);
  const text = query.toString();
  return inBoard(`/t/${id}${text ? `?${text}` : ""}`);
}

export function Card({ card, width, top, height, place, of, current, selected, refusal, dragging, on }) {
  const age = Date.now() - Date.parse(card.since);
  const clock = card.status === "running" ? second.value : minute.value;
  const level = worry(card, clock);
  const why = reason(card);
  return html`<li id=${`card-${card.id}`} data-card=${card.id} data-stays style=${{ top: `${top}px`, height: `${height}px` }}
      class=${names("card", `is-${card.status}`, `is-${level}`, current && "is-current", selected && "is-selected", card.moving && "is-moving", dragging && "is-dragged")}
      tabindex=${current ? 0 : -1} aria-posinset=${place} aria-setsize=${of} draggable="true"
      aria-label=${spoken(card, clock) + (selected ? ", selected" : "")}>
    <div class="card-head">
      <span class="number">#${card.id}</span>
      ${card.priority !== 0 && html`<${Priority} value=${card.priority} />`}
      ${card.tenant && html`<span class="card-tenant">${card.tenant}</span>`}
      <span class="card-age" title=${`${card.status} for ${longSpan(age)}`}>${level !== "calm" && html`<${Icon} name="schedules" size="11" />`}${span(clock - Date.parse(card.since))}</span>
    </div>
    <a class=${names("card-title", titleLines(card, width) > 1 && "is-two")} href=${addressOf(card.id)} tabindex="-1" draggable="false">${card.title}</a>
    ${card.now && html`<${Doing} card=${card} clock=${clock} />`}
    ${why && html`<p class=${names("card-why", reasonLines(card, width) > 1 && "is-two", wantsSomebody(card) && "is-asking")}><${Icon} name=${wantsSomebody(card) ? "needs" : "schedules"} size="12" /><span>${why}</span></p>`}
    ${refusal && html`<p class="card-why is-refused"><${Icon} name="alert" size="12" /><span>Refused: ${refusal}</span></p>`}
    <${Meta} card=${card} />
    <span class="card-tools">
      <button type="button" tabindex="-1" class="card-tool" data-tool="select" aria-label=${`Select #${card.id}`} aria-pressed=${selected}><span class="tick">${selected && html`<${Icon} name="check" size="11" />`}</span></button>
      <button type="button" tabindex="-1" class="card-tool" data-tool="menu" aria-label=${`Moves of #${card.id}`} aria-haspopup="menu"><${Icon} name="more" size="14" /></button>
    </span>
  </li>`;
}

function Priority({ value }) {
  return html`<span class=${names("card-priority", value > 0 ? "is-up" : "is-down")} title=${`Priority ${value}`}>${value > 0 ? "▲" : "▼"}${Math.abs(value)}</span>`;
}

const STATES = { starting: "starting", checking: "checking the result", leaving: "leaving", running: "working" };

/** What the worker does now: its last words, for how long, which attempt. */
function Doing({ card, clock }) {
  const { now } = card;
  return html`<p class="card-now"><span class="card-pulse" aria-hidden="true" /><span class="card-note">${now.note ?? STATES[now.state]}</span>
    <span class="card-elapsed" title=${`Attempt ${now.attempt} by ${now.profile ?? "a command"}${now.host ? ` on ${now.host}` : ""}`}>${now.attempt > 1 ? `${now.attempt}. ` : ""}${longSpan(clock - Date.parse(now.since))}</span></p>`;
}

function Meta({ card }) {
  return html`<div class="card-meta">
    ${card.assignee ? html`<${Avatar} name=${card.assignee} /><span class="card-who">${card.assignee}</span>`
      : html`<span class="card-who is-nobody">${card.order ? "command" : "nobody"}</span>`}
    <span class="card-facts">
      ${card.workspace === "worktree" && html`<${Branch} card=${card} />`}
      ${card.diagnostics > 0 && html`<span class="fact is-bad" title="Something is wrong here"><${Icon} name="alert" size="12" />${card.diagnostics}</span>`}
      ${card.failures > 0 && html`<span class="fact is-bad" title=${card.last_error ?? "failures in a row"}><${Icon} name="refresh" size="11" />${card.failures}</span>`}
      ${card.questions > 0 && html`<span class="fact is-asking" title="Open questions"><${Icon} name="question" size="12" />${card.questions}</span>`}
      ${card.comments > 0 && html`<span class="fact" title="Comments"><${Icon} name="comment" size="12" />${card.comments}</span>`}
      ${card.attachments > 0 && html`<span class="fact" title="Attachments"><${Icon} name="clip" size="12" />${card.attachments}</span>`}
      ${card.progress_total > 0 && html`<${Progress} done=${card.progress_done} total=${card.progress_total} />`}
      ${card.cost_micros !== null && html`<span class="fact" title="Cost so far">${money(card.cost_micros)}</span>`}
    </span>
  </div>`;
}

function Progress({ done, total }) {
  return html`<span class="fact card-progress" title=${`${done} of ${total} parts done`}><progress value=${done} max=${total} aria-label="Parts done" />${done}/${total}</span>`;
}

/** The branch of a worktree, with the lines that were added and removed; asked for while the card is seen. */
function Branch({ card }) {
  const lines = useSignal(null);
  // A worker changes files without a word, so they are counted anew every minute.
  const turn = card.status === "running" ? Math.floor(minute.value / 60_000) : 0;
  useEffect(() => {
    const asked = new AbortController();
    if (card.status === "running" || card.status === "review") {
      call("task.diff", { id: card.id, stat: true }, { signal: asked.signal }).then((diff) => { lines.value = counted(diff); }, () => {});
    }
    return () => asked.abort();
  }, [card.id, card.status, card.now?.note, turn]);
  const known = lines.value;
  return html`<span class="fact card-branch" title=${card.branch ?? "a worktree of its own"}><${Icon} name="branch" size="12" /><span>${card.branch ?? "worktree"}</span>
    ${known && html`<b class="is-added">+${known.added}</b><b class="is-removed">−${known.removed}</b>`}</span>`;
}

function counted(diff) {
  const found = (pattern) => Number(pattern.exec(diff.text)?.[1] ?? 0);
  return { added: found(/(\d+) insertion/), removed: found(/(\d+) deletion/) };
}

/** A card that is on its way: its place is known, its words are not. */
export function Ghost({ top, height }) {
  return html`<li class="card is-ghost" aria-hidden="true" style=${{ top: `${top}px`, height: `${height}px` }} />`;
}

