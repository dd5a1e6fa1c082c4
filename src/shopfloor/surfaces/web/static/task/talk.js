// What people and workers wrote on a task: questions on top, then comments, and a field for the next one.

import { html, useRef } from "../core/dom.js";
import { may } from "../core/session.js";
import { ago, minute } from "../core/time.js";
import { Avatar, Button, Time, useOnce } from "../core/ui.js";
import { act, useTaskCommands } from "./act.js";
import { useDraft } from "./body.js";
import { Markdown, Section } from "./parts.js";
import { answer, OpenQuestion, PastQuestion } from "./question.js";

export function Questions({ detail }) {
  const field = useRef(null);
  const open = detail.questions.filter((one) => one.state === "open");
  const past = detail.questions.filter((one) => one.state !== "open");
  const first = open.at(-1);
  const options = first && may("operator") ? first.options.slice(0, 9) : [];
  useTaskCommands(() => (first ? [
    { id: "task.answer", title: "Answer the question", keys: ["a"], run: () => field.current?.focus() },
    ...options.map((option, at) => ({ id: `task.option.${at + 1}`, title: `Answer: ${option}`, keys: [String(at + 1)], run: () => answer(detail.task.id, first.id, option) })),
  ] : []), [first?.id]);
  if (!detail.questions.length) return null;
  return html`<${Section} title="Questions" count=${open.length || null} id="task-questions">
    ${[...open].reverse().map((one) => html`<${OpenQuestion} key=${one.id} task=${detail.task.id} question=${one} numbered=${one === first} focusRef=${one === first ? field : null} />`)}
    ${past.map((one) => html`<${PastQuestion} key=${one.id} question=${one} />`)}
  <//>`;
}

export function Comments({ detail }) {
  const field = useRef(null);
  useTaskCommands(() => [{ id: "task.comment", title: "Comment", keys: ["m"], when: () => may("operator"), run: () => field.current?.focus() }], []);
  return html`<${Section} title="Comments" count=${detail.comments.length} id="task-comments">
    ${detail.comments.length > 0 && html`<ol class="comments">${detail.comments.map((one) => html`<li key=${one.id} class="comment" id=${`comment-${one.id}`}>
      <${Avatar} name=${one.author} />
      <div><p class="comment-head"><b>${one.author}</b> <${Time} at=${one.created_at}>${ago(one.created_at, minute.value)} ago<//>${one.run && html` · run ${one.run}`}</p>
        <${Markdown} text=${one.body} /></div>
    </li>`)}</ol>`}
    ${may("operator") && html`<${NewComment} task=${detail.task} field=${field} />`}
  <//>`;
}

function NewComment({ task, field }) {
  const draft = useDraft(`comment ${task.id}`);
  const text = draft.value ?? "";
  const send = useOnce(async () => {
    if (!text.trim()) return;
    const done = await act("task.comment", { id: task.id, body: text.trim() }, { what: `Commenting on #${task.id}` });
    // What was written on meanwhile is the next comment.
    const now = draft.peek() ?? "";
    if (done && now.startsWith(text)) draft.value = now.slice(text.length) || null;
  });
  const onKey = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    if (event.key === "Escape") {
      event.stopPropagation();
      event.target.blur();
    }
  };
  return html`<div class="comment-new">
    <textarea ref=${field} class="input" rows=${text ? 3 : 1} aria-label="New comment" value=${text} onKeyDown=${onKey} onInput=${(event) => { draft.value = event.target.value || null; }}
      placeholder=${task.status === "running" ? "Say something to its worker" : "Write a comment; the next worker reads it"}></textarea>
    ${text && html`<div class="editor-foot"><${Button} kind="primary" small onClick=${send}>Comment<//><span class="field-hint">Markdown · Ctrl Enter sends</span></div>`}
  </div>`;
}
