// Short messages: what was done (with a way back), what was refused and why; and words for screen readers only.

import { html, signal } from "./dom.js";
import { Icon } from "./icons.js";

const shown = signal([]);
const spoken = signal("");
const STAY_MS = { done: 5000, refused: 10000, note: 6000 };
const AT_ONCE = 4;
let number = 0;

/** Show a message; `kind` is done, refused or note; `action` is {label, run}. Answers how to take it away. */
export function toast(text, { kind = "done", action = null, detail = null, ms = STAY_MS[kind] } = {}) {
  number += 1;
  const id = number;
  shown.value = [...shown.value.slice(1 - AT_ONCE), { id, text, kind, action, detail }];
  const close = () => { shown.value = shown.value.filter((one) => one.id !== id); };
  const wait = () => setTimeout(() => (document.querySelector(`[data-toast="${id}"]:is(:hover, :focus-within)`) ? wait() : close()), ms);
  wait();
  return close;
}

/** Show why something was refused. */
export function refuse(refused, what = "") {
  if (refused?.name === "AbortError") return;
  toast(what ? `${what}: ${refused.message}` : refused.message, { kind: "refused" });
}

/** Say something to who hears the page. */
export function announce(text) {
  spoken.value = spoken.peek() === text ? `${text} ` : text;
}

/** Where the messages are; once, in the shell. */
export function Toasts() {
  const close = (id) => { shown.value = shown.value.filter((one) => one.id !== id); };
  return html`
    <div class="toasts" role="region" aria-label="Messages">
      ${shown.value.map((one) => html`
        <div key=${one.id} data-toast=${one.id} class=${`toast is-${one.kind}`} role=${one.kind === "refused" ? "alert" : "status"}>
          <${Icon} name=${one.kind === "refused" ? "alert" : one.kind === "note" ? "info" : "check"} />
          <div class="toast-text">${one.text}${one.detail && html`<div class="toast-detail">${one.detail}</div>`}</div>
          ${one.action && html`<button class="toast-action" onClick=${() => { close(one.id); one.action.run(); }}>${one.action.label}</button>`}
          <button class="toast-close" aria-label="Dismiss" onClick=${() => close(one.id)}><${Icon} name="close" /></button>
        </div>`)}
    </div>
    <div class="spoken" aria-live="polite" aria-atomic="true">${spoken.value}</div>`;
}
