// The verbs of a task: which there are in its status is the lifecycle's table (core/lifecycle.js); here is how each is
// called and drawn, what it asks for, which key it has, and how it is taken back.

import { RULES } from "../core/lifecycle.js";
import { may } from "../core/session.js";
import { act } from "./act.js";

const always = () => true;
const running = (task) => task.status === "running";

// `first` are the statuses in which a verb is a button of its own; elsewhere it is in the menu.  `ask` says that it
// opens a dialog first, with the `fields`; a field with ! must be filled in.  `back` is the operation that undoes it.
export const VERBS = [
  { op: "task.complete", label: (task) => (task.status === "review" ? "Approve" : "Complete"), icon: "check", key: "a", first: ["review"],
    done: (task) => `#${task.id} is done`, back: "task.reopen", ask: (task) => task.status !== "review", fields: ["summary"],
    warn: (task) => (running(task) ? "Its worker is stopped, and its check is skipped." : null) },
  { op: "task.request_changes", label: "Return", icon: "undo", key: "r", first: ["review"], ask: always, fields: ["reason!"],
    done: (task) => `#${task.id} was returned` },
  { op: "task.specify", label: "Make it a task", icon: "play", key: "s", first: ["triage"], args: { by: "hand" }, done: (task) => `#${task.id} is a task now` },
  { op: "task.decompose", label: "Split", icon: "split", first: ["triage"], ask: always, fields: ["pieces"], done: (task) => `#${task.id} was split` },
  { op: "task.unblock", label: (task) => (task.block_kind === "gave_up" ? "Try again" : task.status === "scheduled" ? "Release" : "Unblock"),
    icon: "play", key: "s", first: ["blocked", "scheduled"], done: (task) => `#${task.id} goes on` },
  { op: "task.promote", label: (task) => (task.status === "todo" ? "Start anyway" : "Make ready"), icon: "play", key: "s", first: ["todo"],
    ask: (task) => task.status === "todo", args: (task) => ({ force: task.status === "todo" }), done: (task) => `#${task.id} is ready`,
    warn: (task) => (task.status === "todo" ? "It starts although what it waits for is unfinished. That is written down." : null) },
  { op: "task.reopen", label: "Reopen", icon: "refresh", key: "s", first: ["done", "cancelled"], done: (task) => `#${task.id} is open again` },
  { op: "task.unarchive", label: "Bring back", icon: "refresh", key: "s", first: ["archived"], done: (task) => `#${task.id} is back`, back: "task.archive" },
  { op: "run.terminate", extra: running, label: "Stop", icon: "stop", key: ".", first: ["running"], danger: true, ask: always, fields: ["reason"],
    done: (task) => `The worker of #${task.id} is stopped`, warn: () => "Its worker is killed, and the task is paused until you resume it." },
  { op: "task.reclaim", label: "Take it back", icon: "undo", danger: true, ask: always, fields: ["reason"], done: (task) => `#${task.id} is in its queue again`,
    warn: () => "Its worker is killed, and the task goes back to its queue; that is nobody's failure." },
  { op: "dispatch.resume", extra: (task, why) => why.code === "task_paused", label: "Resume", icon: "play", key: "s", first: ["ready", "review"],
    whole: (task) => ({ ids: [task.id] }), done: (task) => `#${task.id} may start again` },
  { op: "dispatch.bypass", extra: (task) => task.status === "ready" || task.status === "review", label: "Skip what holds it", icon: "right",
    done: (task) => `#${task.id} may start in spite of its guards` },
  { op: "dispatch.pause", extra: (task, why) => ["todo", "ready", "running", "review", "scheduled"].includes(task.status) && why.code !== "task_paused",
    label: "Pause", icon: "pause", whole: (task) => ({ ids: [task.id] }), done: (task) => `#${task.id} is paused` },
  { op: "task.block", label: "Block", icon: "pause", ask: always, fields: ["reason!", "kind"], done: (task) => `#${task.id} is blocked`, back: "task.unblock",
    warn: (task) => (running(task) ? "Its worker is stopped." : null) },
  { op: "task.schedule", label: "Park", icon: "schedules", ask: always, fields: ["not_before", "reason"], done: (task) => `#${task.id} is parked`,
    back: "task.unblock", warn: (task) => (running(task) ? "Its worker is stopped." : null) },
  null,
  { op: "task.cancel", label: "Cancel", icon: "close", danger: true, ask: always, fields: ["reason", "children"], done: (task) => `#${task.id} is cancelled`,
    back: "task.reopen", warn: (task) => (running(task) ? "Its worker is stopped." : null) },
  { op: "task.archive", label: "Archive", icon: "archive", ask: (task, detail) => running(task) || waited(detail), fields: ["children"],
    done: (task) => `#${task.id} is archived`, back: "task.unarchive", warn: (task) => (running(task) ? "Its worker is stopped." : null) },
  { op: "task.delete", label: "Delete", icon: "trash", danger: true, ask: always, fields: ["children"], done: (task) => `#${task.id} is gone`,
    warn: () => "The task goes with its attempts, comments, files and history. This cannot be undone." },
];

const OPEN = ["triage", "todo", "scheduled", "ready", "running", "review", "blocked"];

/** Whether unfinished tasks wait for this unfinished one, so that ending it needs a word about them. */
export function waited({ task, children }) {
  return OPEN.includes(task.status) && children.some((child) => !child.waived && OPEN.includes(child.status));
}

/** The verbs that may be tried on a task now, in their order; null stands between groups. */
export function verbsOf(detail) {
  if (!may("operator")) return [];
  const { task, why } = detail;
  const allowed = new Set(RULES.filter((rule) => rule.from === task.status).map((rule) => rule.op));
  return VERBS.filter((verb) => verb === null || (verb.extra ? verb.extra(task, why) : allowed.has(verb.op)));
}

/** A verb's name for this task. */
export function labelOf(verb, task) {
  return typeof verb.label === "function" ? verb.label(task) : verb.label;
}

/** Carry a verb out with what its dialog gave. */
export function carryOut(verb, task, given = {}) {
  const own = typeof verb.args === "function" ? verb.args(task) : verb.args;
  const args = verb.whole ? verb.whole(task) : { id: task.id, ...own, ...given };
  const undo = verb.back && { op: verb.back, args: { id: task.id }, done: `#${task.id}: taken back` };
  return act(verb.op, args, { done: verb.done(task), undo, what: `${labelOf(verb, task)} #${task.id}` });
}
