// The board's tools: search, filters, lanes, archived ones, and a new task.  What is set stands in the address.

import { html, names, useEffect, useRef, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { setQuery } from "../core/route.js";
import { may } from "../core/session.js";
import { Button, Icon, IconButton } from "../core/ui.js";
import { creating } from "./create.js";

const PAUSE_MS = 220;

export function Toolbar({ store, filter }) {
  const open = useSignal(false);
  const field = useRef(null);
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const clear = () => {
    // Words that are on their way into the address are cleared, too.
    clearTimeout(timer.current);
    field.current.value = "";
    setQuery({ assignee: null, tenant: null, q: null, archived: null, lanes: null });
  };
  const set = [filter.assignee, filter.tenant].filter((one) => one !== null).length + (filter.archived ? 1 : 0) + (filter.lanes ? 1 : 0);
  return html`<div class=${names("toolbar", open.value && "is-open")} role="toolbar" aria-label="Board">
    <${Search} text=${filter.text} field=${field} timer=${timer} />
    <${IconButton} icon="filter" label=${set ? `Filters, ${set} set` : "Filters"} class="narrow-only" aria-expanded=${open.value} onClick=${() => { open.value = !open.value; }} />
    <div class="toolbar-filters">
      <${Assignee} chosen=${filter.assignee} store=${store} />
      <${Tenant} chosen=${filter.tenant} store=${store} />
      <${Switch} icon="lanes" label="Lanes" on=${filter.lanes} onClick=${() => setQuery({ lanes: filter.lanes ? null : "1" })} />
      <${Switch} icon="archive" label="Archived" on=${filter.archived} onClick=${() => setQuery({ archived: filter.archived ? null : "1" })} />
      ${(set > 0 || filter.text) && html`<${Button} kind="quiet" small icon="close" onClick=${clear}>Clear<//>`}
    </div>
    ${may("operator") && html`<${Button} kind="primary" icon="plus" class="new-task" aria-label="New task" onClick=${() => { creating.value = {}; }}><span>New task</span><//>`}
  </div>`;
}

function Search({ text, field, timer }) {
  useEffect(() => {
    if (document.activeElement !== field.current) field.current.value = text ?? "";
  }, [text]);
  const search = (event) => {
    clearTimeout(timer.current);
    const words = event.target.value.trim();
    timer.current = setTimeout(() => setQuery({ q: words || null }), PAUSE_MS);
  };
  return html`<label class="search"><${Icon} name="search" /><span class="spoken">Search on the board</span>
    <input ref=${field} id="board-search" type="search" placeholder="Search titles and texts" defaultValue=${text ?? ""} onInput=${search} autocomplete="off" spellcheck=${false} /><kbd>/</kbd></label>`;
}

function Switch({ icon, label, on, onClick }) {
  return html`<button type="button" class=${names("switch", on && "is-on")} aria-pressed=${on} onClick=${onClick}><${Icon} name=${icon} />${label}</button>`;
}

/** The profiles that have tasks, and nobody, and plain commands. */
function Assignee({ chosen, store }) {
  const known = useSignal([]);
  const read = () => call("stats.show", {}, { board: store.board }).then((stats) => { known.value = stats.by_assignee.map((lane) => lane.assignee); }, () => {});
  const listed = [...new Set([...known.value, ...(chosen === null ? [] : [chosen])])];
  const called = (name) => (name === "" ? "nobody" : name === "!" ? "commands" : name);
  useEffect(() => { read(); }, [store.board]);
  return html`<label class=${names("pick", chosen !== null && "is-on")}><${Icon} name="user" /><span class="spoken">Assignee</span>
    <select value=${chosen === null ? "*" : chosen} onFocus=${read} onChange=${(event) => pick("assignee", event.target.value)}>
      <option value="*" selected=${chosen === null}>Everybody</option>
      ${listed.map((name) => html`<option key=${name} value=${name} selected=${name === chosen}>${called(name)}</option>`)}
    </select></label>`;
}

/** The tenants that loaded cards name. */
function Tenant({ chosen, store }) {
  store.version.value;
  const found = new Set(chosen === null ? [] : [chosen]);
  for (const card of store.cards.values()) if (card.peek().tenant) found.add(card.peek().tenant);
  if (!found.size) return null;
  return html`<label class=${names("pick", chosen !== null && "is-on")}><${Icon} name="filter" /><span class="spoken">Tenant</span>
    <select value=${chosen === null ? "*" : chosen} onChange=${(event) => pick("tenant", event.target.value)}>
      <option value="*" selected=${chosen === null}>All tenants</option>
      ${[...found].sort().map((name) => html`<option key=${name} value=${name} selected=${name === chosen}>${name}</option>`)}
    </select></label>`;
}

function pick(name, value) {
  setQuery({ [name]: value === "*" ? null : value });
}
