// A column of cards that draws what is seen: the heights of all loaded cards are known, the rest is estimated.
//
// Scrolling moves a window over the column; cards come into it and leave it, page after page is read before its
// end is reached.  A jump far down shows where cards will be until they are there.

import { computed, html, names, useEffect, useLayoutEffect, useMemo, useRef, useSignal } from "../core/dom.js";
import { Icon, IconButton, StatusMark } from "../core/ui.js";
import { refusals } from "./acting.js";
import { Card, Ghost } from "./card.js";
import { GAP, heightOf } from "./heights.js";
import { title } from "./words.js";

const OVERSCAN = 400;
const GUESS = 96;
const AHEAD = 1200;
const LOW = 320;

export function Column({ store, column, view, collapsed, low, on }) {
  const { status } = column;
  const count = column.count.value;
  const target = view.targets.value;
  const dropClass = target && (target.has(status) ? "may-drop" : "may-not-drop");
  const label = `${title(status)}, ${count} ${count === 1 ? "task" : "tasks"}`;
  if (collapsed) {
    return html`<section class=${names("column is-narrow", `is-${status}`, dropClass)} data-column=${status} aria-label=${label}>
      <button type="button" class="column-open" onClick=${() => on.unfold(status)} aria-label=${`${label}; show`} title=${`Show “${title(status)}”`}>
        <${StatusMark} status=${status} /><span class="column-count">${count}</span><span class="column-name">${title(status)}</span></button></section>`;
  }
  return html`<section class=${names("column", `is-${status}`, dropClass, low && "is-low")} data-column=${status} aria-label=${label}>
    <header class="column-head">
      <${StatusMark} status=${status} /><h2>${title(status)}</h2><span class="column-count">${count}</span>
      <span class="column-tools">
        ${on.create && ["triage", "ready", "scheduled"].includes(status) && html`<${IconButton} icon="plus" small label=${`New task in ${status}`} onClick=${() => on.create(status)} />`}
        ${on.fold && html`<${IconButton} icon="left" small label=${`Hide “${title(status)}”`} onClick=${() => on.fold(status)} />`}
      </span>
    </header>
    <${Cards} store=${store} column=${column} view=${view} on=${on} low=${low} />
  </section>`;
}

/** The heights of a column's cards and where each one begins; made anew when a card or the width changed. */
function layout(store, ids, width, refused) {
  const tops = new Float64Array(ids.length + 1);
  for (let at = 0; at < ids.length; at += 1) {
    const card = store.cards.get(ids[at])?.peek();
    tops[at + 1] = tops[at] + (card ? heightOf(card, width, refused.has(ids[at])) : GUESS);
  }
  return tops;
}

function indexAt(tops, y) {
  let [low, high] = [0, tops.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

function Cards({ store, column, view, on, low }) {
  const box = useRef(null);
  const scroll = useSignal(0);
  const size = useSignal(600);
  const width = useSignal(268);
  const tops = useMemo(() => computed(() => {
    store.version.value;
    return layout(store, column.ids.value, width.value, refusals.value);
  }), [store, column]);
  useLayoutEffect(() => {
    const element = box.current;
    const watch = new ResizeObserver(() => {
      size.value = element.clientHeight;
      width.value = element.clientWidth - 16;
    });
    watch.observe(element);
    view.boxes.set(column, { element, topOf: (at) => tops.peek()[at], bottomOf: (at) => tops.peek()[at + 1] });
    return () => {
      watch.disconnect();
      view.boxes.delete(column);
    };
  }, [column]);
  const ids = column.ids.value;
  const at = tops.value;
  // The first card that is seen whole stays where it is when others come or go above it.
  const anchor = useRef({ id: null, top: 0 });
  useLayoutEffect(() => {
    const place = ids.indexOf(anchor.current.id);
    if (place < 0 || scroll.peek() === 0 || at[place] === anchor.current.top) return;
    box.current.scrollTop += at[place] - anchor.current.top;
    scroll.value = box.current.scrollTop;
  }, [at]);
  useLayoutEffect(() => {
    const first = Math.min(ids.length - 1, indexAt(at, Math.max(0, scroll.value - 1)) + 1);
    anchor.current = first < 0 ? { id: null, top: 0 } : { id: ids[first], top: at[first] };
  });
  const loaded = at[at.length - 1];
  const missing = column.read.value ? Math.max(0, column.count.value - ids.length) : 0;
  const whole = loaded + missing * (ids.length ? loaded / ids.length : GUESS);
  useEffect(() => {
    if (column.next && scroll.value + size.value + AHEAD > loaded) store.more(column.status);
  }, [scroll.value, size.value, loaded, column.next]);
  const from = Math.max(0, indexAt(at, scroll.value - OVERSCAN));
  const to = Math.min(ids.length, indexAt(at, scroll.value + size.value + OVERSCAN) + 1);
  const shown = [];
  for (let index = from; index < to; index += 1) shown.push(index);
  // The card that has the focus stays drawn, in its order, so that scrolling does not lose it.
  const kept = ids.indexOf(view.current.value);
  if (kept >= to) shown.push(kept);
  else if (kept >= 0 && kept < from) shown.unshift(kept);
  const style = low ? { height: `${Math.min(LOW, whole + GAP)}px` } : null;
  return html`<ul ref=${box} class="cards" style=${style} role="list" aria-label=${`${title(column.status)} cards`} data-status=${column.status}
      tabindex=${ids.length ? null : -1} onScroll=${() => { scroll.value = box.current.scrollTop; }}>
    <li class="cards-room" role="presentation" style=${{ height: `${whole}px` }} />
    ${shown.map((index) => html`<${Slot} key=${ids[index]} store=${store} id=${ids[index]} width=${width.value} top=${at[index]} height=${at[index + 1] - at[index] - GAP}
        place=${index + 1} of=${column.count.value} view=${view} on=${on} />`)}
    ${missing > 0 && scroll.value + size.value > loaded && ghosts(Math.max(loaded, scroll.value - OVERSCAN), Math.min(whole, scroll.value + size.value + OVERSCAN))}
    ${column.read.value && ids.length === 0 && column.count.value === 0 && html`<li class="cards-none"><${Nothing} status=${column.status} narrowed=${view.narrowed.value} /></li>`}
  </ul>`;
}

function Slot({ store, id, width, top, height, place, of, view, on }) {
  const known = store.cards.get(id);
  if (!known) return null;
  return html`<${Card} card=${known.value} width=${width} top=${top} height=${height} place=${place} of=${of} on=${on}
    current=${view.current.value === id} selected=${view.selected.value.has(id)} dragging=${view.dragged.value.has(id)} refusal=${refusals.value.get(id)} />`;
}

function ghosts(from, to) {
  const places = [];
  for (let top = Math.ceil(from / GUESS) * GUESS; top < to; top += GUESS) places.push(html`<${Ghost} key=${`ghost${top}`} top=${top} height=${GUESS - GAP} />`);
  return places;
}

const NOTHING = {
  triage: "No ideas wait here.", todo: "Nothing waits for other tasks.", scheduled: "Nothing is planned for later.", ready: "Nothing is queued.",
  running: "Nobody works now.", review: "Nothing to look at.", blocked: "Nothing is stuck.", done: "Nothing is done yet.",
  cancelled: "Nothing was cancelled.", archived: "Nothing is archived.",
};

function Nothing({ status, narrowed }) {
  return html`<${Icon} name=${status === "blocked" ? "check" : "info"} size="14" /> ${narrowed ? "Nothing fits the filter." : NOTHING[status]}`;
}
