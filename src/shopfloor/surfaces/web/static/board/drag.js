// Dragging cards: the columns that may take them stand out, a drop is a move, and where none leads is said why.

import { may } from "../core/session.js";
import { toast } from "../core/toast.js";
import { moveTo, noWay, targetsOf } from "./moves.js";

/** The handlers of a board: `cardAt` says which card an event is about, `begin` does a move; `hold` is for touch. */
export function dragging(store, view, cardAt, begin) {
  let over = null;
  const mark = (column) => {
    if (over === column) return;
    over?.classList.remove("is-over");
    over = column;
    over?.classList.add("is-over");
  };
  const columnAt = (event) => event.target.closest?.("[data-column]");
  const dragged = () => [...view.dragged.peek()].map((id) => store.cards.get(id)?.peek()).filter(Boolean);
  const pick = (id) => {
    const chosen = view.selected.peek();
    view.dragged.value = new Set(chosen.has(id) ? chosen : [id]);
    view.targets.value = new Set(dragged().flatMap((card) => [card.status, ...targetsOf(card)]));
    return view.dragged.peek().size;
  };
  const drop = (column) => {
    const cards = dragged();
    finish();
    dropped(cards, column.dataset.column ?? column.dataset.strip, begin);
  };
  return {
    hold: { pick, mark, drop, finish },
    dragStart: (event) => {
      const id = cardAt(event);
      if (id === null || !may("operator")) {
        event.preventDefault();
        return;
      }
      const many = pick(id);
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", `#${id}`);
      if (many > 1) picture(event, `${many} tasks`);
      // Of a card that is taken away meanwhile the browser tells no end; while one is dragged, no pointer moves.
      setTimeout(() => document.addEventListener("pointermove", finish, { once: true }));
    },
    dragOver: (event) => {
      const column = columnAt(event);
      if (!column || !view.dragged.peek().size) return;
      event.preventDefault();
      // A drop is taken everywhere, because a refusal without a word would leave people guessing.
      event.dataTransfer.dropEffect = "move";
      mark(column);
    },
    dragLeave: (event) => {
      if (over && !over.contains(event.relatedTarget)) mark(null);
    },
    drop: (event) => {
      const column = columnAt(event);
      if (!column || !view.dragged.peek().size) return;
      event.preventDefault();
      drop(column);
    },
    dragEnd: () => finish(),
  };

  function finish() {
    document.removeEventListener("pointermove", finish);
    mark(null);
    view.dragged.value = new Set();
    view.targets.value = null;
  }
}

/** Move what was dropped: each way for the cards that it fits, and a word about the rest. */
export function dropped(cards, status, begin) {
  const ways = new Map();
  const stuck = [];
  for (const card of cards) {
    if (card.status === status) continue;
    const move = moveTo(card, status);
    // A drop is plain: an idea becomes a task as it is written, and no model is asked.
    const plain = move?.op === "task.specify" ? { ...move, asks: null, args: { by: "hand" } } : move;
    if (!plain) stuck.push(card);
    else ways.set(`${plain.op} ${plain.asks}`, [...(ways.get(`${plain.op} ${plain.asks}`) ?? []), [card, plain]]);
  }
  for (const found of ways.values()) begin(found.map(([card]) => card), found[0][1]);
  if (stuck.length === 1) toast(noWay(stuck[0], status), { kind: "refused" });
  else if (stuck.length) toast(`${stuck.length} tasks cannot go to ${status}.`, { kind: "refused", detail: stuck.slice(0, 6).map((card) => noWay(card, status)).join("\n") });
}

function picture(event, text) {
  const label = document.createElement("div");
  label.className = "drag-label";
  label.textContent = text;
  document.body.append(label);
  event.dataTransfer.setDragImage(label, 12, 12);
  setTimeout(() => label.remove());
}

