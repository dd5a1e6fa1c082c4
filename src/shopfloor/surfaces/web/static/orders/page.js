// Work orders: one command each, with its life in an order's own words, and what may be done about it.

import { html, useState } from "../core/dom.js";
import { inBoard } from "../core/route.js";
import { may } from "../core/session.js";
import { longSpan, minute, span } from "../core/time.js";
import { Button, Chip, Field, Input, Select } from "../core/ui.js";
import { act, ListPage, Moment, Reading, Table } from "../lists/table.js";
import { useRead } from "../lists/read.js";
import { commandLine } from "../lists/words.js";
import { Enqueue } from "./enqueue.js";

const TONES = { queued: "plain", running: "blue", retry_scheduled: "warn", completed: "good", failed: "late", cancelled: "plain" };
const STATES = [["", "All"], ...Object.keys(TONES).map((state) => [state, words(state)])];
const VERBS = {
  queued: [["order.retry", "Start now"], ["order.cancel", "Cancel"]],
  running: [["order.cancel", "Cancel"]],
  retry_scheduled: [["order.retry", "Start now"], ["order.cancel", "Cancel"]],
  failed: [["order.resume", "Enter again"]],
  cancelled: [["order.resume", "Enter again"]],
};
const PAGE = 50;

export function OrdersPage() {
  const [state, setState] = useState("");
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const [adding, setAdding] = useState(false);
  const orders = useRead("order.query", { limit, ...(state && { states: [state] }), ...(text.trim() && { text: text.trim() }) });
  const narrowed = state !== "" || text.trim() !== "";
  return html`<${ListPage} title="Orders" about="Single commands: queued, run, tried again, and kept with proof of how they ended." add=${{ label: "New order", run: () => setAdding(true) }}>
    <div class="list-filters">
      <${Field} label="State"><${Select} value=${state} onValue=${setState} options=${STATES} /><//>
      <${Field} label="Words"><${Input} value=${text} onValue=${setText} placeholder="in name or command" /><//>
    </div>
    <${Reading} of=${orders}>${(found) => html`
      <${Orders} rows=${found.items} again=${orders.read} narrowed=${narrowed} />
      ${found.next && html`<p><${Button} onClick=${() => setLimit(limit + PAGE)}>Show more<//></p>`}`}<//>
    ${adding && html`<${Enqueue} onClose=${() => setAdding(false)} onDone=${orders.read} />`}
  <//>`;
}

function words(state) {
  return state.replaceAll("_", " ");
}

function Orders({ rows, again, narrowed }) {
  const columns = [
    { title: "Order", head: true, wide: true, cell: (row) => html`<a href=${inBoard(`/t/${row.id}`)}>#${row.id}</a> ${row.title}${row.title !== commandLine(row.argv) && html`<small><code>${commandLine(row.argv)}</code></small>`}` },
    { title: "State", cell: (row) => html`<${Chip} tone=${TONES[row.state] ?? "plain"}>${words(row.state)}<//>${row.state !== "completed" && row.error && html`<small>${row.error}</small>`}` },
    { title: "Attempts", number: true, cell: (row) => (row.max_attempts ? `${row.attempts} of ${row.max_attempts}` : row.attempts) },
    { title: "Exit", number: true, cell: (row) => row.exit_code ?? (row.exit_signal ? `signal ${row.exit_signal}` : "") },
    { title: "Took", number: true, cell: (row) => (row.started_at && row.ended_at ? longSpan(Date.parse(row.ended_at) - Date.parse(row.started_at)) : "") },
    { title: "When", cell: (row) => html`<${Moment} at=${row.ended_at ?? row.started_at ?? row.created_at} />${row.next_at && !row.ended_at && html`<small>due in ${span(Date.parse(row.next_at) - minute.value)}</small>`}` },
    { title: "", cell: (row) => may("operator") && (VERBS[row.state] ?? []).map(([op, label]) => html`<${Button} small onClick=${() => act(op, { id: row.id }).then(again)}>${label}<//>`) },
  ];
  return html`<${Table} label="Orders" columns=${columns} rows=${rows} keyOf=${(row) => row.id} empty=${narrowed ? "No order of this kind." : html`Nothing was ordered yet. <em>New order</em> queues a command, and so does <code>shop order enqueue -- COMMAND</code> in a shell.`} />`;
}
