// A task's description: sanitised Markdown, and the text itself in the same place for who changes it.
//
// What is being written is kept per task while the page lives, so that looking at another task loses nothing; if
// somebody else changes the text meanwhile, that is said before it is overwritten.

import { html, signal, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { currentBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { Button, Icon, useOnce } from "../core/ui.js";
import { act, useTaskCommands } from "./act.js";
import { Markdown, Section } from "./parts.js";

const drafts = new Map();

/** Something that is kept while the page lives, by its board and a name: a signal; null where nothing is kept. */
export function useDraft(name) {
  const key = `${currentBoard.value} ${name}`;
  if (!drafts.has(key)) drafts.set(key, signal(null));
  return drafts.get(key);
}

export function Description({ task }) {
  const draft = useDraft(`body ${task.id}`);
  const field = useRef(null);
  const wanted = useRef(false);
  const edit = () => {
    draft.value ??= { text: task.body, base: task.body };
    if (field.current) focus();
    else wanted.current = true;
  };
  const focus = () => {
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  };
  // A draft that is found again takes the focus only when it is asked for.
  useLayoutEffect(() => {
    if (wanted.current && draft.value) focus();
    wanted.current = false;
  }, [draft.value === null]);
  const mine = may("operator");
  useTaskCommands(() => [{ id: "task.edit", title: "Change the description", keys: ["e"], when: () => mine, run: edit }], [task.id, task.body]);
  const action = mine && draft.value === null && html`<${Button} kind="quiet" small icon="edit" onClick=${edit}>Edit<//>`;
  return html`<${Section} title="Description" id="task-description" action=${action}>
    ${draft.value ? html`<${Editor} task=${task} draft=${draft} field=${field} />`
      : task.body.trim() ? html`<${Markdown} text=${task.body} />`
        : html`<p class="part-none">${mine ? html`<button type="button" class="inline-edit" onClick=${edit}>Say what a worker has to know</button>` : "There is no description."}</p>`}
  <//>`;
}

function Editor({ task, draft, field }) {
  const [preview, setPreview] = useState(false);
  const { text, base, saved } = draft.value;
  const overtaken = base !== task.body && saved !== task.body;
  const leave = () => { draft.value = null; };
  const save = useOnce(async () => {
    if (text === task.body) return leave();
    const undo = { op: "task.edit", args: { id: task.id, body: task.body }, done: "The old description is back" };
    const done = await act("task.edit", { id: task.id, body: text }, { done: "The description is changed", undo, what: "Changing the description" });
    // What was written on meanwhile goes on from what was saved.
    if (done && draft.peek()?.text === text) leave();
    else if (done && draft.peek()) draft.value = { ...draft.peek(), saved: text };
  });
  const onKey = (event) => {
    const send = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (send) save();
    if (event.key === "Escape" && (text === base || text === saved)) leave();
    // Esc leaves an unchanged text only; with changes it stays, so that nothing that was written is lost by a key.
    if (send || event.key === "Escape") event.stopPropagation();
  };
  return html`<div class="editor">
    ${overtaken && html`<p class="dialog-warning" role="alert"><${Icon} name="alert" /><span>Somebody else changed the description meanwhile. Saving overwrites theirs.
      <button type="button" class="inline-edit" onClick=${() => { draft.value = { text: task.body, base: task.body }; }}>Take theirs</button></span></p>`}
    <div class="editor-tabs" role="group" aria-label="How the description is shown">
      <button type="button" aria-pressed=${!preview} onClick=${() => setPreview(false)}>Write</button>
      <button type="button" aria-pressed=${preview} onClick=${() => setPreview(true)}>Preview</button>
    </div>
    ${preview ? html`<div class="editor-preview"><${Markdown} text=${text} /></div>`
      : html`<textarea ref=${field} class="input editor-text" aria-label="Description, in Markdown" rows=${Math.min(24, Math.max(8, text.split("\n").length + 1))}
          value=${text} onKeyDown=${onKey} onInput=${(event) => { draft.value = { base, saved, text: event.target.value }; }}></textarea>`}
    <div class="editor-foot">
      <${Button} kind="primary" small onClick=${save}>Save<//>
      <${Button} small onClick=${leave}>Discard<//>
      <span class="field-hint">Markdown · Ctrl Enter saves</span>
    </div>
  </div>`;
}
