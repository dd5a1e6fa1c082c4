// What keys do on the board.  The pointed-at card moves with h j k l and the arrows; the others act on it, or on
// all that are selected.

import { change } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { currentTask, go, setQuery } from "../core/route.js";
import { may } from "../core/session.js";
import { announce, refuse, toast } from "../core/toast.js";
import { begin, undo } from "./acting.js";
import { addressOf } from "./card.js";
import { creating } from "./create.js";
import { menuOf } from "./menu.js";
import { movesOf } from "./moves.js";
import { closeTask } from "./page.js";
import { title } from "./words.js";

/** Register the board's keys for as long as it is shown. */
export function useBoardCommands(store, view) {
  useCommands(() => [...moving(store, view), ...acting(store, view), ...general(store, view)], [store, view]);
}

const inBoardOnly = () => !document.activeElement?.closest?.(".drawer");

function moving(store, view) {
  const go = (id, title, keys, run) => ({ id: `board.${id}`, group: "On the board", title, keys, when: inBoardOnly, run });
  return [
    go("down", "Next card", ["j", "ArrowDown"], () => step(store, view, 1)),
    go("up", "Card before", ["k", "ArrowUp"], () => step(store, view, -1)),
    go("left", "Column to the left", ["h", "ArrowLeft"], () => side(store, view, -1)),
    go("right", "Column to the right", ["l", "ArrowRight"], () => side(store, view, 1)),
    go("first", "First card of the column", ["Home"], () => step(store, view, -Infinity)),
    go("last", "Last card of the column", ["End"], () => step(store, view, Infinity)),
  ];
}

function acting(store, view) {
  const operator = () => may("operator");
  const chosen = () => targets(store, view);
  const act = (id, title, keys, run, when = operator) => ({ id: `board.${id}`, group: "Cards", title, keys, when: () => inBoardOnly() && when() && chosen().length > 0, run: () => run(chosen()) });
  const first = (ops, says) => (cards) => {
    const found = ops.map((op) => [op, cards.filter((card) => movesOf(card).some((move) => move.op === op))]).find(([, fit]) => fit.length);
    if (found) begin(store, found[1], movesOf(found[1][0]).find((move) => move.op === found[0]));
    else toast(says(cards[0]), { kind: "note" });
  };
  const any = () => true;
  return [
    act("open", "Open the task", ["Enter", "o"], ([card]) => go(addressOf(card.id)), any),
    act("diff", "Open its change", ["d"], ([card]) => go(addressOf(card.id, "diff")), any),
    act("log", "Open its log", ["Shift+L"], ([card]) => go(addressOf(card.id, "log")), any),
    act("menu", "Moves of the card", ["m", "Shift+F10"], () => openMenu(view, store)),
    act("select", "Select or deselect", ["x"], () => toggle(view, view.current.peek()), any),
    act("approve", "Approve what is under review", ["a"], first(["task.complete"], (card) => `#${card.id} cannot be approved from ${card.status}.`), () => operator() && chosen().some((card) => card.status === "review")),
    act("return", "Return with changes", ["r"], first(["task.request_changes"], (card) => `Only what is under review is returned; #${card.id} is ${card.status}.`)),
    act("start", "Start: make it ready", ["s"], first(["task.unblock", "task.promote", "task.reopen", "task.specify"], (card) => `#${card.id} is ${card.status}, so there is nothing to start.`)),
    act("stop", "Stop the worker and pause", ["."], (cards) => stop(store, cards)),
    act("complete", "Mark done", ["Shift+D"], first(["task.complete"], (card) => `#${card.id} is ${card.status} already.`)),
    act("block", "Block", ["b"], first(["task.block"], (card) => `#${card.id} is ${card.status} and cannot be blocked.`)),
    act("archive", "Archive", ["e"], first(["task.archive"], (card) => `#${card.id} is archived already.`)),
  ];
}

function general(store, view) {
  const one = (id, title, keys, run, when = () => true) => ({ id: `board.${id}`, group: "On the board", title, keys, run, when });
  return [
    one("create", "New task", ["c"], () => { creating.value = {}; }, () => may("operator")),
    one("search", "Search on the board", ["/"], () => document.getElementById("board-search")?.focus()),
    one("undo", "Take back the last move", ["u"], () => undo().catch(refuse), () => may("operator")),
    one("lanes", "Lanes by assignee", ["Shift+S"], () => setQuery({ lanes: new URLSearchParams(location.search).has("lanes") ? null : "1" })),
    one("archived", "Show or hide archived tasks", ["Shift+A"], () => setQuery({ archived: new URLSearchParams(location.search).has("archived") ? null : "1" })),
    one("all", "Select all loaded cards of the column", ["Shift+X"], () => selectColumn(store, view)),
    { id: "board.escape", group: "On the board", title: "Close the task, or clear the selection", keys: ["Escape"], inField: true, palette: false, run: () => escape(view) },
  ];
}

/** The cards that a key is for: all that are selected, or the one that is pointed at. */
function targets(store, view) {
  const known = (ids) => ids.map((id) => store.cards.get(id)?.peek()).filter(Boolean);
  const chosen = known([...view.selected.peek()]);
  return chosen.length ? chosen : known([view.current.peek()]);
}

function escape(view) {
  const field = document.activeElement;
  if (field?.matches?.("input, textarea, select")) field.blur();
  else if (currentTask.peek() !== null) {
    const id = currentTask.peek();
    closeTask();
    setTimeout(() => document.getElementById(`card-${id}`)?.focus());
  } else if (view.selected.peek().size) {
    view.selected.value = new Set();
    announce("Nothing is selected");
  } else if (new URLSearchParams(location.search).get("q")) setQuery({ q: null });
}

/** Where the pointed-at card is: its column and its place in it, between two where it has gone; none where none was. */
function whereabouts(store, view) {
  const id = view.current.peek();
  const columns = store.statuses.map((status) => store.columns.get(status)).filter((column) => view.boxes.has(column) && column.ids.peek().length);
  const column = columns.find((one) => one.ids.peek().includes(id));
  if (column) return { columns, column, at: column.ids.peek().indexOf(id) };
  const left = store.left.get(id);
  const there = columns.find((one) => one.status === left?.status);
  return { columns, column: there, at: there ? left.at - 0.5 : -1 };
}

function step(store, view, by) {
  const { columns, column, at } = whereabouts(store, view);
  const here = column ?? columns[0];
  if (!here) return;
  const ids = here.ids.peek();
  const to = by > 0 ? Math.floor(at + by) : Math.ceil(at + by);
  const next = column ? Math.max(0, Math.min(ids.length - 1, to)) : 0;
  point(view, here, next);
}

function side(store, view, by) {
  const { columns, column, at } = whereabouts(store, view);
  if (!columns.length) return;
  const next = column ? columns[columns.indexOf(column) + by] : columns[0];
  if (!next) return;
  const box = view.boxes.get(next);
  // To the card at the same height, as the eye would go.
  const here = column ? view.boxes.get(column) : null;
  const y = here ? here.topOf(Math.max(0, Math.floor(at))) - here.element.scrollTop + box.element.scrollTop : 0;
  const ids = next.ids.peek();
  let place = ids.findIndex((_id, index) => box.bottomOf(index) > y);
  if (place < 0) place = ids.length - 1;
  point(view, next, place);
  box.element.closest(".column")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Point at a card: scroll to it, and give it the focus when it is drawn. */
export function point(view, column, at) {
  const id = column.ids.peek()[at];
  if (id === undefined) return;
  const { element, topOf, bottomOf } = view.boxes.get(column);
  const [top, bottom] = [topOf(at), bottomOf(at)];
  if (top < element.scrollTop) element.scrollTop = top - 8;
  else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight + 8;
  view.current.value = id;
  requestAnimationFrame(() => document.getElementById(`card-${id}`)?.focus({ preventScroll: true }));
}

function toggle(view, id) {
  if (id === null) return;
  const chosen = new Set(view.selected.peek());
  if (!chosen.delete(id)) chosen.add(id);
  view.selected.value = chosen;
  view.anchor = id;
  announce(chosen.has(id) ? `#${id} selected, ${chosen.size} in all` : `#${id} not selected`);
}

function selectColumn(store, view) {
  const { column } = whereabouts(store, view);
  if (!column) return;
  view.selected.value = new Set([...view.selected.peek(), ...column.ids.peek()]);
  announce(`${column.ids.peek().length} cards of ${title(column.status)} selected`);
}

function openMenu(view, store) {
  const id = view.current.peek();
  const element = document.getElementById(`card-${id}`);
  if (element) menuOf(store, view, id, element);
}

async function stop(store, cards) {
  const running = cards.filter((card) => card.status === "running").map((card) => card.id);
  if (!running.length) {
    toast("Nothing runs there that could be stopped.", { kind: "note" });
    return;
  }
  try {
    await change("run.terminate", running.length > 1 ? { ids: running } : { id: running[0] }, { board: store.board });
    toast(running.length > 1 ? `${running.length} workers are stopped` : `#${running[0]}: its worker is stopped, and it is paused`);
    store.refresh(running);
  } catch (refused) {
    refuse(refused, "Stop");
  }
}
