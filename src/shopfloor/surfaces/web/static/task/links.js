// What a task waits for and what waits for it, as chips; a search adds to either, and a circle is explained.

import { html, useEffect, useId, useRef, useState } from "../core/dom.js";
import { call, change } from "../core/api.js";
import { inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { Button, Icon, StatusMark, useOnce } from "../core/ui.js";
import { act } from "./act.js";
import { TaskChip } from "./head.js";
import { Section } from "./parts.js";

const PAUSE_MS = 140;
const SHOWN = 8;

export function Links({ detail }) {
  return html`<${Section} title="Dependencies" id="task-links">
    <${Side} detail=${detail} title="Waits for" tasks=${detail.parents} up=${true} />
    <${Side} detail=${detail} title="Is waited for by" tasks=${detail.children} up=${false} />
  <//>`;
}

function Side({ detail, title, tasks, up }) {
  const [adding, setAdding] = useState(false);
  const me = detail.task.id;
  const ends = (other) => (up ? { parent: other, child: me } : { parent: me, child: other });
  const remove = (task) => act("task.unlink", ends(task.id), {
    done: `The link with #${task.id} is gone`, undo: { op: "task.link", args: ends(task.id), done: `Linked with #${task.id} again` }, what: "Taking the link away",
  });
  return html`<div class="links-side">
    <span class="links-title">${title}</span>
    <span class="links-chips">
      ${tasks.map((task) => html`<${TaskChip} key=${task.id} task=${task} struck=${task.waived} onRemove=${may("operator") ? () => remove(task) : null}
          removeLabel=${`Take the link with #${task.id} away`} />`)}
      ${!tasks.length && !adding && html`<span class="part-none">nothing</span>`}
      ${may("operator") && !adding && html`<${Button} kind="quiet" small icon="plus" aria-label=${`${title}: add a task`} onClick=${() => setAdding(true)}>Add<//>`}
    </span>
    ${adding && html`<${Finder} label=${title} known=${[me, ...tasks.map((task) => task.id)]} ends=${ends} onClose=${() => setAdding(false)} />`}
  </div>`;
}

/** A field that finds tasks by number or words, and links the one that is chosen. */
function Finder({ label, known, ends, onClose }) {
  const [words, setWords] = useState("");
  const [answer, setAnswer] = useState({ words: null, found: [] });
  const [pointed, setPointed] = useState(null);
  const [refused, setRefused] = useState(null);
  const hurried = useRef(null);
  const id = useId();
  const field = useRef(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => search(words.trim(), known, stop.signal).then((list) => {
      setAnswer({ words, found: list });
      if (hurried.current === words && list[0]) choose(list[0]);
      if (hurried.current === words) hurried.current = null;
    }, () => {}), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [words, known.join()]);
  const choose = useOnce(async (task) => {
    setRefused(null);
    try {
      await change("task.link", ends(task.id));
      onClose();
    } catch (why) {
      setRefused(why);
    }
  });
  const { found } = answer;
  // What was pointed at stays so when it is found again, in whatever place.
  const at = Math.max(0, found.findIndex((task) => task.id === pointed));
  const type = (event) => {
    hurried.current = null;
    setPointed(null);
    setWords(event.target.value);
  };
  const onKey = (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && found.length) setPointed(found[(at + steps[event.key] + found.length) % found.length].id);
    // Enter before the words were looked for means what will be found for them, not what was found before.
    else if (event.key === "Enter" && answer.words !== words) hurried.current = words;
    else if (event.key === "Enter" && found[at]) choose(found[at]);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="finder">
    <input ref=${field} class="input" role="combobox" aria-expanded=${found.length > 0} aria-controls=${id} aria-autocomplete="list" aria-label=${`${label}: find a task`}
      aria-activedescendant=${found[at] ? `${id}-${found[at].id}` : null} placeholder="Number or words" value=${words} onKeyDown=${onKey} onInput=${type} />
    <${Button} kind="quiet" small onClick=${onClose}>Close<//>
    <ul id=${id} class="finder-list" role="listbox" aria-label="Tasks found">
      ${found.map((task, place) => html`<li key=${task.id} id=${`${id}-${task.id}`} role="option" aria-selected=${place === at} class=${place === at ? "is-here" : ""}
          onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(task)}>
        <${StatusMark} status=${task.status} label=${task.status} /><span class="number">#${task.id}</span><span>${task.title}</span></li>`)}
      ${words.trim() && answer.words === words && !found.length && html`<li class="part-none">No task with these words</li>`}
    </ul>
    ${refused && html`<${Refused} refused=${refused} />`}
  </div>`;
}

/** Why a link was refused; a circle is shown with the tasks that close it. */
function Refused({ refused }) {
  const circle = refused.detail?.cycle;
  return html`<div class="dialog-warning" role="alert"><${Icon} name="alert" /><div>
    <p>${circle ? "That would close a circle: each of these waits for the one before it, so none could ever start." : refused.message}</p>
    ${circle && html`<p class="circle">${[...circle, circle[0]].map((number, at) => html`${at > 0 && html`<${Icon} name="right" size="12" />`}<a href=${inBoard(`/t/${number}`)}>#${number}</a>`)}</p>
      <p>Take one of these links away first.</p>`}
  </div></div>`;
}

async function search(words, known, signal) {
  const number = /^#?(\d+)$/.exec(words)?.[1];
  const asked = [call("task.list", { limit: SHOWN + known.length, ...(words && !number ? { text: words } : {}), ...(words ? {} : { sort: "updated" }) }, { signal })];
  if (number) asked.push(call("task.show", { id: Number(number) }, { signal }).then(({ task }) => ({ items: [task] }), () => ({ items: [] })));
  const [listed, exact] = await Promise.all(asked);
  const rows = exact ? exact.items : listed.items;
  return rows.filter((task) => !known.includes(task.id)).slice(0, SHOWN);
}
