// Figures of the board: what there is now, and hour by hour or day by day what was created, what ended how, what it cost.

import { html } from "../core/dom.js";
import { call } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { useReading } from "../core/reader.js";
import { inBoard, route, setQuery } from "../core/route.js";
import { sheet } from "../core/sheet.js";
import { longSpan } from "../core/time.js";
import { Bars } from "../charts/bars.js";
import { Busy, Empty, Status } from "../core/ui.js";
import { count, money, words } from "../task/parts.js";

await Promise.all([sheet("graph"), sheet("needs"), sheet("stats")]);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WINDOWS = [["24h", "hour", 24 * HOUR], ["48h", "hour", 48 * HOUR], ["7d", "day", 7 * DAY], ["30d", "day", 30 * DAY], ["90d", "day", 90 * DAY]];
const USUAL = 3;
const REREAD_MS = 15_000;
const TONES = 7;
const STATUSES = ["triage", "todo", "scheduled", "ready", "running", "review", "blocked", "done"];

export function StatsPage() {
  const window = WINDOWS.find(([name]) => name === route.value.query.get("for")) ?? WINDOWS[USUAL];
  const { told, refused } = useStats(window);
  useCommands(() => WINDOWS.map(([name], at) => ({ id: `stats.window.${name}`, title: `Show ${name}`, group: "Statistics", keys: [String(at + 1)], run: () => setQuery({ for: name }) })), []);
  if (refused) return html`<${Empty} title="The figures cannot be shown" icon="alert">${refused.message}<//>`;
  return html`<div class="stats">
    <header class="page-head"><h1>Statistics</h1>
      <div class="filter" role="group" aria-label="How much time is shown">${WINDOWS.map(([name]) => html`<button key=${name} type="button" aria-pressed=${name === window[0]} onClick=${() => setQuery({ for: name })}>${name}</button>`)}</div>
    </header>
    ${told ? html`<${Figures} told=${told} name=${window[0]} />` : html`<${Busy} label="Counting" />`}
  </div>`;
}

function useStats([name, per, length]) {
  const ask = async () => {
    const zone = -new Date().getTimezoneOffset();
    const [now, past, usage] = await Promise.all([
      call("stats.show"), call("stats.history", { per, since_ms: length, zone_minutes: zone }), call("usage.show", { by: "profile", since_ms: length }),
    ]);
    return { now, past, usage, per };
  };
  const { value, refused } = useReading(ask, [name], { pauseMs: REREAD_MS });
  return { told: value, refused };
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

function Figures({ told, name }) {
  const { now, past, usage, per } = told;
  const when = (start) => {
    const date = new Date(start);
    if (per === "day") return { label: DATE.format(date), title: DATE.format(date) };
    return { label: CLOCK.format(date), title: `${DATE.format(date)}, ${CLOCK.format(date)}` };
  };
  const slots = past.slots.map((slot) => ({ ...when(slot.start), start: slot.start, slot }));
  const sum = (field) => past.slots.reduce((total, slot) => total + slot[field], 0);
  const failed = failures(past.slots);
  const profiles = [...new Set(past.profiles.map((one) => one.profile))].sort((one, other) => spent(past, other) - spent(past, one));
  const series = profiles.map((profile, at) => ({ name: profile, label: profile || "no profile", tone: `c${at % TONES}` }));
  const byProfile = (field) => slots.map((slot) => ({ ...slot, values: Object.fromEntries(past.profiles.filter((one) => one.start === slot.start).map((one) => [one.profile, one[field]])) }));
  const attempts = sum("attempts");
  const good = past.slots.reduce((total, slot) => total + (slot.outcomes.completed ?? 0) + (slot.outcomes.review_requested ?? 0), 0);
  return html`
    <${Now} now=${now} />
    <dl class="tiles">
      <${Tile} name="Done" value=${count(sum("done"))} hint=${`in ${name}${sum("by_hand") ? `, ${count(sum("by_hand"))} by hand` : ""}`} />
      <${Tile} name="Attempts" value=${count(attempts)} hint=${attempts ? `${Math.round((good / attempts) * 100)} % ended well` : "none ended"} />
      <${Tile} name="Worked" value=${longSpan(sum("took_s") * 1000)} hint=${attempts ? `${longSpan((sum("took_s") / attempts) * 1000)} an attempt` : ""} />
      <${Tile} name="Cost" value=${money(sum("cost_micros"))} hint=${`${count(sum("tokens"))} tokens`} />
    </dl>
    <div class="charts">
      <${Bars} title="Done" note=${`of ${count(sum("created"))} created`} slots=${slots.map((one) => ({ ...one, values: { done: one.slot.done - one.slot.by_hand, hand: one.slot.by_hand } }))}
        series=${[{ name: "done", label: "by workers", tone: "good" }, { name: "hand", label: "by hand", tone: "c1" }]} format=${count} />
      <${Bars} title="Created" slots=${slots.map((one) => ({ ...one, values: { created: one.slot.created } }))} series=${[{ name: "created", label: "tasks", tone: "c0" }]} format=${count} />
      <${Bars} title="Failures by kind" slots=${slots.map((one) => ({ ...one, values: one.slot.outcomes }))} series=${failed} format=${count} />
      <${Bars} title=${per === "day" ? "Cost per day and profile" : "Cost per hour and profile"} slots=${byProfile("cost_micros")} series=${series} format=${money} />
      <${Bars} title="Tokens" slots=${byProfile("tokens")} series=${series} format=${count} />
      <${Bars} title="Attempts by profile" slots=${byProfile("attempts")} series=${series} format=${count} />
    </div>
    <${Usage} usage=${usage} past=${past} name=${name} />`;
}

const FINE = new Set(["completed", "review_requested", "changes_requested", "blocked", "dependency_wait", "reclaimed", "superseded", "cancelled"]);

/** The kinds of ends that are failures, the most frequent first. */
function failures(slots) {
  const many = {};
  for (const slot of slots) for (const [name, number] of Object.entries(slot.outcomes)) if (!FINE.has(name)) many[name] = (many[name] ?? 0) + number;
  return Object.keys(many).sort((one, other) => many[other] - many[one]).map((name, at) => ({ name, label: words(name), tone: `f${at % TONES}` }));
}

function spent(past, profile) {
  return past.profiles.filter((one) => one.profile === profile).reduce((sum, one) => sum + one.cost_micros + one.tokens / 1000 + one.attempts / 1e6, 0);
}

function Now({ now }) {
  return html`<ul class="stats-now" aria-label="Tasks now">${STATUSES.filter((status) => now.by_status[status]).map((status) => html`<li key=${status}><a href=${inBoard("")}><${Status} status=${status} /><b>${count(now.by_status[status])}</b></a></li>`)}
    ${now.oldest_ready_s !== null && html`<li class="stats-oldest">the oldest ready task waits for ${longSpan(now.oldest_ready_s * 1000)}</li>`}</ul>`;
}

function Tile({ name, value, hint }) {
  return html`<div class="tile"><dt>${name}</dt><dd>${value}</dd><dd class="tile-hint">${hint}</dd></div>`;
}

function Usage({ usage, past, name }) {
  const attempts = (profile) => past.profiles.filter((one) => one.profile === profile).reduce((sum, one) => sum + one.attempts, 0);
  const names = [...new Set([...usage.rows.map((row) => row.name), ...past.profiles.map((one) => one.profile)])];
  if (!names.length) return null;
  return html`<section class="stats-usage"><h2>Profiles in ${name}</h2><div class="as-table is-open"><table>
    <thead><tr><th scope="col">Profile</th><th scope="col" class="is-figure">Attempts</th><th scope="col" class="is-figure">Input</th><th scope="col" class="is-figure">Output</th><th scope="col" class="is-figure">From the cache</th><th scope="col" class="is-figure">Cost</th></tr></thead>
    <tbody>${names.map((profile) => {
      const row = usage.rows.find((one) => one.name === profile);
      return html`<tr key=${profile}><th scope="row">${profile || "no profile"}</th><td class="is-figure">${count(attempts(profile))}</td><td class="is-figure">${row ? count(row.input_tokens) : ""}</td><td class="is-figure">${row ? count(row.output_tokens) : ""}</td>
        <td class="is-figure">${row ? count(row.cache_read_tokens) : ""}</td><td class="is-figure">${row?.cost_micros ? money(row.cost_micros) : ""}${row?.unpriced ? html` <small title="Runs that told no cost">+ ${row.unpriced} unknown</small>` : ""}</td></tr>`;
    })}</tbody></table></div></section>`;
}
