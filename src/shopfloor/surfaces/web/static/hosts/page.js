// Hosts: the machines that work on the board, the profiles that they run, what is paused and what has reached its limit.

import { html } from "../core/dom.js";
import { may } from "../core/session.js";
import { ago, minute } from "../core/time.js";
import { Button, Chip } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Section, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";
import { commandLine } from "../lists/words.js";

const MOVES = new Set(["claimed", "paused", "resumed", "quota_parked", "quota_opened", "quota_cleared", "quota_spent"]);
const SEEN_MS = 30_000;
const wants = (event) => MOVES.has(event.kind) || event.data?.from === "running";

export function HostsPage() {
  // That a host was seen again is no event.
  const hosts = useRead("admin.hosts", {}, { wants, again: () => SEEN_MS });
  const profiles = useRead("profile.list", {}, { wants });
  const holds = useRead("dispatch.holds", {}, { wants });
  const quotas = useRead("quota.list", {}, { wants });
  const again = () => [hosts, profiles, holds, quotas].forEach((one) => one.read());
  return html`<${ListPage} title="Hosts" about="Which machines work on this board, and what they may run.">
    <${Reading} of=${hosts}>${(found) => html`<${Hosts} rows=${found} />`}<//>
    <${Section} title="Profiles" about="The ways to run a worker, as this host's configuration has them.">
      <${Reading} of=${profiles}>${(found) => html`<${Profiles} rows=${found} again=${again} />`}<//>
    <//>
    <${Section} title="Paused and held">
      <${Reading} of=${holds}>${(found) => html`<${Holds} rows=${found} again=${again} />`}<//>
    <//>
    <${Section} title="Provider accounts at their limit">
      <${Reading} of=${quotas}>${(found) => html`<${Quotas} rows=${found} again=${again} />`}<//>
    <//>
  <//>`;
}

const HOSTS = [
  { title: "Host", head: true, cell: (row) => html`<strong>${row.name}</strong>` },
  { title: "State", cell: (row) => html`<${Chip} tone=${row.here ? "good" : "late"}>${row.here ? "working" : row.left_at ? "left" : "silent"}<//>` },
  { title: "Runs now", number: true, cell: (row) => row.running },
  { title: "Labels", cell: (row) => row.labels.map((label) => html`<${Chip}>${label}<//>`) },
  { title: "Version", cell: (row) => row.version },
  { title: "Since", cell: (row) => html`<${Moment} at=${row.started_at} />` },
  { title: "Last seen", cell: (row) => `${ago(row.left_at ?? row.seen_at, minute.value)} ago` },
];

function Hosts({ rows }) {
  return html`<${Table} label="Hosts" columns=${HOSTS} rows=${rows} keyOf=${(row) => row.name}
    empty="No host has worked on this board yet; shop up starts its dispatcher." />`;
}

function Profiles({ rows, again }) {
  const columns = [
    { title: "Profile", head: true, cell: (row) => html`<strong>${row.name}</strong><small>${row.description}</small>` },
    { title: "Runs", wide: true, cell: (row) => row.preset ?? html`<code>${commandLine(row.argv)}</code>` },
    { title: "Model", cell: (row) => row.model ?? "" },
    { title: "Now", number: true, cell: (row) => (row.cap ? `${row.running} of ${row.cap}` : row.running) },
    { title: "State", cell: (row) => (row.paused ? html`<${Chip} tone="warn" title=${row.paused}>paused<//>` : html`<${Chip} tone="good">open<//>`) },
    { title: "", cell: (row) => may("operator") && html`<${Button} small onClick=${() => act(row.paused ? "dispatch.resume" : "dispatch.pause", { profile: row.name }).then(again)}>
        ${row.paused ? "Resume" : "Pause"}<//>` },
  ];
  return html`<${Table} label="Profiles" columns=${columns} rows=${rows} keyOf=${(row) => row.name}
    empty="No profile is set; shop profile add makes one, and agent programs in PATH are profiles by themselves." />`;
}

function Holds({ rows, again }) {
  const target = (row) => ({ task: { ids: [Number(row.name)] }, lane: { profile: row.name }, board: {} })[row.scope];
  const columns = [
    { title: "What", head: true, cell: (row) => (row.scope === "board" ? "the board" : row.scope === "task" ? `#${row.name}` : row.name) },
    { title: "Held by", cell: (row) => row.code.replaceAll("_", " ") },
    { title: "Why", wide: true, cell: (row) => row.reason },
    { title: "By", cell: (row) => row.actor },
    { title: "Since", cell: (row) => html`<${Moment} at=${row.since} />` },
    { title: "Until", cell: (row) => (row.until ? html`<${Moment} at=${row.until} />` : "somebody resumes it") },
    { title: "", cell: (row) => may("operator") && row.code.includes("paused") && html`<${Button} small onClick=${() => act("dispatch.resume", target(row)).then(again)}>Resume<//>` },
  ];
  return html`<${Table} label="Paused and held" columns=${columns} rows=${rows} keyOf=${(row) => `${row.scope}/${row.name}/${row.code}`}
    empty="Nothing is paused, and no guard holds anything back." />`;
}

function Quotas({ rows, again }) {
  const columns = [
    { title: "Account", head: true, cell: (row) => row.account },
    { title: "State", wide: true, cell: (row) => row.sentence },
    { title: "Waiting", number: true, cell: (row) => row.waiting },
    { title: "Until", cell: (row) => (row.until ? html`<${Moment} at=${row.until} />` : "") },
    { title: "", cell: (row) => may("operator") && html`<${Button} small onClick=${() => act("quota.clear", { account: row.account }).then(again)}>Try now<//>` },
  ];
  return html`<${Table} label="Provider accounts" columns=${columns} rows=${rows} keyOf=${(row) => row.account} empty="None." />`;
}
