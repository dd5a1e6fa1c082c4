// What has to be said before a move: a reason, a time, that a worker is stopped, what an idea becomes.

import { html, useEffect, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { refuse } from "../core/toast.js";
import { Button, Dialog, Field, Input, Select, TextArea, Toggle } from "../core/ui.js";
import { asked, carryOut } from "./acting.js";
import { Profiles } from "./fields.js";

/** The dialog for the move that is asked about. */
export function Asking() {
  const { move } = asked.value;
  const Inside = { reason: Reason, time: Time, sure: Sure, force: Force, specify: Specify, decompose: Decompose }[move.asks] ?? Stops;
  return html`<${Inside} key=${move.op} ...${asked.value} close=${() => { asked.value = null; }} />`;
}

const whom = (cards) => (cards.length === 1 ? `#${cards[0].id} ${cards[0].title}` : `${cards.length} tasks`);

function Frame({ title, cards, workers, move, close, children, action, danger, disabled, run, more }) {
  const stopped = move.stops && workers > 0 && html`<p class="warning">${workers === 1 ? "Its worker is stopped" : `${workers} workers are stopped`}; the attempt ends as taken back.</p>`;
  const submit = () => {
    if (disabled) return;
    close();
    run();
  };
  const footer = html`${more}<${Button} onClick=${close}>Leave it<//><${Button} type="submit" kind=${danger ? "danger" : "primary"} disabled=${disabled}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${close} onSubmit=${submit} footer=${footer}><p class="dialog-whom">${whom(cards)}</p>${children}${stopped}<//>`;
}

function Reason({ move, cards, store, workers, close }) {
  const reason = useSignal("");
  const kind = useSignal("needs_input");
  const block = move.op === "task.block";
  const run = () => carryOut(store, cards, move, { reason: reason.value.trim(), ...(block ? { kind: kind.value } : {}) });
  return html`<${Frame} ...${{ move, cards, workers, close, run }} title=${move.label} action=${move.label} disabled=${!reason.value.trim()}>
    <${Field} label=${block ? "What is missing?" : "What has to change?"}><${TextArea} autofocus value=${reason.value} onValue=${(text) => { reason.value = text; }} rows="3" /><//>
    ${block && html`<${Field} label="What would let it go on"><${Select} value=${kind.value} onValue=${(value) => { kind.value = value; }}
      options=${[["needs_input", "A person's word"], ["capability", "An ability or a permission"], ["transient", "Time: something is out of order"]]} /><//>`}
  <//>`;
}

function Time({ move, cards, store, workers, close }) {
  const at = useSignal(soon());
  const open = useSignal(false);
  const run = () => carryOut(store, cards, move, open.value ? {} : { not_before: new Date(at.value).toISOString() });
  return html`<${Frame} ...${{ move, cards, workers, close, run }} title="Schedule" action="Schedule" disabled=${!open.value && !at.value}>
    <${Field} label="Not before"><${Input} type="datetime-local" value=${at.value} onValue=${(value) => { at.value = value; }} disabled=${open.value} autofocus /><//>
    <${Toggle} label="Park it until somebody releases it" on=${open.value} onChange=${(on) => { open.value = on; }} /><//>`;
}

/** An hour from now, as the field wants it: in the reader's zone, to the minute. */
function soon() {
  const at = new Date(Date.now() + 3_600_000);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Sure({ move, cards, store, workers, close }) {
  const run = () => carryOut(store, cards, move);
  return html`<${Frame} ...${{ move, cards, workers, close, run }} title=${`${move.label}?`} action=${move.label} danger>
    <p>It is gone then, with its attempts, comments and files. Archiving hides a task and keeps them.</p><//>`;
}

function Stops({ move, cards, store, workers, close }) {
  const run = () => carryOut(store, cards, move);
  return html`<${Frame} ...${{ move, cards, workers, close, run }} title=${`${move.label}?`} action=${move.label} danger=${move.danger} />`;
}

function Force({ move, cards, store, workers, close }) {
  const open = cards[0].open_parents;
  const run = () => carryOut(store, cards, move);
  return html`<${Frame} ...${{ move, cards, workers, close, run }} title="Start although parents are open?" action="Start it">
    <p>It still waits for ${open === 1 ? "one unfinished task" : `${open} unfinished tasks`}. Started now, it does not wait any more, and that is written down.</p><//>`;
}

function usePlanner(store) {
  const known = useSignal(null);
  useEffect(() => { call("profile.list", {}, { board: store.board }).then((list) => { known.value = list; }, () => { known.value = []; }); }, []);
  return known.value ?? [];
}

function Specify({ move, cards: [card], store, workers, close }) {
  const title = useSignal(card.title);
  // Null until it is read: what was not seen is not overwritten.
  const body = useSignal(null);
  const assignee = useSignal(card.assignee ?? "");
  const profiles = usePlanner(store);
  useEffect(() => { call("task.show", { id: card.id }, { board: store.board }).then((shown) => { body.value = shown.task.body; }, refuse); }, []);
  const written = () => ({ title: title.value.trim(), ...(body.value === null ? {} : { body: body.value }) });
  const said = (by) => ({ by, ...(assignee.value ? { assignee: assignee.value } : {}), ...(by === "hand" ? written() : {}) });
  const run = () => carryOut(store, [card], move, said("hand"));
  const more = html`<${Button} class="to-the-left" onClick=${() => { close(); carryOut(store, [card], move, said("model")); }}>Have the model write it<//>`;
  return html`<${Frame} ...${{ move, cards: [card], workers, close, run, more }} title="Make it a task" action="Make it a task" disabled=${!title.value.trim()}>
    <${Field} label="Title"><${Input} autofocus value=${title.value} onValue=${(text) => { title.value = text; }} /><//>
    <${Field} label="What a worker has to know"><${TextArea} value=${body.value ?? ""} readonly=${body.value === null} placeholder=${body.value === null ? "Reading" : null} onValue=${(text) => { body.value = text; }} rows="6" /><//>
    <${Profiles} chosen=${assignee} profiles=${profiles} /><//>`;
}

function Decompose({ move, cards: [card], store, workers, close }) {
  const text = useSignal("");
  const chain = useSignal(false);
  const assignee = useSignal(card.assignee ?? "");
  const profiles = usePlanner(store);
  const titles = text.value.split("\n").map((line) => line.replace(/^[-*\d.\s]+/, "").trim()).filter(Boolean);
  const pieces = titles.map((title, at) => ({ title, ...(assignee.value ? { assignee: assignee.value } : {}), after: chain.value && at > 0 ? [at - 1] : [] }));
  const run = () => carryOut(store, [card], move, { pieces });
  const more = html`<${Button} class="to-the-left" onClick=${() => { close(); carryOut(store, [card], move); }}>Have the model split it<//>`;
  return html`<${Frame} ...${{ move, cards: [card], workers, close, run, more }} title="Split into parts" action=${titles.length ? `Make ${titles.length} ${titles.length === 1 ? "part" : "parts"}` : "Make the parts"} disabled=${!titles.length}>
    <${Field} label="One part a line" hint="The task itself then waits for all of them, and wakes when they are done."><${TextArea} autofocus value=${text.value} onValue=${(value) => { text.value = value; }} rows="6" /><//>
    <${Toggle} label="Each part waits for the one before it" on=${chain.value} onChange=${(on) => { chain.value = on; }} />
    <${Profiles} chosen=${assignee} profiles=${profiles} /><//>`;
}
