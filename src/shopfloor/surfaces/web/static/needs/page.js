// Needs you: everything that waits for a person, what waits longest first, answerable where it stands.
//
// One thing is chosen at a time; keys move the choice and answer it.  What was answered goes by itself, because the
// list follows the board.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { readable, useCommands } from "../core/keys.js";
import { go, inBoard, route, setQuery } from "../core/route.js";
import { may } from "../core/session.js";
import { sheet } from "../core/sheet.js";
import { announce } from "../core/toast.js";
import { Busy, Button, Empty, useLatest } from "../core/ui.js";
import { undoCommand } from "../task/act.js";
import { answer } from "../task/question.js";
import { take } from "../task/ways.js";
import { Need } from "./item.js";
import { useNeeds } from "./state.js";
import { KINDS } from "./words.js";

await Promise.all([sheet("task"), sheet("needs")]);

const GROUP = "Needs you";
const keyOf = (need) => `${need.kind}:${need.ref}`;

export function NeedsPage() {
  const kind = route.value.query.get("kind");
  const { page, refused, more } = useNeeds(KINDS[kind] ? kind : null);
  const items = page?.items ?? [];
  const { chosen, at, choose, touch, newest } = useChoice(items);
  // Which way of which need asks for words now.
  const [open, setOpen] = useState({ key: null, label: null });
  const list = useRef(null);
  const fields = useRef(new Map());
  // Keys come faster than what they change is registered anew, so they look at what is chosen now.
  const now = useLatest({ items, at });
  const step = (by) => {
    const all = now.current.items;
    if (!all.length) return;
    const asked = all.findIndex((need) => keyOf(need) === newest.current);
    const here = asked >= 0 ? asked : now.current.at;
    const to = by > 0 ? Math.floor(here + by) : Math.ceil(here + by);
    const next = all[Math.min(all.length - 1, Math.max(0, to))];
    choose(next);
    const card = [...list.current.children].find((one) => one.dataset.key === keyOf(next));
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest" });
  };
  useCommands(() => commandsFor(chosen, { step, touch, setOpen: (label) => setOpen({ key: keyOf(chosen), label }), fields: fields.current }), [chosen && keyOf(chosen), items.map(keyOf).join(), at]);
  const show = (name) => {
    touch();
    setQuery({ kind: name });
  };
  if (refused) return html`<${Empty} title="The list cannot be shown" icon="alert">${refused.message}<//>`;
  if (!page) return html`<${Busy} label="Looking for what waits" />`;
  const all = Object.values(page.counts).reduce((sum, many) => sum + many, 0);
  return html`<div class="needs">
    <header class="page-head"><h1>Needs you</h1>
      <div class="filter" role="group" aria-label="Kinds">
        <button type="button" aria-pressed=${!kind} onClick=${() => show(null)}>All <span class="part-count">${all}</span></button>
        ${Object.entries(KINDS).filter(([name]) => page.counts[name] || name === kind).map(([name, one]) => html`
          <button key=${name} type="button" aria-pressed=${kind === name} onClick=${() => show(kind === name ? null : name)}>${one.many} <span class="part-count">${page.counts[name] ?? 0}</span></button>`)}
      </div>
    </header>
    ${items.length ? html`<ol ref=${list} class="needs-list" aria-label="What waits for you">${items.map((need) => html`
        <${Need} key=${keyOf(need)} id=${keyOf(need)} need=${need} chosen=${need === chosen} onChoose=${() => choose(need)} onTouch=${touch} open=${need === chosen && open.key === keyOf(need) ? open.label : null} setOpen=${(label) => { choose(need); setOpen({ key: keyOf(need), label }); }}
          fieldRef=${(field) => (field ? fields.current.set(keyOf(need), field) : fields.current.delete(keyOf(need)))} onDone=${() => announce(`${items.length - 1} left`)} />`)}</ol>`
      : html`<${Empty} title=${kind ? "Nothing of this kind waits" : "Nothing waits for you"} icon="check">Questions, reviews and tasks that cannot go on come here by themselves.<//>`}
    ${page.next && html`<p class="needs-more"><${Button} onClick=${more}>Show more (${page.total - items.length} left)<//></p>`}
    ${items.length > 0 && may("operator") && html`<p class="needs-keys wide-only"><kbd>j</kbd><kbd>k</kbd> move <kbd>a</kbd> approve or answer <kbd>r</kbd> return <kbd>1</kbd>–<kbd>9</kbd> choose an answer <kbd>${readable("Enter")}</kbd> open</p>`}
  </div>`;
}

/**
 * {chosen, at, choose, touch, newest}: what is chosen and its place.  When it goes because of what was done with it here
 * (`touch` says that something is), what comes into its place is chosen; when somebody else was faster, nothing is, so
 * that no key answers what nobody looked at.
 */
function useChoice(items) {
  const [key, setKey] = useState(null);
  const place = useRef(0);
  const touched = useRef(null);
  // What was chosen last, also before it is shown.
  const newest = useRef(null);
  const found = items.findIndex((need) => keyOf(need) === key);
  const lost = found < 0 && key !== null && touched.current !== key && items.length > 0;
  const at = found < 0 ? Math.min(place.current, items.length - 1) : found;
  useLayoutEffect(() => {
    if (found >= 0) place.current = found;
    else if (items.length && !lost) setKey(keyOf(items[at]));
  });
  useEffect(() => { if (lost) announce("What was chosen was answered elsewhere"); }, [lost]);
  const chosen = lost ? null : items[at] ?? null;
  const choose = (need) => {
    newest.current = keyOf(need);
    setKey(newest.current);
  };
  const touch = () => { touched.current = chosen && keyOf(chosen); };
  // Where nothing is chosen, the next step is from between two.
  return { chosen, at: lost ? at - 0.5 : at, choose, touch, newest };
}

function commandsFor(chosen, { step, touch, setOpen, fields }) {
  const moves = [
    { id: "needs.next", title: "Next", group: GROUP, keys: ["j", "ArrowDown"], run: () => step(1) },
    { id: "needs.previous", title: "Previous", group: GROUP, keys: ["k", "ArrowUp"], run: () => step(-1) },
    undoCommand(GROUP),
  ];
  if (!chosen) return moves;
  if (chosen.task !== null) {
    const task = inBoard(`/t/${chosen.task}`);
    moves.push(
      { id: "needs.open", title: "Open the task", group: GROUP, keys: ["Enter", "o"], run: () => go(task) },
      { id: "needs.log", title: "Show its log", group: GROUP, keys: ["l"], run: () => go(`${task}?tab=log`) },
      { id: "needs.diff", title: "Show its change", group: GROUP, keys: ["d"], run: () => go(`${task}?tab=diff`) },
    );
  }
  return may("operator") ? [...moves, ...answers(chosen, setOpen, fields).map((one) => ({ ...one, run: () => (touch(), one.run()) }))] : moves;
}

function answers(chosen, setOpen, fields) {
  if (chosen.kind === "question") {
    const number = Number(chosen.ref);
    return [
      { id: "needs.answer", title: "Answer", group: GROUP, keys: ["a"], run: () => fields.get(keyOf(chosen))?.focus() },
      ...chosen.options.slice(0, 9).map((option, at) => ({ id: `needs.option.${at + 1}`, title: `Answer: ${option}`, group: GROUP, keys: [String(at + 1)], run: () => answer(chosen.task, number, option) })),
    ];
  }
  const run = (way) => (way.wants || way.destroys ? setOpen(way.label) : take(way));
  const [first, second] = chosen.ways;
  const key = chosen.kind === "review" ? "a" : "s";
  const found = [{ id: "needs.first", title: first.label, group: GROUP, keys: key === "a" ? ["a"] : ["s", "a"], run: () => run(first) }];
  if (second) found.push({ id: "needs.second", title: second.label, group: GROUP, keys: [chosen.kind === "review" ? "r" : "m"], run: () => run(second) });
  return found;
}
