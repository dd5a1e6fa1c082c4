// The top of a task's page: number, title, status, why it does not move, and what can be done about it.

import { html, signal, useEffect, useRef, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { readable } from "../core/keys.js";
import { currentBoard, inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { ago, minute } from "../core/time.js";
import { Avatar, Button, Chip, Icon, IconButton, Menu, Status, StatusMark, Time, useOnce } from "../core/ui.js";
import { act, undoCommand, useTaskCommands } from "./act.js";
import { VerbDialog } from "./dialog.js";
import { Copy, money, words } from "./parts.js";
import { carryOut, labelOf, verbsOf } from "./verbs.js";

const asking = signal(null);

/** Carry a verb out, through its dialog where it has to ask. */
function start(verb, detail) {
  if (!verb.ask?.(detail.task, detail)) return carryOut(verb, detail.task);
  asking.value = verb;
  return null;
}

export function Head({ detail, onClose, onGone }) {
  const { task } = detail;
  return html`<header class="task-head">
    <div class="task-line">
      <a class="number" href=${inBoard(`/t/${task.id}`)}>#${task.id}</a>
      <${Status} status=${task.status} />
      ${task.phase === "review" && task.status !== "review" && html`<${Chip} tone="violet">in review<//>`}
      <span class="task-since"><${Time} at=${detail.why.since}>for ${ago(detail.why.since, minute.value)}<//></span>
      <span class="task-links">
        <a class="button is-quiet is-small" href=${inBoard(`/graph/${task.id}`)}><${Icon} name="graph" />Graph</a>
        <${Copy} text=${`${location.origin}${inBoard(`/t/${task.id}`)}`} label="Copy the link to this task" />
        <${IconButton} icon="close" small label="Close (Esc)" onClick=${onClose} />
      </span>
    </div>
    <${Title} task=${task} />
    <${Why} detail=${detail} />
    <${Verbs} detail=${detail} onGone=${onGone} />
  </header>`;
}

/** The title, which becomes a field where it is pressed. */
function Title({ task }) {
  const { editing, setEditing, button } = useEditing();
  if (!may("operator")) return html`<h2 class="task-title">${task.title}</h2>`;
  if (!editing) {
    return html`<h2 class="task-title"><button ref=${button} type="button" class="task-title-button" aria-label=${`${task.title}; change the title`}
        onClick=${() => setEditing(true)}>${task.title}<${Icon} name="edit" size="13" /></button></h2>`;
  }
  const save = (title) => {
    if (!title || title === task.title) return;
    const undo = { op: "task.edit", args: { id: task.id, title: task.title }, done: "The old title is back" };
    act("task.edit", { id: task.id, title }, { done: "The title is changed", undo, what: "Changing the title" });
  };
  return html`<${InPlace} class="input task-title-field" aria-label="Title" maxlength="500" value=${task.title} onKeep=${save} onClose=${() => setEditing(false)} />`;
}

/** Whether something is being changed where it stands; its button has the focus again afterwards, unless something else took it. */
function useEditing() {
  const [editing, setEditing] = useState(false);
  const button = useRef(null);
  const before = useRef(false);
  useEffect(() => {
    if (before.current && !editing && document.activeElement === document.body) button.current?.focus();
    before.current = editing;
  }, [editing]);
  return { editing, setEditing, button };
}

/** A field in the place of what it changes: Enter and leaving keep what was typed, Esc does not. */
function InPlace({ value, onKeep, onClose, ...rest }) {
  const [draft, setDraft] = useState(value);
  const [found] = useState(value);
  const field = useRef(null);
  const left = useRef(false);
  useEffect(() => {
    field.current.focus();
    field.current.select();
  }, []);
  // A field that is taken away loses the focus too: whoever left it by a key has left it by then.
  const leave = (keep) => {
    if (left.current) return;
    left.current = true;
    onClose();
    // What was only looked at is not kept over what somebody else made of it.
    if (keep && draft.trim() !== found.trim()) onKeep(draft.trim());
  };
  const onKey = (event) => {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.stopPropagation();
    leave(event.key === "Enter");
  };
  return html`<input ref=${field} ...${rest} value=${draft} onInput=${(event) => setDraft(event.target.value)} onKeyDown=${onKey} onBlur=${() => leave(true)} />`;
}

// What is well needs no box; what waits for a person stands out.
const CALM = ["running", "is_done", "is_cancelled", "is_archived", "starts_next", "promotes_next", "starting", "check_runs"];

function Why({ detail }) {
  const { why, task } = detail;
  if (why.code === "question") return html`<p class="task-why is-asking"><${Icon} name="question" />It waits for an answer.</p>`;
  if (CALM.includes(why.code)) return html`<p class="task-why is-calm">${sentence(why.sentence)}</p>`;
  return html`<div class=${`task-why is-${task.status}`}>
    <${Icon} name="info" />
    <div><p>${sentence(why.sentence)}${why.until && html`<span class="task-until"> Looked at again <${Time} at=${why.until}>${new Date(why.until).toLocaleString()}<//>.</span>`}</p>
      ${why.next_step && html`<p class="task-step"><code>${why.next_step}</code><${Copy} text=${why.next_step} label="Copy the command" /></p>`}</div>
  </div>`;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!…]$/.test(text) ? "" : ".");
}

function Verbs({ detail, onGone }) {
  const { task } = detail;
  const [menu, setMenu] = useState(null);
  const more = useRef(null);
  const verbs = verbsOf(detail);
  const first = verbs.filter((verb) => verb?.first?.includes(task.status) && !(verb.op === "task.unblock" && detail.why.code === "question"));
  const rest = verbs.filter((verb) => !first.includes(verb)).filter((verb, at, all) => verb !== null || (at > 0 && at < all.length - 1));
  const keyed = {};
  for (const verb of verbs) if (verb?.key && !(verb.key in keyed) && (first.includes(verb) || verb.key === "a" || verb.key === ".")) keyed[verb.key] = verb;
  const shape = Object.entries(keyed).map(([key, verb]) => key + verb.op).join();
  useTaskCommands(() => [
    ...Object.entries(keyed).map(([key, verb]) => ({ id: `task.${verb.op}`, title: labelOf(verb, task), keys: [key], run: () => start(verb, detail) })),
    undoCommand("Task"),
  ], [shape, task.id, task.status, detail]);
  // An open menu stays as it is: nobody shall press what came under the finger.
  const itemsOf = () => rest.map((verb) => verb && { label: labelOf(verb, task) + (verb.ask?.(task, detail) ? "…" : ""), icon: verb.icon, danger: verb.danger, run: () => start(verb, detail) });
  const dialog = asking.value;
  const close = () => { asking.value = null; };
  useEffect(() => close, []);
  if (!verbs.length) return null;
  return html`<div class="task-verbs">
    ${first.map((verb, at) => html`<${Button} key=${verb.op} icon=${verb.icon} kind=${at === 0 ? (verb.danger ? "plain" : "primary") : "plain"}
        onClick=${() => start(verb, detail)}>${labelOf(verb, task)}${keyed[verb.key] === verb && html`<kbd>${readable(verb.key)}</kbd>`}<//>`)}
    <button ref=${more} type="button" class="button is-plain" aria-haspopup="menu" aria-expanded=${menu !== null} onClick=${() => setMenu(itemsOf())}><${Icon} name="more" />More</button>
    ${menu && html`<${Menu} at=${more.current} label=${`What to do with #${task.id}`} onClose=${() => setMenu(null)} items=${menu} />`}
    ${dialog && html`<${VerbDialog} verb=${dialog} detail=${detail} onClose=${close} onDone=${() => dialog.op === "task.delete" && onGone()} />`}
  </div>`;
}

/** The facts of a task in a line or two of chips and pairs. */
export function Facts({ detail }) {
  const { task, spent } = detail;
  const pairs = [
    ["Tenant", task.tenant], ["Model", [task.provider, task.model].filter(Boolean).join(" ") || null],
    ["Template", [task.template, task.step].filter(Boolean).join(" · ") || null],
    ["Workspace", task.workspace_kind === "scratch" ? null : [task.workspace_kind, task.workspace_path].filter(Boolean).join(" ")],
    ["Branch", task.branch], ["Check", task.check && task.check.join(" ")], ["Goal", task.goal ? `at most ${task.goal_turns ?? "the usual"} turns` : null],
    ["Attempts", task.attempts ? `${task.attempts}${task.failures ? `, ${task.failures} failed in a row` : ""}` : null],
    ["Spent", spent.tokens || spent.cost_micros ? `${money(spent.cost_micros)}${spent.max_cost_micros ? ` of ${money(spent.max_cost_micros)}` : ""} · ${spent.tokens.toLocaleString()}${spent.max_tokens ? ` of ${spent.max_tokens.toLocaleString()}` : ""} tokens` : null],
    ["Skills", task.skills.join(", ") || null], ["Key", task.idempotency_key],
    ["Due", task.not_before && new Date(task.not_before).toLocaleString()],
  ].filter(([, value]) => value);
  return html`<div class="task-facts">
    <dl>
      <div><dt>Assignee</dt><dd><${Assignee} task=${task} /></dd></div>
      <div><dt>Priority</dt><dd><${Priority} task=${task} /></dd></div>
      <div><dt>By</dt><dd>${task.creator} <${Time} at=${task.created_at}>${ago(task.created_at, minute.value)} ago<//></dd></div>
      ${task.origin && html`<div><dt>Comes from</dt><dd><a href=${inBoard(`/t/${task.origin}`)}>#${task.origin}</a></dd></div>`}
      ${pairs.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
    ${task.command && html`<p class="task-command"><code>${task.command.argv.join(" ")}</code></p>`}
    ${detail.progress_total > 0 && html`<${Progress} done=${detail.progress_done} total=${detail.progress_total} />`}
  </div>`;
}

function Progress({ done, total }) {
  return html`<div class="task-progress"><progress max=${total} value=${done} aria-label="Sub-tasks done" /><span>${done} of ${total} sub-tasks done</span></div>`;
}

function Assignee({ task }) {
  const { editing, setEditing, button } = useEditing();
  const name = task.assignee ?? (task.command ? "its command" : "nobody");
  const shown = html`${task.assignee && html`<${Avatar} name=${task.assignee} />`}${name}`;
  if (!may("operator")) return shown;
  if (!editing) return html`<button ref=${button} type="button" class="inline-edit" aria-label=${`${name}; assign to somebody else`} onClick=${() => setEditing(true)}>${shown}</button>`;
  return html`<${AssigneeField} task=${task} onClose=${() => setEditing(false)} />`;
}

function AssigneeField({ task, onClose }) {
  const [known, setKnown] = useState([]);
  useEffect(() => { call("profile.list").then((list) => setKnown(list.map((one) => one.name)), () => {}); }, [currentBoard.value]);
  const save = (name) => {
    if (name === (task.assignee ?? "")) return;
    const undo = { op: "task.assign", args: { id: task.id, assignee: task.assignee ?? "none" }, done: "Assigned as before" };
    act("task.assign", { id: task.id, assignee: name || "none" }, { done: name ? `#${task.id} is for ${name}` : `#${task.id} is for nobody`, undo, what: "Assigning" });
  };
  return html`<${InPlace} class="input is-small" list="task-profiles" aria-label="Assignee" value=${task.assignee ?? ""} onKeep=${save} onClose=${onClose} />
    <datalist id="task-profiles">${known.map((name) => html`<option key=${name} value=${name} />`)}</datalist>`;
}

function Priority({ task }) {
  const [draft, setDraft] = useState(null);
  const field = useRef(null);
  const sending = useRef({ open: false, next: null });
  // What is being typed stays until it is left, and what was left until it has come or was refused.
  const isOver = () => Number(draft) === task.priority || (!sending.current.open && document.activeElement !== field.current);
  useEffect(() => { if (draft !== null && isOver()) setDraft(null); }, [task.priority]);
  if (!may("operator")) return task.priority;
  const keep = async (priority) => {
    const undo = { op: "task.edit", args: { id: task.id, priority: task.priority }, done: "The old priority is back" };
    const done = await act("task.edit", { id: task.id, priority }, { done: `Priority ${priority}`, undo, what: "Changing the priority" });
    if (!done) setDraft(null);
  };
  // One after the other and the last one only, so that it ends as it was left.
  const save = async (event) => {
    const one = sending.current;
    one.next = Math.round(Number(event.target.value));
    if (Number.isNaN(one.next) || (!one.open && one.next === task.priority)) return setDraft(null);
    while (!one.open && one.next !== null) {
      const priority = one.next;
      Object.assign(one, { open: true, next: null });
      await keep(priority);
      one.open = false;
    }
    return undefined;
  };
  return html`<input ref=${field} class="input is-small is-number" type="number" step="1" aria-label="Priority" value=${draft ?? task.priority}
      onInput=${(event) => setDraft(event.target.value)} onChange=${save} onBlur=${() => sending.current.open || setDraft(null)} />`;
}

/** A task's mark and number as a link, with its title where there is room. */
export function TaskChip({ task, onRemove, removeLabel, struck = false }) {
  const remove = useOnce(onRemove);
  return html`<span class=${`task-chip${struck ? " is-struck" : ""}`} title=${struck ? "Waived: it is not waited for any more" : null}>
    <a href=${inBoard(`/t/${task.id}`)}><${StatusMark} status=${task.status} label=${words(task.status)} /><span class="number">#${task.id}</span><span class="task-chip-title">${task.title}</span></a>
    ${onRemove && html`<button type="button" class="chip-remove" aria-label=${removeLabel} onClick=${remove}><${Icon} name="close" size="11" /></button>`}
  </span>`;
}
