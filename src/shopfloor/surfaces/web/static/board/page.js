// The board: columns of cards with their tools, kept alive by events; and what mouse and keys do to it.

import { computed, html, names, signal, useEffect, useMemo, useRef } from "../core/dom.js";
import { currentBoard, currentTask, go, inBoard, route } from "../core/route.js";
import { may } from "../core/session.js";
import { pref } from "../core/prefs.js";
import { Busy, Button, Empty, Menu, StatusMark } from "../core/ui.js";
import { asked, begin } from "./acting.js";
import { Bulk } from "./bulk.js";
import { addressOf } from "./card.js";
import { Column } from "./column.js";
import { useBoardCommands } from "./commands.js";
import { Create, creating } from "./create.js";
import { Asking } from "./dialogs.js";
import { dragging } from "./drag.js";
import { Lanes } from "./lanes.js";
import { menuOf } from "./menu.js";
import { Store } from "./store.js";
import { Toolbar } from "./toolbar.js";
import { touching } from "./touch.js";
import { title } from "./words.js";

/** What is chosen and pointed at on a board: shared by its columns, its keys and its tools. */
function newView() {
  return {
    current: signal(null), selected: signal(new Set()), anchor: null, targets: signal(null), dragged: signal(new Set()),
    menu: signal(null), boxes: new Map(), narrowed: signal(false), unfolded: signal(new Set()),
  };
}

const folded = pref("board.folded", ["cancelled"]);

export function BoardPage() {
  const board = currentBoard.value;
  const filter = filterOf(route.value.query);
  const key = JSON.stringify([board, filter]);
  const view = useMemo(newView, [board]);
  const store = useMemo(() => new Store(board, { assignee: filter.assignee, tenant: filter.tenant, text: filter.text }, { archived: filter.archived }), [key]);
  view.narrowed.value = filter.assignee !== null || filter.tenant !== null || filter.text !== null;
  useEffect(() => {
    store.load();
    return () => store.close();
  }, [store]);
  useBoardCommands(store, view);
  // What was asked about this board is not asked on the next one.
  useEffect(() => () => { asked.value = creating.value = null; }, []);
  const open = currentTask.value;
  const ready = store.ready.value;
  useEffect(() => {
    if (!ready) return;
    // The card of the task that is open stays in sight beside it, and is the one that keys are for.
    if (open !== null) view.current.value = open;
    requestAnimationFrame(() => document.getElementById(`card-${open}`)?.closest(".column")?.scrollIntoView({ inline: "nearest", block: "nearest" }));
  }, [open, view, ready]);
  const on = useMemo(() => handlers(store, view), [store, view]);
  const ref = useRef(null);
  const failed = store.failed.value;
  useEffect(() => (failed ? undefined : touching(ref.current, on.hold, (id, card) => menuOf(store, view, id, card))), [on, failed]);
  if (failed) return html`<${Failed} refused=${failed} again=${() => store.load()} />`;
  return html`<div ref=${ref} class="board" onClick=${on.click} onFocusIn=${on.focus} onDragStart=${on.dragStart} onDragOver=${on.dragOver}
      onDragLeave=${on.dragLeave} onDrop=${on.drop} onDragEnd=${on.dragEnd} onContextMenu=${on.context}>
    <h1 class="spoken">Board ${board}</h1>
    <${Toolbar} store=${store} filter=${filter} />
    ${!store.ready.value ? html`<${Busy} label="Reading the board" />`
      : filter.lanes ? html`<${Lanes} key=${key} board=${board} filter=${filter} store=${store} view=${view} on=${on} />`
      : html`<${Columns} store=${store} view=${view} on=${on} />`}
    <${Bulk} store=${store} view=${view} />
    ${view.menu.value && html`<${Menu} ...${view.menu.value} onClose=${() => { view.menu.value = null; }} />`}
    ${asked.value && html`<${Asking} />`}
    ${creating.value && html`<${Create} />`}
  </div>`;
}

/** The filter that stands in the address. */
function filterOf(query) {
  return {
    assignee: query.get("assignee"), tenant: query.get("tenant"), text: query.get("q"),
    archived: query.has("archived"), lanes: query.has("lanes"),
  };
}

function Columns({ store, view, on }) {
  const shape = useRef(new Map());
  const empty = useMemo(() => computed(() => [...store.columns.values()].every((column) => column.read.value && column.count.value === 0)), [store]);
  if (empty.value && !view.narrowed.value) return html`<${Start} />`;
  return html`<${Strip} store=${store} view=${view} on=${on} /><div class="columns">${store.statuses.map((status) => {
    const column = store.columns.get(status);
    return html`<${Column} key=${status} store=${store} column=${column} view=${view} on=${on} collapsed=${isNarrow(column, view, shape.current)} />`;
  })}</div>`;
}

/** On a phone, where one column is seen at a time: all of them with their counts, to go to by a tap, and to drop cards on. */
function Strip({ store, view, on }) {
  const show = (status) => {
    on.unfold(status);
    requestAnimationFrame(() => document.querySelector(`[data-column="${status}"]`)?.scrollIntoView({ inline: "start", block: "nearest" }));
  };
  const targets = view.targets.value;
  const shown = store.statuses.filter((status) => targets?.has(status) || (!targets && store.columns.get(status).count.value > 0));
  return html`<nav class="strip" aria-label="Columns">${shown.map((status) => html`
    <button key=${status} type="button" class=${names("strip-place", targets && "may-drop")} data-strip=${status} onClick=${() => show(status)} aria-label=${`${title(status)}, ${store.columns.get(status).count.value}`}>
      <${StatusMark} status=${status} />${store.columns.get(status).count.value}</button>`)}</nav>`;
}

/** Columns that a person hid are narrow, and so are empty ones that are seldom looked at. */
function isNarrow(column, view, shape) {
  const seldom = ["triage", "todo", "scheduled", "review", "cancelled", "archived"].includes(column.status);
  const narrow = folded.value.includes(column.status) || (seldom && column.read.value && column.count.value === 0 && !view.unfolded.value.has(column.status));
  // While a card is dragged, no column goes from under it.
  if (!view.targets.value || !shape.has(column.status)) shape.set(column.status, narrow);
  return shape.get(column.status);
}

function Start() {
  return html`<${Empty} title="Nothing is on this board yet" icon="board">
    <p>A task is an idea, a piece of work for an agent, or a command.</p>
    ${may("operator") && html`<p><${Button} kind="primary" icon="plus" onClick=${() => { creating.value = {}; }}>Create the first one<//></p>`}
    <p>Or from a shell: <code>shop create "Count" -- sh -c 'seq 9'</code></p><//>`;
}

function Failed({ refused, again }) {
  return html`<${Empty} title="The board cannot be read" icon="alert"><p>${refused.message}</p><p><${Button} onClick=${again}>Try again<//> <a href="/">Another board</a></p><//>`;
}

/** What the mouse does, by the card that it does it to. */
function handlers(store, view) {
  const cardAt = (event) => {
    const found = event.target.closest?.("[data-card]");
    return found ? Number(found.dataset.card) : null;
  };
  const select = (id, { range, only } = {}) => {
    const chosen = new Set(only ? [] : view.selected.peek());
    if (range && view.anchor !== null) between(store, view.anchor, id).forEach((one) => chosen.add(one));
    else if (chosen.has(id)) chosen.delete(id);
    else chosen.add(id);
    view.anchor = id;
    view.selected.value = chosen;
  };
  return {
    select,
    unfold: (status) => {
      folded.value = folded.peek().filter((one) => one !== status);
      view.unfolded.value = new Set([...view.unfolded.peek(), status]);
    },
    fold: (status) => { folded.value = [...folded.peek(), status]; },
    create: may("operator") ? (status) => { creating.value = { status }; } : null,
    focus: (event) => {
      const id = cardAt(event);
      if (id !== null && event.target.matches("[data-card]")) view.current.value = id;
    },
    click: (event) => {
      const id = cardAt(event);
      if (id === null) return;
      const tool = event.target.closest("[data-tool]");
      if (tool?.dataset.tool === "select") select(id, { range: event.shiftKey });
      else if (tool?.dataset.tool === "menu") menuOf(store, view, id, tool);
      else if (event.ctrlKey || event.metaKey || event.shiftKey) {
        event.preventDefault();
        select(id, { range: event.shiftKey });
      } else if (!getSelection().toString()) {
        view.current.value = id;
        event.preventDefault();
        go(addressOf(id));
      }
    },
    context: (event) => {
      const id = cardAt(event);
      if (id === null || event.shiftKey || event.target.closest("a")) return;
      event.preventDefault();
      view.current.value = id;
      menuOf(store, view, id, { x: event.clientX, y: event.clientY });
    },
    ...dragging(store, view, cardAt, (cards, move) => begin(store, cards, move)),
  };
}

/** The cards from one to the other, where both stand in the same column. */
function between(store, one, other) {
  for (const column of store.columns.values()) {
    const ids = column.ids.peek();
    const [from, to] = [ids.indexOf(one), ids.indexOf(other)];
    if (from >= 0 && to >= 0) return ids.slice(Math.min(from, to), Math.max(from, to) + 1);
  }
  return [other];
}

/** Back from a task to the board, with the board's filters kept. */
export function closeTask() {
  const query = new URLSearchParams(location.search);
  query.delete("tab");
  const text = query.toString();
  go(inBoard(text ? `?${text}` : ""));
}
