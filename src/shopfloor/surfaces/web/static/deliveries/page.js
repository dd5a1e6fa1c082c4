// Deliveries: who hears of what, what was sent, what did not arrive and why; sent again at a click.

import { html, useState } from "../core/dom.js";
import { inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { minute, span } from "../core/time.js";
import { Button, Chip, Field, Input, Select } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Section, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";
import { Subscribe } from "./subscribe.js";

const TONES = { sent: "good", waiting: "blue", sending: "blue", given_up: "late", carried: "plain", dropped: "plain" };
const WORDS = { given_up: "given up", carried: "in another message" };
const STATES = [["", "All"], ["given_up", "Given up"], ["waiting", "Waiting"], ["sent", "Sent"], ["carried", "In another message"], ["dropped", "Dropped"]];
const PAGE = 50;
// Sending writes no event, so what is being sent is looked at again soon, and what waits when its time has come.
const SENDING_MS = 2000;
const WAITING_MS = 60000;

export function DeliveriesPage() {
  const [adding, setAdding] = useState(false);
  const [state, setState] = useState("");
  const [task, setTask] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const subscriptions = useRead("subscription.list", { limit: 200 });
  const asked = { limit, ...(state && { states: [state] }), ...(/^\d+$/.test(task) && { task: Number(task) }) };
  const deliveries = useRead("delivery.list", asked, { again: (found) => lookAgain(found.items) });
  return html`<${ListPage} title="Deliveries" about="Who hears of what happens here, and what became of each message." add=${{ label: "Subscribe", run: () => setAdding(true) }}>
    <${Section} title="Subscriptions">
      <${Reading} of=${subscriptions}>${(found) => html`<${Subscriptions} rows=${found.items} again=${subscriptions.read} />`}<//>
    <//>
    <${Section} title="Messages">
      <div class="list-filters">
        <${Field} label="State"><${Select} value=${state} onValue=${setState} options=${STATES} /><//>
        <${Field} label="Task"><${Input} value=${task} onValue=${setTask} inputmode="numeric" placeholder="its number" /><//>
      </div>
      <${Reading} of=${deliveries}>${(found) => html`
        <${Deliveries} rows=${found.items} again=${deliveries.read} empty=${state || task ? "No message of this kind." : "Nothing was sent yet."} />
        ${found.next && html`<p><${Button} onClick=${() => setLimit(limit + PAGE)}>Show more<//></p>`}`}<//>
    <//>
    ${adding && html`<${Subscribe} onClose=${() => setAdding(false)} onDone=${subscriptions.read} />`}
  <//>`;
}

function Subscriptions({ rows, again }) {
  const columns = [
    { title: "Target", head: true, cell: (row) => html`<strong>${row.target}</strong>` },
    { title: "Hears of", cell: (row) => about(row.about) },
    { title: "When", wide: true, cell: (row) => row.kinds.map((kind) => kind.replaceAll("_", " ")).join(", ") },
    { title: "Files", cell: (row) => (row.files ? "sent along" : "") },
    { title: "Made", cell: (row) => html`<${Moment} at=${row.created_at} /> by ${row.creator}` },
    { title: "", cell: (row) => may("operator") && html`<${Button} small onClick=${() => act("subscription.remove", { id: row.id }, { done: "Unsubscribed" }).then(again)}>Unsubscribe<//>` },
  ];
  return html`<${Table} label="Subscriptions" columns=${columns} rows=${rows} keyOf=${(row) => row.id}
    empty=${html`Nobody is told anything yet. <em>Subscribe</em> sends what matters to a webhook, a chat, by mail or to a command.`} />`;
}

function about(text) {
  const [what, value] = text.split(/:(.*)/s);
  if (what === "task") return html`<a href=${inBoard(`/t/${value}`)}>#${value}</a> and what comes from it`;
  return value ? `${what} ${value}` : "the whole board";
}

function Deliveries({ rows, again, empty }) {
  const columns = [
    { title: "Message", head: true, wide: true, cell: (row) => html`${row.task && html`<a href=${inBoard(`/t/${row.task}`)}>#${row.task}</a> `}${row.title}<small>${row.words}</small>` },
    { title: "About", cell: (row) => row.kind.replaceAll("_", " ") },
    { title: "Target", cell: (row) => row.target },
    { title: "State", cell: (row) => html`<${Chip} tone=${TONES[row.state] ?? "plain"}>${WORDS[row.state] ?? row.state}<//>${row.error && html`<small>${row.error}</small>`}` },
    { title: "Sends", number: true, cell: (row) => row.sends },
    { title: "When", cell: (row) => html`<${Moment} at=${row.ended_at ?? row.created_at} />${row.next_at && row.tries > 0 && html`<small>again in ${span(Date.parse(row.next_at) - minute.value)}</small>`}` },
    { title: "", cell: (row) => may("operator") && mayBeSent(row) && html`<${Button} small onClick=${() => act("delivery.retry", { id: row.id }, { done: "It is sent again" }).then(again)}>Send again<//>` },
  ];
  return html`<${Table} label="Messages" columns=${columns} rows=${rows} keyOf=${(row) => row.id} empty=${empty} />`;
}

function lookAgain(rows) {
  const waits = rows.filter(isOnItsWay).map((row) => (row.state === "waiting" && row.next_at ? Date.parse(row.next_at) - Date.now() : 0));
  return waits.length ? Math.min(Math.max(Math.min(...waits), 0) + SENDING_MS, WAITING_MS) : null;
}

function isOnItsWay(row) {
  return row.state === "sending" || row.state === "waiting";
}

/** Whether sending it again makes a difference: not before its first try, nor while it is on its way. */
function mayBeSent(row) {
  return row.state !== "sending" && row.state !== "carried" && (row.state !== "waiting" || row.tries > 0);
}
