// Settings: what holds for this board on its host, what each setting means, and what may be done to the board itself.

import { html, useState } from "../core/dom.js";
import { boards, loadBoards, may } from "../core/session.js";
import { currentBoard } from "../core/route.js";
import { longSpan } from "../core/time.js";
import { Button, Chip, Dialog, Field, Input, Toggle } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Section, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";

const PAUSES = new Set(["paused", "resumed"]);

export function SettingsPage() {
  const settings = useRead("board.settings", {}, { wants: () => false });
  const holds = useRead("dispatch.holds", {}, { wants: (event) => PAUSES.has(event.kind) });
  return html`<${ListPage} title="Settings" about="What holds for this board. Settings are made in the home's config.toml and are in force at once.">
    <${Board} holds=${holds} />
    <${Reading} of=${settings}>${(found) => html`<${Tables} found=${found} />`}<//>
  <//>`;
}

function Board({ holds }) {
  const [renaming, setRenaming] = useState(false);
  const board = boards.value.find((one) => one.slug === currentBoard.value);
  if (!board) return null;
  const pause = holds.value.value?.find((one) => one.scope === "board" && one.code === "paused");
  const flip = () => act(pause ? "dispatch.resume" : "dispatch.pause", {}, { done: pause ? "The board goes on" : "Nothing more is started" }).then(holds.read);
  const actions = html`<div class="list-actions">
    ${may("operator") && html`<${Button} icon=${pause ? "play" : "pause"} onClick=${flip}>${pause ? "Resume the board" : "Pause the board"}<//>`}
    ${may("admin") && html`<${Button} icon="edit" onClick=${() => setRenaming(true)}>Rename<//>`}</div>`;
  return html`<${Section} title=${board.name} actions=${actions}>
    <dl class="facts">
      <div><dt>Short name</dt><dd><code>${board.slug}</code></dd></div>
      <div><dt>Database</dt><dd>${board.database}</dd></div>
      <div><dt>Working directory</dt><dd>${board.default_workdir ?? "none"}</dd></div>
      <div><dt>Made</dt><dd><${Moment} at=${board.created_at} /></dd></div>
      ${pause && html`<div><dt>Paused</dt><dd>${pause.reason}, since <${Moment} at=${pause.since} /></dd></div>`}
    </dl>
    ${renaming && html`<${Rename} board=${board} onClose=${() => setRenaming(false)} />`}
  <//>`;
}

function Rename({ board, onClose }) {
  const [name, setName] = useState(board.name);
  const save = async () => {
    if ((await act("board.rename", { slug: board.slug, name: name.trim() }, { done: "Renamed" })) === null) return;
    await loadBoards();
    onClose();
  };
  return html`<${Dialog} title="Rename the board" onClose=${onClose} onSubmit=${save}
      footer=${html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" disabled=${!name.trim()}>Rename<//>`}>
    <${Field} label="Name" hint="The short name in addresses and commands stays."><${Input} value=${name} onValue=${setName} autofocus /><//>
  <//>`;
}

const COLUMNS = [
  { title: "Setting", head: true, cell: (row) => html`<code>${row.name.replace(/_ms$/, "")}</code>` },
  { title: "Value", cell: (row) => html`${shown(row, row.value)} ${row.is_set && html`<${Chip} tone="blue">set<//>`}` },
  { title: "Default", cell: (row) => shown(row, row.default) },
  { title: "What it means", wide: true, cell: (row) => plain(row.words) },
];

function Tables({ found }) {
  const [onlySet, setOnlySet] = useState(false);
  const tables = [...new Set(found.items.map((row) => row.table))];
  const rowsOf = (table) => found.items.filter((row) => row.table === table && (row.is_set || !onlySet));
  return html`
    ${found.warnings.map((warning) => html`<p class="list-warning">${warning}</p>`)}
    <${Toggle} label="Only what is set" on=${onlySet} onChange=${setOnlySet} />
    ${tables.map((table) => html`<${Section} key=${table} title=${`[${table}]`}>
      <${Table} label=${table} columns=${COLUMNS} rows=${rowsOf(table)} keyOf=${(row) => row.name} empty="Everything is as it comes." /><//>`)}`;
}

function shown(row, value) {
  if (value === null) return plain(row.unset ?? "none");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (row.name.endsWith("_ms") && typeof value === "number") return value === 0 ? "0" : longSpan(value);
  if (Array.isArray(value)) return value.join(", ") || "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function plain(words) {
  return words.replaceAll("`", "");
}
