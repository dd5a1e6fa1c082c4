// Ways out of something that waits or is wrong, as buttons: {label, op, args, wants, destroys}.
//
// A way that still wants words opens a field for them in the same place; one that destroys asks first.

import { html, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { inBoard } from "../core/route.js";
import { Button, Dialog, useOnce } from "../core/ui.js";
import { act } from "./act.js";
import { useDraft } from "./body.js";

const WORDS = { reason: "What is to be done differently", body: "Your comment", answer: "Your answer", assignee: "The profile that works on it", profile: "The profile" };
const LINES = new Set(["reason", "body", "answer"]);
const DONE = {
  "task.complete": "done", "task.request_changes": "returned", "task.unblock": "goes on", "task.comment": "has your comment", "task.cancel": "cancelled",
  "task.specify": "a task now", "task.promote": "ready", "task.assign": "assigned",
};
const BACK = { "task.complete": "task.reopen", "task.cancel": "task.reopen" };

// What only looks is a link to where the page shows it.
const PLACES = { "task.log": "?tab=log", "task.diff": "?tab=diff", "run.of_task": "?tab=attempts", "event.list": "?tab=history", "task.show": "", "task.why": "" };

/** Where a way leads that changes nothing; null for one that does. */
function placeOf(way) {
  return way.op in PLACES && way.args.id ? inBoard(`/t/${way.args.id}${PLACES[way.op]}`) : null;
}

/** Carry a way out; the result, or null after the refusal was shown. */
export function take(way, words) {
  const args = way.wants ? { ...way.args, [way.wants]: words } : way.args;
  const number = way.args.id ? `#${way.args.id}` : null;
  const undo = number && BACK[way.op] && { op: BACK[way.op], args: { id: way.args.id }, done: `${number} is open again` };
  const done = number && DONE[way.op] ? `${number}: ${DONE[way.op]}` : way.label;
  return act(way.op, args, { done, undo, what: way.label });
}

/** Buttons for the ways; `open` and `setOpen` may be held outside, so that a key can open one. */
export function Ways({ ways, keys = {}, open = undefined, setOpen = undefined, onDone = () => {}, small = false }) {
  const [own, setOwn] = useState(null);
  const [busy, setBusy] = useState(false);
  const [shown, show] = setOpen ? [open, setOpen] : [own, setOwn];
  const go = useOnce(async (way, words) => {
    setBusy(true);
    const done = await take(way, words);
    setBusy(false);
    if (!done) return null;
    show(null);
    onDone(way);
    return done;
  });
  const press = (way) => (way.wants || way.destroys ? show(shown === way.label ? null : way.label) : go(way));
  const way = ways.find((one) => one.label === shown);
  return html`<div class="ways">
    <div class="ways-row">${ways.map((one, at) => (placeOf(one) !== null ? html`<a key=${one.label} class=${`button is-plain${small ? " is-small" : ""}`} href=${placeOf(one)}>${one.label}</a>` : html`<${Button} key=${one.label} small=${small} disabled=${busy} kind=${at === 0 && !small ? "primary" : "plain"}
        aria-expanded=${one.wants ? String(shown === one.label) : null} onClick=${() => press(one)}>${one.label}${one.wants || one.destroys ? "…" : ""}${keys[one.label] && html`<kbd>${keys[one.label]}</kbd>`}<//>`))}</div>
    ${way?.wants && html`<${Words} key=${way.label} way=${way} busy=${busy} onGive=${(words) => go(way, words)} onClose=${() => show(null)} />`}
    ${way?.destroys && !way.wants && html`<${Dialog} title=${way.label} onClose=${() => show(null)} onSubmit=${() => go(way)} footer=${html`
        <${Button} onClick=${() => show(null)}>Back<//><${Button} type="submit" kind="danger" disabled=${busy}>${way.label}<//>`}>
      <p>This runs <code>${way.command}</code>.</p><//>`}
  </div>`;
}

function Words({ way, busy, onGive, onClose }) {
  const draft = useDraft(`${way.op} ${JSON.stringify(way.args)}`);
  const text = draft.value ?? "";
  const field = useRef(null);
  useLayoutEffect(() => field.current.focus(), []);
  const give = async () => {
    if (text.trim() && (await onGive(text.trim()))) draft.value = null;
  };
  const line = !LINES.has(way.wants);
  const onKey = (event) => {
    const send = event.key === "Enter" && (line || event.ctrlKey || event.metaKey);
    if (send) give();
    if (event.key === "Escape") onClose();
    if (send || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const shared = { class: "input", "aria-label": WORDS[way.wants] ?? way.wants, placeholder: WORDS[way.wants] ?? way.wants, value: text, maxlength: 4000, onKeyDown: onKey, onInput: (event) => { draft.value = event.target.value || null; }, ref: field };
  return html`<div class="ways-words">
    ${line ? html`<input ...${shared} />` : html`<textarea rows="2" ...${shared}></textarea>`}
    <div class="editor-foot"><${Button} kind="primary" small disabled=${busy || !text.trim()} onClick=${give}>${way.label}<//>
      <${Button} small onClick=${onClose}>Back<//>${!line && html`<span class="field-hint">Ctrl Enter sends</span>`}</div>
  </div>`;
}
