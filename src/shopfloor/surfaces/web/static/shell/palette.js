// Ctrl-K: type a few letters of a task or of a command, and go.

import { html, names, signal, useEffect, useLayoutEffect, useRef, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { available, keysOf, readable } from "../core/keys.js";
import { go, inBoard } from "../core/route.js";
import { Icon, StatusMark } from "../core/ui.js";

/** Whether the palette is open. */
export const paletteOpen = signal(false);

const PAUSE_MS = 120;
const TASKS = 8;
const COMMANDS = 12;

export function Palette() {
  const ref = useRef(null);
  const text = useSignal("");
  const tasks = useSignal({ text: null, found: [] });
  // Which row is pointed at, by its key; the first where none is.
  const at = useSignal(null);
  // The words that Enter was pressed for before they were looked for.
  const hurried = useRef(null);
  const close = () => { paletteOpen.value = false; };
  // Before the next key, which may be the first letter of what is looked for.
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current.showModal();
    return () => before?.isConnected && before.focus?.({ preventScroll: true });
  }, []);
  useEffect(() => {
    const asked = new AbortController();
    const words = text.value;
    const tell = (found) => { tasks.value = { text: words, found }; };
    const timer = setTimeout(() => find(words, asked.signal).then(tell, (refused) => refused.name !== "AbortError" && tell([])), words ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text.value]);
  const commands = available().reverse().filter((one) => one.id !== "palette" && one.palette !== false && fits(`${one.title} ${one.group}`, text.value)).slice(0, COMMANDS);
  // What was found for other words stands only as long as it fits these.
  const found = tasks.value.found.filter((task) => tasks.value.text === text.value || fits(`#${task.id} ${task.title}`, text.value));
  const rows = [
    ...found.map((task) => ({ key: `t${task.id}`, task, run: () => go(inBoard(`/t/${task.id}`)) })),
    ...commands.map((one) => ({ key: one.id, command: one, run: () => one.run() })),
  ];
  const here = Math.max(0, rows.findIndex((row) => row.key === at.value));
  const pick = (row) => {
    close();
    // Once the dialog has given the focus back, so that a command may put it elsewhere.
    setTimeout(row.run);
  };
  const onKey = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (here + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % Math.max(1, rows.length);
      at.value = rows[next]?.key ?? null;
      ref.current.querySelector(`#palette-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      // Before the words were looked for, and with nothing pointed at, it means what will be found for them.
      if (at.value === null && tasks.value.text !== text.value) hurried.current = text.value;
      else if (rows[here]) pick(rows[here]);
    }
  };
  useEffect(() => {
    if (hurried.current === null || hurried.current !== tasks.value.text) return;
    hurried.current = null;
    if (rows[here]) pick(rows[here]);
  }, [tasks.value]);
  return html`<dialog ref=${ref} class="palette" aria-label="Find a task or a command" onCancel=${(event) => { event.preventDefault(); close(); }}
      onMouseDown=${(event) => event.target === ref.current && close()}>
    <div class="palette-field"><${Icon} name="search" />
      <input autofocus value=${text.value} placeholder="Find a task or a command" aria-label="Find a task or a command" role="combobox" aria-expanded="true"
        aria-controls="palette-list" aria-activedescendant=${rows.length ? `palette-${here}` : null} autocomplete="off" spellcheck=${false}
        onInput=${(event) => { text.value = event.target.value; at.value = null; hurried.current = null; }} onKeyDown=${onKey} /></div>
    <ul id="palette-list" class="palette-list" role="listbox" aria-label="Found">
      ${rows.map((row, index) => html`<li key=${row.key} id=${`palette-${index}`} role="option" aria-selected=${index === here}
          class=${names("palette-row", index === here && "is-here")} onPointerMove=${() => { at.value = row.key; }} onClick=${() => pick(row)}>
        ${row.task ? html`<${TaskRow} task=${row.task} />` : html`<${CommandRow} one=${row.command} />`}</li>`)}
    </ul>
    ${rows.length === 0 && html`<p class="palette-none">Nothing is called that.</p>`}
  </dialog>`;
}

function TaskRow({ task }) {
  return html`<${StatusMark} status=${task.status} label=${task.status} /><span class="number">#${task.id}</span><span class="palette-title">${task.title}</span>
    ${task.assignee && html`<span class="palette-more">${task.assignee}</span>`}`;
}

function CommandRow({ one }) {
  const keys = keysOf(one);
  return html`<${Icon} name="right" /><span class="palette-title">${one.group === "Go to" ? `Go to ${one.title.toLowerCase()}` : one.title}</span>
    ${keys[0] && html`<kbd>${readable(keys[0])}</kbd>`}`;
}

async function find(text, signal) {
  const words = text.trim();
  const number = /^#?(\d+)$/.exec(words);
  const asked = { text: words || null, limit: TASKS, ...(words ? { archived: true } : { sort: "updated" }) };
  const found = (await call("task.list", asked, { signal })).items;
  // Those whose title has the words come before those whose text has them.
  found.sort((one, two) => fits(two.title, words) - fits(one.title, words));
  if (!number) return found;
  const shown = await call("task.show", { id: Number(number[1]) }, { signal }).catch(() => null);
  return shown ? [shown.task, ...found.filter((task) => task.id !== shown.task.id)] : found;
}

function fits(title, text) {
  const all = title.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
