// The parts that pages are made of: buttons, dialogs, menus, fields, chips.
//
// Dialogs are the browser's own <dialog>, so focus is kept inside and given back, Esc closes, and what is
// behind is inert without code of ours.

import { createContext, html, names, useContext, useId, useLayoutEffect, useRef } from "./dom.js";
import { Icon, StatusMark } from "./icons.js";
import { fullTime } from "./time.js";

export { Icon, StatusMark };

/**
 * A function that is not called again while the promise that it gave is open.  The second press of a double one is for
 * what was there at the first, so it is left out where that asked for something.
 */
export function useOnce(fn) {
  const last = useRef({ open: false, asked: false });
  return (...args) => {
    const one = last.current;
    if (one.open || (one.asked && args[0]?.detail > 1)) return undefined;
    const given = fn?.(...args);
    one.asked = one.open = typeof given?.finally === "function";
    if (one.open) given.finally(() => { one.open = false; });
    return given;
  };
}

/** A button; `kind` is plain, primary, quiet or danger.  While what a press asked for is open, no other press counts. */
export function Button({ kind = "plain", icon, children, class: more, small, onClick, ...rest }) {
  const press = useOnce(onClick);
  return html`<button type="button" ...${rest} onClick=${onClick && press} class=${names("button", `is-${kind}`, small && "is-small", !children && "is-icon", more)}>
    ${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

/** A button that is an icon alone: its label is spoken and shown as a hint. */
export function IconButton({ icon, label, ...rest }) {
  return html`<${Button} kind="quiet" icon=${icon} aria-label=${label} title=${label} ...${rest} />`;
}

/**
 * A dialog that is open while it is there; `onClose` is called by Esc, by the cross and by a click beside it.
 * `onSubmit` may answer a promise: until then nothing is sent again, and where it comes to true the dialog is over.
 */
export function Dialog({ title, onClose, children, footer, wide = false, class: more, onSubmit }) {
  const ref = useRef(null);
  const gone = useRef(false);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
    return () => {
      gone.current = true;
      if (dialog.open) dialog.close();
      before?.isConnected && before.focus?.({ preventScroll: true });
    };
  }, []);
  const send = useOnce(async (event) => {
    // A dialog that was left meanwhile may have been opened again for something else.
    if (await onSubmit(event) === true && !gone.current) onClose();
  });
  const submit = (event) => {
    event.preventDefault();
    send(event);
  };
  const inside = html`
    <header class="dialog-head"><h2 id=${id}>${title}</h2><${IconButton} icon="close" label="Close" onClick=${onClose} /></header>
    <div class="dialog-body">${children}</div>
    ${footer && html`<footer class="dialog-foot">${footer}</footer>`}`;
  return html`<dialog ref=${ref} class=${names("dialog", wide && "is-wide", more)} aria-labelledby=${id}
      onCancel=${(event) => { event.preventDefault(); onClose(); }}
      onMouseDown=${(event) => event.target === ref.current && onClose()}>
    ${onSubmit ? html`<form class="dialog-form" onSubmit=${submit}>${inside}</form>` : html`<div class="dialog-form">${inside}</div>`}
  </dialog>`;
}

/** A question before what cannot be taken back; `action` says what is done then, and `onYes` does it. */
export function Confirm({ title, action, onYes, onClose, children }) {
  const yes = () => {
    onClose();
    onYes();
  };
  const footer = html`<${Button} onClick=${onClose} autofocus>Leave it<//><${Button} type="submit" kind="danger">${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${yes} footer=${footer}>${children}<//>`;
}

const TYPED_MS = 800;

/** A menu of actions at a place {x, y} or below an element; items are {label, icon, status, hint, danger, run} or null for a line. */
export function Menu({ at, items, onClose, label = "Actions" }) {
  const ref = useRef(null);
  const typed = useRef({ text: "", at: 0 });
  useLayoutEffect(() => {
    const menu = ref.current;
    const before = document.activeElement;
    place(menu, at);
    menu.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
    const outside = (event) => !menu.contains(event.target) && onClose();
    document.addEventListener("pointerdown", outside, true);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      if (before?.isConnected && (document.activeElement === document.body || menu.contains(document.activeElement))) before.focus({ preventScroll: true });
    };
  }, []);
  const onKey = (event) => {
    const all = [...ref.current.querySelectorAll("[role=menuitem]")];
    const here = all.indexOf(document.activeElement);
    const goes = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 };
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (event.key in goes) {
      event.preventDefault();
      all[(goes[event.key] + all.length) % all.length]?.focus();
    } else if (event.key.length === 1 && /\S/.test(event.key)) {
      // Letters that follow each other are the beginning of one word; one alone goes on to the next item.
      const now = Date.now();
      typed.current = { text: (now - typed.current.at < TYPED_MS ? typed.current.text : "") + event.key.toLowerCase(), at: now };
      const from = typed.current.text.length > 1 ? [...all.slice(here), ...all] : [...all.slice(here + 1), ...all];
      from.find((one) => one.textContent.trim().toLowerCase().startsWith(typed.current.text))?.focus();
    }
  };
  const pick = (item) => {
    onClose();
    item.run();
  };
  return html`<div ref=${ref} class="menu" role="menu" aria-label=${label} onKeyDown=${onKey}>
    ${items.map((item, at) => (item === null ? html`<div key=${`line${at}`} class="menu-line" role="separator" />` : html`
      <button key=${item.label} type="button" role="menuitem" tabindex="-1" class=${names("menu-item", item.danger && "is-danger")} onClick=${() => pick(item)}>
        ${item.status ? html`<${StatusMark} status=${item.status} />` : html`<${Icon} name=${item.icon ?? "right"} />`}
        <span>${item.label}</span>${item.hint && html`<kbd>${item.hint}</kbd>`}
      </button>`))}
  </div>`;
}

function place(menu, at) {
  const box = at instanceof Element ? at.getBoundingClientRect() : { left: at.x, bottom: at.y, top: at.y };
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

const FieldId = createContext(null);

/** A labelled field; what is inside takes its id from here. */
export function Field({ label, hint, error, children, class: more }) {
  const id = useId();
  return html`<div class=${names("field", error && "is-wrong", more)}>
    <label for=${id}>${label}</label>
    <${FieldId.Provider} value=${id}>${children}<//>
    ${(error || hint) && html`<p class="field-hint" id=${`${id}-hint`}>${error ?? hint}</p>`}
  </div>`;
}

/** A line of text in a Field. */
export function Input({ value, onValue, ...rest }) {
  const id = useContext(FieldId);
  return html`<input id=${id} class="input" value=${value} aria-describedby=${id && `${id}-hint`} ...${rest} onInput=${(event) => onValue(event.target.value)} />`;
}

/** Several lines of text in a Field. */
export function TextArea({ value, onValue, rows = 4, ...rest }) {
  const id = useContext(FieldId);
  return html`<textarea id=${id} class="input" rows=${rows} ...${rest} value=${value} onInput=${(event) => onValue(event.target.value)}></textarea>`;
}

/** One of several in a Field; options are [value, label]. */
export function Select({ value, onValue, options, ...rest }) {
  const id = useContext(FieldId);
  return html`<select id=${id} class="input" value=${value} ...${rest} onChange=${(event) => onValue(event.target.value)}>
    ${options.map(([one, label]) => html`<option key=${one} value=${one} selected=${one === value}>${label}</option>`)}
  </select>`;
}

/** Something switched on or off. */
export function Toggle({ label, on, onChange, hint }) {
  return html`<label class="toggle"><input type="checkbox" checked=${on} onChange=${(event) => onChange(event.target.checked)} />
    <span>${label}${hint && html`<small>${hint}</small>`}</span></label>`;
}

/** A small word in a pill; with `onRemove` it can be taken away. */
export function Chip({ children, tone = "plain", icon, onRemove, ...rest }) {
  return html`<span ...${rest} class=${`chip is-${tone}`}>${icon && html`<${Icon} name=${icon} size="12" />`}<span class="chip-text">${children}</span>
    ${onRemove && html`<button type="button" class="chip-remove" aria-label="Remove" onClick=${onRemove}><${Icon} name="close" size="10" /></button>`}</span>`;
}

/** A status as mark and word. */
export function Status({ status }) {
  return html`<span class=${`status is-${status}`}><${StatusMark} status=${status} />${status}</span>`;
}

/** Two letters for a name, in a colour that is always the same for it. */
export function Avatar({ name }) {
  const letters = name.replace(/[^\p{L}\p{N}]+/gu, " ").trim().split(" ").map((word) => word[0] ?? "").join("").slice(0, 2) || "?";
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return html`<span class="avatar" aria-hidden="true" data-hue=${Math.floor(sum / 45)}>${letters}</span>`;
}

/** A time, in words, with the moment itself as a hint. */
export function Time({ at, children }) {
  return html`<time datetime=${at} title=${fullTime(at)}>${children}</time>`;
}

/** What is said where there is nothing. */
export function Empty({ title, children, icon = "info" }) {
  return html`<div class="empty"><${Icon} name=${icon} size="24" /><h2>${title}</h2>${children && html`<div>${children}</div>`}</div>`;
}

/** Something is on its way. */
export function Busy({ label = "Loading" }) {
  return html`<div class="busy" role="status"><span class="busy-dot" aria-hidden="true" /><span>${label}</span></div>`;
}

/** Keep a value's newest form for callbacks that live longer. */
export function useLatest(value) {
  const ref = useRef(value);
  ref.current = value;
  return ref;
}
