// The board in lanes: a row of short columns for each assignee, each with a store of its own, read when it is seen.

import { html, useEffect, useMemo, useRef, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { following } from "../core/reader.js";
import { refuse } from "../core/toast.js";
import { Avatar, Busy, Icon } from "../core/ui.js";
import { Column } from "./column.js";
import { Store } from "./store.js";

const TOGETHER_MS = 400;
const SHOWN = ["triage", "todo", "scheduled", "ready", "running", "review", "blocked", "done"];

export function Lanes({ board, filter, store, view, on }) {
  const lanes = useSignal(null);
  const show = (stats) => {
    const wanted = stats.by_assignee.filter((lane) => (filter.assignee === null || lane.assignee === filter.assignee) && openOf(lane) > 0);
    const found = wanted.sort((one, two) => openOf(two) - openOf(one)).map((lane) => lane.assignee);
    // A lane that is shown keeps its place; new ones come below.
    const stay = (lanes.peek() ?? []).filter((name) => found.includes(name));
    lanes.value = [...stay, ...found.filter((name) => !stay.includes(name))];
  };
  const wants = (event) => event.kind === "created" || event.kind === "assigned";
  useEffect(() => following({ ask: () => call("stats.show", {}, { board }), show, refused: refuse, pauseMs: TOGETHER_MS, wants }).stop, [board]);
  if (lanes.value === null) return html`<${Busy} label="Reading the lanes" />`;
  return html`<div class="lanes">${lanes.value.map((name) => html`<${Lane} key=${name} board=${board} filter=${filter} name=${name} main=${store} view=${view} on=${on} />`)}</div>`;
}

function openOf(lane) {
  return Object.entries(lane.by_status).reduce((sum, [status, count]) => sum + (status === "done" || status === "cancelled" ? 0 : count), 0);
}

function Lane({ board, filter, name, main, view, on }) {
  const ref = useRef(null);
  const seen = useSignal(false);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => { if (entry.isIntersecting) seen.value = true; }, { rootMargin: "300px" });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  const called = name === "" ? "Nobody" : name === "!" ? "Commands" : name;
  return html`<section ref=${ref} class="lane" aria-label=${`Lane of ${called}`}>
    <h2 class="lane-name">${name && name !== "!" ? html`<${Avatar} name=${name} />` : html`<${Icon} name=${name ? "right" : "user"} size="14" />`}${called}</h2>
    ${seen.value && html`<${Row} board=${board} filter=${filter} name=${name} main=${main} view=${view} on=${on} />`}
  </section>`;
}

function Row({ board, filter, name, main, view, on }) {
  const store = useMemo(() => new Store(board, { assignee: name, tenant: filter.tenant, text: filter.text }, { together: TOGETHER_MS }), []);
  useEffect(() => {
    store.load();
    return () => store.close();
  }, []);
  // What is done to a card goes by the board's own store, which has to know it.
  store.version.value;
  for (const [id, card] of store.cards) if (!main.cards.has(id)) main.cards.set(id, card);
  const columns = SHOWN.map((status) => store.columns.get(status)).filter((column) => column.count.value > 0 || view.targets.value);
  return html`<div class="columns">${columns.map((column) => html`<${Column} key=${column.status} store=${store} column=${column} view=${view} on=${{ ...on, create: null, fold: null }} low />`)}</div>`;
}
