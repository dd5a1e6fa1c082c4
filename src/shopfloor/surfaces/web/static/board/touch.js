// Dragging cards by touch: a card that is held is picked up, follows the finger, and goes where it is let go; let go
// where it was, it opens its menu.
//
// A finger that moves before that scrolls, as everywhere.  Whether a touch may scroll is settled when it begins, so
// the listener that can keep it from that is there all the time, and lets everything pass until a card is held.

import { may } from "../core/session.js";

const HOLD_MS = 400;
const STILL_PX = 10;
const EDGE_PX = 36;
const STEP_PX = 12;

/** Have the cards of a board's element dragged by touch; `hold` is that of `dragging`.  Answers how to stop. */
export function touching(board, hold, menu) {
  let held = null;

  function start(event) {
    letGo();
    const card = event.target.closest?.("[data-card]");
    if (!card || event.touches.length > 1 || event.target.closest("[data-tool]") || !may("operator")) return;
    const from = placeOf(event.touches[0]);
    held = { card, id: Number(card.dataset.card), target: event.target, from, at: from, picked: false, moved: false, timer: setTimeout(pick, HOLD_MS) };
    // The browser's own dragging, where it has one for touch, would take the finger away.
    card.draggable = false;
    // A card that is drawn anew meanwhile takes its events with it, so they are heard where the touch began.
    for (const [kind, heard] of HEARD) held.target.addEventListener(kind, heard, { passive: false });
  }

  function pick() {
    held.picked = true;
    const many = hold.pick(held.id);
    held.label = document.body.appendChild(document.createElement("div"));
    held.label.className = "drag-label is-held";
    held.what = many > 1 ? `${many} tasks` : `#${held.id}`;
    follow();
    board.dataset.holding = "";
    navigator.vibrate?.(12);
    requestAnimationFrame(atTheEdge);
  }

  function move(event) {
    held.at = placeOf(event.touches[0]);
    const far = Math.hypot(held.at.x - held.from.x, held.at.y - held.from.y) > STILL_PX;
    if (!held.picked) {
      if (far) letGo();
      return;
    }
    event.preventDefault();
    held.moved ||= far;
    follow();
  }

  function follow() {
    held.label.style.left = `${held.at.x}px`;
    held.label.style.top = `${held.at.y}px`;
    const column = held.moved ? columnAt(held.at) : null;
    held.label.textContent = column ? `${held.what} to ${column.dataset.column ?? column.dataset.strip}` : held.what;
    hold.mark(column);
  }

  /** At the edge of the columns the next one comes into sight. */
  function atTheEdge() {
    if (!held?.picked) return;
    const columns = held.card.closest(".columns") ?? board.querySelector(".columns");
    const box = columns.getBoundingClientRect();
    const by = held.at.x < box.left + EDGE_PX ? -STEP_PX : held.at.x > box.right - EDGE_PX ? STEP_PX : 0;
    if (by && held.moved && held.at.y > box.top) columns.scrollLeft += by;
    follow();
    requestAnimationFrame(atTheEdge);
  }

  function end(event) {
    const { picked, moved, at, id, card } = held;
    const column = moved ? columnAt(at) : null;
    letGo();
    if (!picked) return;
    // No click follows.
    event.preventDefault();
    if (column) hold.drop(column);
    else hold.finish();
    if (!moved) menu(id, card);
  }

  function cancel() {
    if (held.picked) hold.finish();
    letGo();
  }

  function letGo() {
    if (!held) return;
    clearTimeout(held.timer);
    held.card.draggable = true;
    for (const [kind, heard] of HEARD) held.target.removeEventListener(kind, heard);
    held.label?.remove();
    delete board.dataset.holding;
    held = null;
  }

  const HEARD = [["touchmove", move], ["touchend", end], ["touchcancel", cancel]];
  const pass = () => {};
  const ownMenu = (event) => {
    if (!held?.picked) return;
    event.preventDefault();
    event.stopPropagation();
  };
  board.addEventListener("touchstart", start, { passive: true });
  board.addEventListener("touchmove", pass, { passive: false });
  board.addEventListener("contextmenu", ownMenu, true);
  return () => {
    if (held) cancel();
    board.removeEventListener("touchstart", start);
    board.removeEventListener("touchmove", pass);
    board.removeEventListener("contextmenu", ownMenu, true);
  };
}

function placeOf(touch) {
  return { x: touch.clientX, y: touch.clientY };
}

/** The column at a place, or its button in the strip of a phone. */
function columnAt({ x, y }) {
  return document.elementFromPoint(x, y)?.closest("[data-column], [data-strip]") ?? null;
}
