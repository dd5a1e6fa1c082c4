// Schedules: what is put on the board by the clock, when next, and what became of each time.

import { html, useState } from "../core/dom.js";
import { inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { minute, span } from "../core/time.js";
import { Button, Chip, Confirm } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";
import { commandLine } from "../lists/words.js";
import { AddSchedule } from "./add.js";

const TONES = { active: "good", paused: "warn", over: "plain" };
const OUTCOMES = { fired: "good", skipped: "plain", missed: "warn", refused: "late", held: "warn" };

export function SchedulesPage() {
  const [adding, setAdding] = useState(false);
  const [open, setOpen] = useState(null);
  const schedules = useRead("schedule.list", { limit: 200 });
  return html`<${ListPage} title="Schedules" about="What is put on this board by the clock. Each time fires once, whatever restarts." add=${{ label: "New schedule", run: () => setAdding(true) }}>
    <${Reading} of=${schedules}>${(found) => html`<${Schedules} rows=${found.items} again=${schedules.read} open=${open} setOpen=${setOpen} />`}<//>
    ${adding && html`<${AddSchedule} onClose=${() => setAdding(false)} onDone=${schedules.read} />`}
  <//>`;
}

function Schedules({ rows, again, open, setOpen }) {
  const [leaving, setLeaving] = useState(null);
  const flip = (row) => act(row.state === "paused" ? "schedule.resume" : "schedule.pause", { name: row.name }, { done: row.state === "paused" ? "It goes on" : "Paused" }).then(again);
  const fire = (row) => act("schedule.run", { name: row.name }, { done: "It is on the board" }).then(again);
  const remove = (name) => {
    // What goes away is not asked for its history any more.
    if (open === name) setOpen(null);
    return act("schedule.remove", { name }, { done: "Removed" }).then(again);
  };
  const columns = [
    { title: "Schedule", head: true, wide: true, cell: (row) => html`<strong>${row.name}</strong><small>${what(row.task)}</small>` },
    { title: "Rule", cell: (row) => html`${row.words}<small>${row.kind === "cron" && row.expression !== row.words ? `${row.expression}, ` : ""}${row.zone}</small>` },
    { title: "State", cell: (row) => html`<${Chip} tone=${TONES[row.state]}>${row.state}<//>` },
    { title: "Next", cell: (row) => row.next && html`<${Moment} at=${row.next} /><small>in ${span(Date.parse(row.next) - minute.value)}</small>` },
    { title: "Last", cell: (row) => row.last && html`<${Firing} one=${row.last} />` },
    { title: "Fired", number: true, cell: (row) => (row.count ? `${row.fired} of ${row.count}` : row.fired) },
    { title: "", cell: (row) => html`
      <${Button} small aria-expanded=${open === row.name} onClick=${() => setOpen(open === row.name ? null : row.name)}>History<//>
      ${may("operator") && html`<${Button} small onClick=${() => fire(row)}>Run now<//>
        ${row.state !== "over" && html`<${Button} small onClick=${() => flip(row)}>${row.state === "paused" ? "Resume" : "Pause"}<//>`}
        <${Button} small onClick=${() => setLeaving(row.name)}>Remove<//>`}` },
  ];
  return html`<${Table} label="Schedules" columns=${columns} rows=${rows} keyOf=${(row) => row.name}
    expanded=${(row) => row.name === open && html`<${History} name=${row.name} />`} empty=${html`Nothing is scheduled on this board. <em>New schedule</em> takes plain words, such as “weekdays at 9”; so does <code>shop cron add</code>.`} />
    ${leaving && html`<${Confirm} title=${`Remove ${leaving}?`} action="Remove" onYes=${() => remove(leaving)} onClose=${() => setLeaving(null)}>
      <p>It puts nothing on the board any more, and its history is gone. The tasks that it made stay.</p><//>`}`;
}

function what(task) {
  const given = task.command ? commandLine(task.command.argv) : task.title;
  return task.assignee ? `${given}, for ${task.assignee}` : given;
}

function Firing({ one }) {
  return html`<${Chip} tone=${OUTCOMES[one.outcome] ?? "plain"}>${one.times > 1 ? `${one.outcome} ${one.times} times` : one.outcome}<//>
    ${one.task && html` <a href=${inBoard(`/t/${one.task}`)}>#${one.task}</a>`}<small>${one.error ?? one.reason ?? one.status ?? ""}</small>`;
}

const COLUMNS = [
  { title: "Due", head: true, cell: (row) => html`<${Moment} at=${row.due} />` },
  { title: "What became of it", cell: (row) => html`<${Firing} one=${row} />` },
  { title: "Summary", wide: true, cell: (row) => row.summary ?? "" },
  { title: "By", cell: (row) => row.by ?? "the clock" },
];

function History({ name }) {
  const history = useRead("schedule.history", { name, limit: 20 });
  return html`<${Reading} of=${history}>${(found) => html`
    <${Table} label=${`History of ${name}`} columns=${COLUMNS} rows=${found.items} keyOf=${(row) => `${row.due}/${row.at}`} empty="It has not been due yet." />`}<//>`;
}
