// A task's description: sanitised Markdown, and the text itself in the same place for who changes it.
//
// What is being written is kept per task while the page lives, so that looking at another task loses nothing; if
// somebody else changes the text meanwhile, that is said before it is overwritten.

import { html, useRef, useState } from "../core/dom.js";
import { may } from "../core/session.js";
import { Button, Icon } from "../core/ui.js";
import { act, useTaskCommands } from "./act.js";
import { Markdown, Section } from "./parts.js";

const drafts = new Map();

/** Something that is kept while the page lives: [value, set]; null takes it away. */
export function useDraft(key) {
  const [, redraw] = useState(0);
  const set = (value) => {
    if (value === null) drafts.delete(key);
    else drafts.set(key, value);
    redraw((times) => times + 1);
  };
  return [drafts.get(key) ?? null, set];
}

export function Description({ task, board }) {
  const [draft, setDraft] = useDraft(`${board} body ${task.id}`);
  const edit = () => setDraft({ text: task.body, base: task.body });
  const mine = may("operator");
  useTaskCommands(() => [{ id: "task.edit", title: "Change the description", keys: ["e"], when: () => mine, run: edit }], [task.id, task.body]);
  const action = mine && draft === null && html`<${Button} kind="quiet" small icon="edit" onClick=${edit}>Edit<//>`;
  return html`<${Section} title="Description" id="task-description" action=${action}>
    ${draft ? html`<${Editor} task=${task} draft=${draft} setDraft=${setDraft} />`
      : task.body.trim() ? html`<${Markdown} text=${task.body} />`
        : html`<p class="part-none">${mine ? html`<button type="button" class="inline-edit" onClick=${edit}>Say what a worker has to know</button>` : "There is no description."}</p>`}
  <//>`;
}

function Editor({ task, draft, setDraft }) {
  const [preview, setPreview] = useState(false);
  const [busy, setBusy] = useState(false);
  const focused = useRef(false);
  const overtaken = draft.base !== task.body;
  const save = async () => {
    if (busy) return;
    if (draft.text === task.body) return setDraft(null);
    setBusy(true);
    const undo = { op: "task.edit", args: { id: task.id, body: task.body }, done: "The old description is back" };
    const done = await act("task.edit", { id: task.id, body: draft.text }, { done: "The description is changed", undo, what: "Changing the description" });
    setBusy(false);
    if (done) setDraft(null);
  };
  const onKey = (event) => {
    const send = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    const leave = event.key === "Escape" && draft.text === draft.base;
    if (send) save();
    if (leave) setDraft(null);
    // Esc leaves an unchanged text only; with changes it stays, so that nothing that was written is lost by a key.
    if (send || event.key === "Escape") event.stopPropagation();
  };
  const ref = (field) => {
    if (!field || focused.current) return;
    focused.current = true;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  };
  return html`<div class="editor">
    ${overtaken && html`<p class="dialog-warning" role="alert"><${Icon} name="alert" /><span>Somebody else changed the description meanwhile. Saving overwrites theirs.
      <button type="button" class="inline-edit" onClick=${() => setDraft({ text: task.body, base: task.body })}>Take theirs</button></span></p>`}
    <div class="editor-tabs" role="group" aria-label="How the description is shown">
      <button type="button" aria-pressed=${!preview} onClick=${() => setPreview(false)}>Write</button>
      <button type="button" aria-pressed=${preview} onClick=${() => setPreview(true)}>Preview</button>
    </div>
    ${preview ? html`<div class="editor-preview"><${Markdown} text=${draft.text} /></div>`
      : html`<textarea ref=${ref} class="input editor-text" aria-label="Description, in Markdown" rows=${Math.min(24, Math.max(8, draft.text.split("\n").length + 1))}
          value=${draft.text} onKeyDown=${onKey} onInput=${(event) => setDraft({ ...draft, text: event.target.value })}></textarea>`}
    <div class="editor-foot">
      <${Button} kind="primary" small disabled=${busy} onClick=${save}>Save<//>
      <${Button} small onClick=${() => setDraft(null)}>Discard<//>
      <span class="field-hint">Markdown · Ctrl Enter saves</span>
    </div>
  </div>`;
}
