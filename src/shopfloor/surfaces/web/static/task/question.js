// A question of a worker, answerable where it stands: its options as buttons, and a field for other words.

import { html, useState } from "../core/dom.js";
import { may } from "../core/session.js";
import { fullTime, longSpan, second } from "../core/time.js";
import { Button, Chip, Icon, useOnce } from "../core/ui.js";
import { act } from "./act.js";
import { useDraft } from "./body.js";
import { Markdown } from "./parts.js";

/** Answer a question; the answer of `task.answer`, or null. */
export function answer(task, question, text) {
  return act("task.answer", { id: task, question, answer: text }, { done: `#${task} has its answer`, what: `Answering #${task}` });
}

/** A question that is open; `numbered` shows the keys of its options. */
export function OpenQuestion({ task, question, numbered = false, focusRef = null, onAnswered = () => {} }) {
  const draft = useDraft(`answer ${question.id}`);
  const text = draft.value ?? "";
  const [busy, setBusy] = useState(false);
  const give = useOnce(async (words) => {
    if (!words.trim()) return;
    setBusy(true);
    const done = await answer(task, question.id, words.trim());
    setBusy(false);
    if (!done) return;
    draft.value = null;
    onAnswered();
  });
  const onKey = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || !event.target.value.includes("\n") && !event.shiftKey)) {
      event.preventDefault();
      give(event.target.value);
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      event.target.blur();
    }
  };
  return html`<div class="question">
    <div class="question-head"><${Icon} name=${question.kind === "permission" ? "alert" : "question"} />
      <span><b>${question.asked_by}</b> ${question.kind === "permission" ? "asks for permission" : "asks"}</span>
      ${question.deadline && html`<${Deadline} question=${question} />`}</div>
    <${Markdown} text=${question.body} />
    ${may("operator") && html`<div class="question-answer">
      ${question.options.length > 0 && html`<div class="question-options" role="group" aria-label="Answers to choose from">
        ${question.options.map((option, at) => html`<button key=${option} type="button" class="button is-plain" disabled=${busy} onClick=${() => give(option)}>
          ${numbered && at < 9 && html`<kbd>${at + 1}</kbd>`}<span>${option}</span></button>`)}
      </div>`}
      <div class="question-words">
        <textarea ref=${focusRef} class="input" rows="1" maxlength="4000" value=${text} readonly=${busy} onKeyDown=${onKey} aria-label=${`Answer to question ${question.id}`}
          placeholder=${question.options.length ? "Or other words" : "Your answer"} onInput=${(event) => { draft.value = event.target.value || null; }}></textarea>
        <${Button} kind="primary" disabled=${busy || !text.trim()} onClick=${() => give(text)}>Answer<//>
      </div>
    </div>`}
  </div>`;
}

function Deadline({ question }) {
  const left = Date.parse(question.deadline) - second.value;
  const words = left > 0 ? `in ${longSpan(left)}` : "now";
  return html`<${Chip} tone="warn" title=${fullTime(question.deadline)}>goes on with “${question.default}” ${words}<//>`;
}

/** A question that is not open any more. */
export function PastQuestion({ question }) {
  return html`<details class="question-past"><summary><${Icon} name="question" /><span>${question.body}</span><b>${question.answer ?? "closed without an answer"}</b></summary>
    <${Markdown} text=${question.body} />
    ${question.answer !== null && html`<p class="question-given"><b>${question.answered_by}:</b> ${question.answer}</p>`}
  </details>`;
}
