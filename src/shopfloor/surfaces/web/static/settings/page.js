// Settings: what holds for this board on its host, what each setting means, and what may be done to the board itself.

import { html, useState } from "../core/dom.js";
import { boards, loadBoards, may } from "../core/session.js";
import { currentBoard } from "../core/route.js";
import { longSpan } from "../core/time.js";
import { toast } from "../core/toast.js";
import { Button, Chip, Dialog, Field, IconButton, Input, Toggle } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Section, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";

// What is read once, by the process that needs it.
const STARTS = { web: "shop up", telegram: "shop chat serve" };
const PAUSES = new Set(["paused", "resumed"]);

export function SettingsPage() {
  const settings = useRead("board.settings", {}, { wants: () => false });
  const holds = useRead("dispatch.holds", {}, { wants: (event) => PAUSES.has(event.kind) });
  return html`<${ListPage} title="Settings" about="What holds for this board, what it means, and where it is set.">
    <${Board} holds=${holds} />
    <${Reading} of=${settings}>${(found) => html`<${Tables} found=${found} />`}<//>
  <//>`;
}

function Board({ holds }) {
  const [editing, setEditing] = useState(false);
  const board = boards.value.find((one) => one.slug === currentBoard.value);
  if (!board) return null;
  const pause = holds.value?.find((one) => one.scope === "board" && one.code === "paused");
  const flip = () => act(pause ? "dispatch.resume" : "dispatch.pause", {}, { done: pause ? "The board goes on" : "Nothing more is started" }).then(holds.read);
  const actions = html`<div class="list-actions">
    ${may("operator") && html`<${Button} icon=${pause ? "play" : "pause"} onClick=${flip}>${pause ? "Resume the board" : "Pause the board"}<//>`}
    ${may("admin") && html`<${Button} icon="edit" onClick=${() => setEditing(true)}>Edit<//>`}</div>`;
  return html`<${Section} title=${board.name} actions=${actions}>
    <dl class="facts">
      <div><dt>Short name</dt><dd><code>${board.slug}</code></dd></div>
      <div><dt>Database</dt><dd>${board.database}</dd></div>
      <div><dt>Working directory</dt><dd>${board.default_workdir ?? "none"}</dd></div>
      <div><dt>Made</dt><dd><${Moment} at=${board.created_at} /></dd></div>
      ${pause && html`<div><dt>Paused</dt><dd>${pause.reason}, since <${Moment} at=${pause.since} /></dd></div>`}
    </dl>
    ${editing && html`<${Edit} board=${board} onClose=${() => setEditing(false)} />`}
  <//>`;
}

function Edit({ board, onClose }) {
  const [name, setName] = useState(board.name);
  const [workdir, setWorkdir] = useState(board.default_workdir ?? "");
  const save = async () => {
    const { slug } = board;
    const asked = [
      name.trim() !== board.name && ["board.rename", { slug, name: name.trim() }],
      workdir.trim() !== (board.default_workdir ?? "") && ["board.workdir", { slug, path: workdir.trim() || null }],
    ].filter(Boolean);
    for (const [op, args] of asked) if ((await act(op, args, { done: "Changed" })) === null) return false;
    await loadBoards();
    return true;
  };
  return html`<${Dialog} title="Edit the board" onClose=${onClose} onSubmit=${save}
      footer=${html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" disabled=${!name.trim()}>Save<//>`}>
    <${Field} label="Name" hint="The short name in addresses and commands stays."><${Input} value=${name} onValue=${setName} autofocus /><//>
    <${Field} label="Working directory" hint="Where tasks in a directory or a worktree work that name none: a whole path on the host, or nothing.">
      <${Input} value=${workdir} onValue=${setWorkdir} placeholder="none" spellcheck="false" class="input is-mono" /><//>
  <//>`;
}

const columnsFor = (how) => [
  { title: "Setting", head: true, cell: (row) => html`<code>${nameOf(row)}</code>` },
  { title: "Value", cell: (row) => html`${shown(row, row.value)} ${row.is_set && html`<${Chip} tone="blue">set<//>`}` },
  { title: "Default", cell: (row) => shown(row, row.default) },
  { title: "What it means", wide: true, cell: (row) => plain(row.words) },
  { title: "", cell: (row) => html`<${Button} small aria-label=${`How to set ${nameOf(row)}`} onClick=${() => how(row)}>Set…<//>` },
];

function Tables({ found }) {
  const [onlySet, setOnlySet] = useState(false);
  const [asked, setAsked] = useState(null);
  const columns = columnsFor(setAsked);
  const tables = [...new Set(found.items.map((row) => row.table))];
  const rowsOf = (table) => found.items.filter((row) => row.table === table && (row.is_set || !onlySet));
  return html`
    ${found.warnings.map((warning) => html`<p class="list-warning">${warning}</p>`)}
    <${Toggle} label="Only what is set" on=${onlySet} onChange=${setOnlySet} />
    ${tables.map((table) => html`<${Section} key=${table} title=${`[${writtenAs(table)}]`} about=${STARTS[table] && `Read when ${STARTS[table]} starts.`}>
      <${Table} label=${table} columns=${columns} rows=${rowsOf(table)} keyOf=${(row) => row.name} empty="Everything is as it comes." /><//>`)}
    ${asked && html`<${How} row=${asked} file=${found.file} onClose=${() => setAsked(null)} />`}`;
}

/** Where a setting is written, how, and from when on it holds. */
function How({ row, file, onClose }) {
  const line = `${nameOf(row)} = ${literal(row)}`;
  const starts = STARTS[row.table];
  return html`<${Dialog} title=${`How to set ${nameOf(row)}`} onClose=${onClose} footer=${html`<${Button} kind="primary" onClick=${onClose}>Close<//>`}>
    <p>${plain(row.words)}</p>
    <p>Settings are not changed from a browser, because they say which programs run. Write in <code>${file}</code> on the host:</p>
    <${Lines} table=${writtenAs(row.table)} line=${line} />
    ${row.table === "dispatch" && html`<p>Or for this board alone:</p><${Lines} table=${`boards.${currentBoard.value}`} line=${line} />`}
    <p>${starts ? html`It holds when <code>${starts}</code> is started the next time.` : "It holds a second after the file is saved; nothing has to be started again. What is wrong in the file is told above the tables, and what held before stays."}</p>
  <//>`;
}

function Lines({ table, line }) {
  const text = `[${table}]\n${line}\n`;
  const copy = () => navigator.clipboard?.writeText(text).then(() => toast("Copied"));
  return html`<div class="setting-lines"><pre>${text}</pre><${IconButton} icon="copy" label=${`Copy the lines of [${table}]`} small onClick=${copy} /></div>`;
}

function nameOf(row) {
  return row.name.replace(/_ms$/, "");
}

function writtenAs(table) {
  return table === "telegram" ? "chat.telegram" : table;
}

/** The value as it is written in the file; what is not set, or secret, is for its reader to fill in. */
function literal({ name, value }) {
  if (value === null || value === "***") return "…";
  if (name.endsWith("_ms") && typeof value === "number") return JSON.stringify(exact(value));
  return JSON.stringify(value);
}

function shown(row, value) {
  if (value === null) return plain(row.unset ?? "none");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (row.name.endsWith("_ms") && typeof value === "number") return exact(value);
  if (Array.isArray(value)) return value.join(", ") || "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A span as the file takes it: "1h30m", "5m". */
function exact(ms) {
  return ms === 0 ? "0" : longSpan(ms).replace(/ 00\w$/, "").replace(/ 0?/, "");
}

function plain(words) {
  return words.replaceAll("`", "");
}
