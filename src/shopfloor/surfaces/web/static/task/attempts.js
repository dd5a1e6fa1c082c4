// The attempts of a task, the newest first: how each ended, how long it took, what it cost, and its receipt.

import { html, useEffect, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { ago, fullTime, longSpan, minute, second } from "../core/time.js";
import { Avatar, Chip, Empty, Icon, Time } from "../core/ui.js";
import { Copy, count, Markdown, money, toneOf, words } from "./parts.js";

export function Attempts({ detail }) {
  const { runs } = detail;
  if (!runs.length) return html`<${Empty} title="No attempt yet" icon="timeline">${detail.why.sentence}<//>`;
  return html`<ol class="attempts">${runs.map((run) => html`<${Attempt} key=${run.id} run=${run} order=${detail.task.command !== null} />`)}</ol>`;
}

function Attempt({ run, order }) {
  const who = run.profile ?? (run.role === "person" ? "by hand" : order ? "command" : "outside worker");
  return html`<li class="attempt" id=${`run-${run.id}`}>
    <div class="attempt-head">
      <${Chip} tone=${toneOf(run.outcome)}>${words(run.outcome ?? run.state)}<//>
      <b>Attempt ${run.attempt}</b><span class="number">run ${run.id}</span>
      ${run.role === "reviewer" && html`<${Chip} tone="violet">review<//>`}
      <span class="attempt-when"><${Time} at=${run.claimed_at}>${ago(run.claimed_at, minute.value)} ago<//></span>
    </div>
    <p class="attempt-facts"><span><${Avatar} name=${who} />${who}${run.host && html` on ${run.host}`}</span>
      <span title=${`${fullTime(run.started_at ?? run.claimed_at)} to ${fullTime(run.ended_at) || "now"}`}><${Icon} name="schedules" size="13" /><${Took} run=${run} /></span>
      ${run.usage && html`<span>${run.usage.cost_micros === null ? "cost unknown" : money(run.usage.cost_micros)}</span>
        <span title=${`${run.usage.input_tokens} in, ${run.usage.output_tokens} out, ${run.usage.cache_read_tokens} from the cache`}>
          ${count(run.usage.input_tokens + run.usage.output_tokens + run.usage.cache_write_tokens)} tokens${run.usage.model && html` · ${run.usage.model}`}</span>`}
      ${exit(run) && html`<span>${exit(run)}</span>`}
    </p>
    ${run.outcome === null && run.heartbeat_note && html`<p class="attempt-note"><${Icon} name="comment" size="13" />${run.heartbeat_note}</p>`}
    ${run.error && html`<pre class="attempt-error">${run.error}</pre>`}
    ${run.summary && html`<${Markdown} text=${run.summary} />`}
    <${More} run=${run} />
  </li>`;
}

function Took({ run }) {
  if (run.role === "person") return "at once";
  const until = run.ended_at ? Date.parse(run.ended_at) : second.value;
  const ms = until - Date.parse(run.started_at ?? run.claimed_at);
  return ms < 1000 && run.ended_at ? `${Math.max(0, Math.round(ms))} ms` : longSpan(ms);
}

function exit(run) {
  if (run.exit_signal !== null) return `signal ${run.exit_signal}`;
  return run.exit_code === null ? null : `exit ${run.exit_code}`;
}

function More({ run }) {
  const [open, setOpen] = useState(false);
  const pairs = [
    ["Result", run.result], ["Workspace", run.workspace], ["Session", run.session], ["Process", run.pid && `${run.pid}${run.gone_at ? ", gone" : ""}`],
    ["Runtime", run.exit_record?.runtime], ["Container", run.exit_record?.container],
    ["Turns", run.report?.turns], ["Reminders", run.report?.reminders], ["Last words", run.report?.sentence],
    ["Claimed", fullTime(run.claimed_at)], ["Started", fullTime(run.started_at)], ["Ended", fullTime(run.ended_at)],
  ].filter(([, value]) => value);
  return html`<details class="attempt-more" onToggle=${(event) => setOpen(event.target.open)}>
    <summary>Details</summary>
    ${open && html`<dl class="pairs">${pairs.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${run.metadata !== null && html`<pre class="attempt-data">${JSON.stringify(run.metadata, null, 2)}</pre>`}
      ${run.report?.text && html`<${Markdown} text=${run.report.text} />`}
      ${run.ended_at && html`<${Receipt} run=${run.id} />`}`}
  </details>`;
}

/** The run's receipt, where there is one: who signed what, and how to check it. */
function Receipt({ run }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let alive = true;
    call("receipt.show", { run }).then((one) => alive && setFound(one), () => {});
    return () => { alive = false; };
  }, [run]);
  if (!found) return null;
  return html`<div class="receipt"><p><${Icon} name="orders" size="13" /><b>Receipt ${found.id}</b> <code>${found.hash.slice(0, 16)}…</code>
      <span>${found.signature ? "signed" : "not signed"}</span><${Copy} text=${found.line} label="Copy the receipt" /></p>
    <p class="field-hint">Check all of them with <code>shop receipt verify</code></p></div>`;
}
