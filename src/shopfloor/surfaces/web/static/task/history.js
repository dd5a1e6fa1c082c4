// What happened to a task, the newest first: its events as the ledger has them, in words.

import { html, useEffect, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { ago, minute } from "../core/time.js";
import { Busy, Button, Icon, StatusMark, Time } from "../core/ui.js";
import { words } from "./parts.js";

const PAGE = 200;
const SILENT = new Set(["from", "reason", "summary", "note", "title", "error"]);

export function History({ detail }) {
  const [events, setEvents] = useState(null);
  const [limit, setLimit] = useState(PAGE);
  const newest = detail.events.at(-1)?.id;
  const { id } = detail.task;
  useEffect(() => {
    let alive = true;
    call("event.list", { id, limit }).then((page) => alive && setEvents([...page.events].reverse()), () => alive && setEvents((before) => before ?? [...detail.events].reverse()));
    return () => { alive = false; };
  }, [id, newest, limit]);
  if (!events) return html`<${Busy} label="Reading the history" />`;
  return html`<ol class="history">${events.map((event) => html`<${Event} key=${event.id} event=${event} />`)}</ol>
    ${events.length === limit && limit < 1000 && html`<${Button} small onClick=${() => setLimit(1000)}>Show more<//>`}`;
}

function Event({ event }) {
  const data = event.data ?? {};
  const told = [data.reason, data.summary, data.note, data.error, event.kind === "created" ? null : data.title].find(Boolean);
  const rest = Object.entries(data).filter(([name, value]) => !SILENT.has(name) && value !== null && value !== "" && String(value) !== "");
  return html`<li class="event">
    ${event.status ? html`<${StatusMark} status=${event.status} label=${event.status} />` : html`<${Icon} name="right" size="12" />`}
    <div><p><b>${words(event.kind)}</b>${data.from && event.status && html` <span class="event-from">from ${data.from} to ${event.status}</span>`}</p>
      ${told && html`<p class="event-told">${told}</p>`}
      ${rest.length > 0 && html`<p class="event-data">${rest.map(([name, value]) => html`<span key=${name}>${words(name)}: ${shown(value)}</span>`)}</p>`}</div>
    <span class="event-when">${event.actor}<br /><${Time} at=${event.at}>${ago(event.at, minute.value)} ago<//></span>
  </li>`;
}

function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
