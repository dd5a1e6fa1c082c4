// One thing that waits: what it is, since when, what is known about it, and what answers it.

import { html, useEffect, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { ago, longSpan, minute } from "../core/time.js";
import { Avatar, Chip, Icon, Time } from "../core/ui.js";
import { Markdown } from "../task/parts.js";
import { OpenQuestion } from "../task/question.js";
import { Ways } from "../task/ways.js";
import { KINDS } from "./words.js";

const HOUR_MS = 3_600_000;

export function Need({ need, id, chosen, onChoose, onTouch, open, setOpen, fieldRef, onDone }) {
  const kind = KINDS[need.kind];
  const waited = minute.value - Date.parse(need.since);
  const age = waited > 24 * HOUR_MS ? " is-late" : waited > HOUR_MS ? " is-warn" : "";
  const touching = (event) => { if (event.target.closest("button, input, textarea")) onTouch(); };
  return html`<li class=${`need is-${need.kind}${chosen ? " is-chosen" : ""}`} data-key=${id} tabindex=${chosen ? "0" : "-1"} aria-current=${chosen ? "true" : null}
      onFocusIn=${(event) => !chosen && event.currentTarget.contains(document.activeElement) && onChoose()} onMouseDown=${() => !chosen && onChoose()} onClick=${touching} onKeyDown=${touching}>
    <div class="need-head">
      <span class="need-kind"><${Icon} name=${kind.icon} size="14" />${kind.one}</span>
      ${need.task !== null && html`<a class="need-title" href=${inBoard(`/t/${need.task}`)}><span class="number">#${need.task}</span> ${need.title}</a>`}
      ${need.task === null && html`<span class="need-title">${need.sentence}</span>`}
      <span class=${`need-age${age}`}><${Time} at=${need.since}>${ago(need.since, minute.value)}<//></span>
    </div>
    <p class="need-facts">${need.assignee && html`<span><${Avatar} name=${need.assignee} />${need.assignee}</span>`}
      ${need.kind === "delivery" && html`<span>to ${need.actor}</span>`}
      ${need.tenant && html`<${Chip}>${need.tenant}<//>`}
      ${need.until && need.kind !== "question" && html`<span>until ${new Date(need.until).toLocaleString()} (${longSpan(Math.max(0, Date.parse(need.until) - minute.value))})</span>`}
      ${["gave_up", "blocked", "block_loop"].includes(need.kind) && html`<a href=${inBoard(`/t/${need.task}?tab=log`)}>log</a>`}</p>
    <${Body} need=${need} chosen=${chosen} fieldRef=${fieldRef} onDone=${onDone} />
    ${need.kind !== "question" && may("operator") && html`<${Ways} ways=${need.ways} keys=${chosen ? keysFor(need) : {}} open=${open} setOpen=${setOpen} onDone=${onDone} />`}
  </li>`;
}

function keysFor({ kind, ways }) {
  const letters = kind === "review" ? ["a", "r"] : ["s", "m"];
  return Object.fromEntries(ways.slice(0, 2).map((way, at) => [way.label, letters[at]]));
}

function Body({ need, chosen, fieldRef, onDone }) {
  if (need.kind === "question") {
    const question = { id: Number(need.ref), kind: "question", body: need.words, options: need.options, default: need.default, deadline: need.until, asked_by: need.actor };
    return html`<${OpenQuestion} task=${need.task} question=${question} numbered=${chosen} focusRef=${fieldRef} onAnswered=${onDone} />`;
  }
  if (need.kind === "review") return html`${need.words && html`<${Markdown} text=${need.words} />`}${need.workspace === "worktree" && html`<${Stat} task=${need.task} wanted=${chosen} />`}`;
  if (need.task === null || !need.words) return null;
  return html`<pre class="need-words">${need.words}</pre>`;
}

/** What a review is about, in figures; asked for when it is looked at. */
function Stat({ task, wanted }) {
  const [stat, setStat] = useState(null);
  useEffect(() => {
    if (!wanted || stat !== null) return;
    let alive = true;
    call("task.diff", { id: task, stat: true }).then((diff) => alive && setStat(diff.text), () => alive && setStat(""));
    return () => { alive = false; };
  }, [task, wanted]);
  if (!stat) return null;
  return html`<pre class="need-stat">${stat}</pre><a href=${inBoard(`/t/${task}?tab=diff`)}>Look at the change</a>`;
}
