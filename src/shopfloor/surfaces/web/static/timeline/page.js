// What ran when: a lane for each host and profile, the runs in it as bars, and above them how much waited.
//
// The window ends now and goes along, or stands where one has moved it.  A bar is told in words below the picture
// when it is pointed at or reached by keys; the same runs are there as a table.

import { html, useRef, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { useReading } from "../core/reader.js";
import { go, inBoard, route, setQuery } from "../core/route.js";
import { sheet } from "../core/sheet.js";
import { longSpan, shortTime, second } from "../core/time.js";
import { Busy, Button, Chip, Empty, Icon, StatusMark } from "../core/ui.js";
import { toneOf, words } from "../task/parts.js";
import { asBar, lanesOf, whoOf } from "./lanes.js";
import { Picture } from "./picture.js";

await Promise.all([sheet("graph"), sheet("needs"), sheet("timeline")]);

const GROUP = "Timeline";
const HOUR = 3_600_000;
const WINDOWS = [["15m", HOUR / 4], ["1h", HOUR], ["6h", 6 * HOUR], ["24h", 24 * HOUR], ["7d", 168 * HOUR]];
const USUAL = 2;
const PAGE = 1000;
const TOGETHER_MS = 400;
const REREAD_MS = 30_000;

export function TimelinePage() {
  const until = route.value.query.get("until");
  const asked = WINDOWS.find(([one]) => one === route.value.query.get("for"));
  const { told, refused } = useTimeline((asked ?? WINDOWS[USUAL])[1], until);
  const [name, length] = asked ?? (until ? WINDOWS[USUAL] : fitting(told));
  const [chosen, setChosen] = useState(null);
  const move = (by) => {
    const end = (until ? Date.parse(until) : Date.now()) + by * length / 2;
    setQuery({ for: name, until: end >= Date.now() ? null : new Date(end).toISOString() });
  };
  useCommands(() => [
    { id: "timeline.earlier", title: "Earlier", group: GROUP, keys: ["["], run: () => move(-1) },
    { id: "timeline.later", title: "Later", group: GROUP, keys: ["]"], run: () => move(1) },
    { id: "timeline.now", title: "Now", group: GROUP, keys: ["0"], run: () => setQuery({ until: null }) },
    ...WINDOWS.map(([one], at) => ({ id: `timeline.window.${one}`, title: `Show ${one}`, group: GROUP, keys: [String(at + 1)], run: () => setQuery({ for: one }) })),
  ], [length, until]);
  if (refused) return html`<${Empty} title="The timeline cannot be shown" icon="alert">${refused.message}<//>`;
  return html`<div class="timeline">
    <header class="page-head"><h1>Timeline</h1>
      <div class="filter" role="group" aria-label="How much time is shown">${WINDOWS.map(([one]) => html`<button key=${one} type="button" aria-pressed=${one === name} onClick=${() => setQuery({ for: one })}>${one}</button>`)}</div>
      <span class="timeline-move"><${Button} small icon="left" aria-label="Earlier ([)" onClick=${() => move(-1)} />
        <${Button} small disabled=${!until} onClick=${() => setQuery({ until: null })}>Now<//><${Button} small icon="right" aria-label="Later (])" disabled=${!until} onClick=${() => move(1)} /></span>
    </header>
    ${told ? html`<${Runs} told=${told} length=${length} live=${!until} chosen=${chosen} setChosen=${setChosen} />` : html`<${Busy} label="Reading what ran" />`}
  </div>`;
}

/** The shortest window that has all that ran lately, so that a young board's runs are more than hairlines. */
function fitting(told) {
  if (!told?.items.length) return WINDOWS[USUAL];
  const first = Math.min(...told.items.map((run) => Date.parse(run.queued_at ?? run.claimed_at)));
  return WINDOWS.find(([, length], at) => at === USUAL || Date.parse(told.now) - first < length);
}

function useTimeline(length, until) {
  const asked = { since_ms: length, limit: PAGE, ...(until ? { until } : {}) };
  const { value, refused } = useReading(() => call("run.timeline", asked), [length, until], {
    pauseMs: TOGETHER_MS,
    live: !until,
    wants: (event) => event.kind !== "heartbeat" && event.kind !== "commented",
    // The window goes along with the time, also where nothing happens.
    again: () => (until ? null : REREAD_MS),
  });
  return { told: value, refused };
}

function Runs({ told, length, live, chosen, setChosen }) {
  // While the window goes along, the bars of what runs grow with the clock.
  const now = live ? Math.max(second.value, Date.parse(told.now)) : Date.parse(told.now);
  const window = live ? { from: now - length, to: now } : { from: Date.parse(told.since), to: Date.parse(told.until) };
  const lanes = lanesOf(told.items.map((run) => asBar(run, now)));
  const bar = lanes.flatMap((lane) => lane.bars).find((one) => one.run.run === chosen) ?? null;
  return html`
    ${told.items.length ? html`<${Picture} lanes=${lanes} window=${window} now=${now} chosen=${chosen} onChoose=${setChosen} onOpen=${(run) => go(inBoard(`/t/${run.task}?tab=attempts`))} />`
      : html`<${Empty} title="Nothing ran in this time" icon="timeline">Choose a longer time, or an earlier one.<//>`}
    ${told.items.length > 0 && html`<div class="timeline-told" aria-live="polite">${bar ? html`<${Told} bar=${bar} now=${now} />` : html`<p class="part-none">Point at a run, or reach it with Tab and the arrow keys, to read about it.</p>`}</div>
    <${Legend} />`}
    ${told.next && html`<p class="log-cut">Only the latest ${told.items.length} runs of this time are shown.</p>`}
    <${Waiting} told=${told} />
    <${Table} told=${told} />`;
}

function Told({ bar, now }) {
  const { run, from, to, queued, before } = bar;
  const waits = [];
  if (before !== null && (queued ?? from) > before) waits.push(`${longSpan((queued ?? from) - before)} after run ${run.previous_run} ${run.previous_outcome ? `ended as ${words(run.previous_outcome)}` : "ended"}`);
  if (queued !== null && from > queued) waits.push(`${longSpan(from - queued)} in the queue`);
  return html`<p><${Chip} tone=${toneOf(run.outcome)}>${words(run.outcome ?? run.state)}<//> <a href=${inBoard(`/t/${run.task}`)}>#${run.task} ${run.title}</a>
      <span>attempt ${run.attempt} · run ${run.run} · ${whoOf(run)}${run.host ? ` on ${run.host}` : ""}</span></p>
    <p class="timeline-facts">${shortTime(run.claimed_at)} · ran ${to - from < 1000 ? `${to - from} ms` : longSpan((run.ended_at ? to : now) - from)} · waited ${waits.join(", then ") || "not at all"}</p>
    ${run.error && html`<p class="timeline-error">${run.error}</p>`}`;
}

const KINDS = [["done", "completed"], ["running", "running"], ["review", "review"], ["asked", "asked a person"], ["failed", "failed"], ["other", "taken back, or run later"]];

function Legend() {
  return html`<ul class="timeline-legend" aria-label="Colours">${KINDS.map(([kind, label]) => html`<li key=${kind}><svg width="18" height="10" aria-hidden="true"><rect class=${`run-bar is-${kind}`} width="18" height="10" rx="2" /></svg>${label}</li>`)}
    <li><svg width="18" height="10" aria-hidden="true"><rect class="lane-depth" width="18" height="10" /></svg>waiting in the queue</li></ul>`;
}

function Waiting({ told }) {
  if (!told.waiting.length) return null;
  return html`<section class="timeline-waiting"><h2>Waiting now <span class="part-count">${told.waiting_total}</span></h2>
    <ul>${told.waiting.map((one) => html`<li key=${one.task}><${StatusMark} status=${one.status} label=${one.status} />
      <a href=${inBoard(`/t/${one.task}`)}>#${one.task} ${one.title}</a><span>${one.sentence}</span><span class="timeline-age">${longSpan(Date.now() - Date.parse(one.since))}</span></li>`)}</ul></section>`;
}

function Table({ told }) {
  const [open, setOpen] = useState(false);
  const ref = useRef(null);
  return html`<details ref=${ref} class="as-table" onToggle=${(event) => setOpen(event.target.open)}><summary><${Icon} name="lanes" size="14" />As a table</summary>
    ${open && html`<table><thead><tr><th scope="col">Began</th><th scope="col">Task</th><th scope="col">Who</th><th scope="col">Host</th><th scope="col">Outcome</th><th scope="col" class="is-figure">Waited</th><th scope="col" class="is-figure">Ran</th></tr></thead>
      <tbody>${told.items.map((run) => html`<tr key=${run.run}><td>${shortTime(run.claimed_at)}</td><td><a href=${inBoard(`/t/${run.task}`)}>#${run.task} ${run.title}</a></td><td>${whoOf(run)}</td><td>${run.host || "elsewhere"}</td>
        <td>${words(run.outcome ?? run.state)}</td><td class="is-figure">${run.waited_s === null ? "" : longSpan(run.waited_s * 1000)}</td><td class="is-figure">${longSpan(run.ran_s * 1000)}</td></tr>`)}</tbody></table>`}
  </details>`;
}
