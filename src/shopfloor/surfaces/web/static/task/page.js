// A task's page: a drawer beside the board, and the whole screen on a phone.
//
// The top tells what is so and what can be done; below are the tabs.  The tab stands in the address, so that a link
// can point at a log.

import { html, useEffect, useRef } from "../core/dom.js";
import { go, inBoard, route, setQuery } from "../core/route.js";
import { sheet } from "../core/sheet.js";
import { Busy, Empty } from "../core/ui.js";
import { useTaskCommands } from "./act.js";
import { Attempts } from "./attempts.js";
import { Description } from "./body.js";
import { Diagnostics } from "./diagnostics.js";
import { Diff } from "./diff.js";
import { Files } from "./files.js";
import { Facts, Head } from "./head.js";
import { History } from "./history.js";
import { Links } from "./links.js";
import { Log } from "./log.js";
import { Markdown } from "./parts.js";
import { useTask } from "./state.js";
import { Comments, Questions } from "./talk.js";

await Promise.all([sheet("task"), sheet("task-more")]);

const TABS = [
  { id: "task", title: "Task", key: "t" },
  { id: "attempts", title: "Attempts", key: "Shift+A" },
  { id: "log", title: "Log", key: "l" },
  { id: "diff", title: "Diff", key: "d" },
  { id: "history", title: "History", key: "Shift+H" },
];

export function TaskPage({ params }) {
  const id = Number(params.task);
  const { detail, refused, reload } = useTask(id);
  const zone = useRef(null);
  const close = () => {
    go(inBoard("") + boardQuery());
    // Who came from a card goes on from there.
    setTimeout(() => document.getElementById(`card-${id}`)?.focus({ preventScroll: true }));
  };
  const tab = TABS.find((one) => one.id === route.value.query.get("tab")) ?? TABS[0];
  useTaskCommands(() => [
    { id: "task.close", title: "Close the task", keys: ["Escape"], run: close },
    { id: "task.graph", title: "Show its graph", keys: ["Shift+G"], run: () => go(inBoard(`/graph/${id}`)) },
    ...TABS.map((one) => ({ id: `task.tab.${one.id}`, title: `Show: ${one.title}`, keys: [one.key], run: () => show(one) })),
  ], [id]);
  useEffect(() => { zone.current?.focus({ preventScroll: true }); }, [id]);
  return html`<div ref=${zone} class="task" tabindex="-1" role="group" aria-label=${`Task ${params.task}`}>
    ${refused ? html`<${Empty} title=${refused.code === "not_found" ? `There is no task #${params.task}` : "The task cannot be shown"} icon="alert">
        <p>${refused.message}</p><p><a href=${inBoard("")}>To the board</a></p><//>`
      : detail ? html`
        <${Head} detail=${detail} onClose=${close} onGone=${close} />
        <${Tabs} tab=${tab} detail=${detail} />
        <div class="task-body" role="tabpanel" id="task-panel" aria-labelledby=${`task-tab-${tab.id}`}>
          <${Shown} tab=${tab.id} detail=${detail} zone=${zone} reload=${reload} />
        </div>` : html`<${Busy} label="Opening the task" />`}
  </div>`;
}

/** The board's own filters stay in the address while a task is open. */
function boardQuery() {
  const query = new URLSearchParams(location.search);
  query.delete("tab");
  const text = query.toString();
  return text ? `?${text}` : "";
}

function show(tab) {
  setQuery({ tab: tab.id === TABS[0].id ? null : tab.id });
}

function Tabs({ tab, detail }) {
  const counts = { attempts: detail.runs.length };
  const onKey = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = TABS[(TABS.indexOf(tab) + steps[event.key] + TABS.length) % TABS.length];
    show(next);
    document.getElementById(`task-tab-${next.id}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Parts of the task" onKeyDown=${onKey}>
    ${TABS.map((one) => html`<button key=${one.id} id=${`task-tab-${one.id}`} type="button" role="tab" aria-selected=${one === tab} aria-controls="task-panel"
        tabindex=${one === tab ? "0" : "-1"} onClick=${() => show(one)}>${one.title}${counts[one.id] ? html`<span class="part-count">${counts[one.id]}</span>` : null}</button>`)}
  </div>`;
}

function Shown({ tab, detail, zone, reload }) {
  if (tab === "attempts") return html`<${Attempts} detail=${detail} />`;
  if (tab === "log") return html`<${Log} detail=${detail} />`;
  if (tab === "diff") return html`<${Diff} detail=${detail} />`;
  if (tab === "history") return html`<${History} detail=${detail} />`;
  return html`
    <${Diagnostics} detail=${detail} />
    <${Questions} detail=${detail} />
    <${Handoff} task=${detail.task} />
    <${Description} task=${detail.task} />
    <${Facts} detail=${detail} />
    <${Links} detail=${detail} />
    <${Files} detail=${detail} zone=${zone} reload=${reload} />
    <${Comments} detail=${detail} />`;
}

/** What the last worker handed over, or what went wrong last. */
function Handoff({ task }) {
  if (task.status === "review" || task.status === "done") {
    const told = task.summary ?? task.result;
    return told ? html`<blockquote class="handoff"><b>${task.status === "review" ? "Ready for review" : "Done"}</b><${Markdown} text=${told} /></blockquote>` : null;
  }
  return task.last_error && task.failures > 0 && task.block_kind !== "gave_up" ? html`<blockquote class="handoff is-wrong"><b>The last attempt failed</b><pre>${task.last_error}</pre></blockquote>` : null;
}
