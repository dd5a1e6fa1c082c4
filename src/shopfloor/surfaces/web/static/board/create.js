// A new task: its title is enough; who or which command does it, what it waits for and when it starts may be said.

import { html, signal, useEffect, useSignal } from "../core/dom.js";
import { call, change } from "../core/api.js";
import { currentBoard, go } from "../core/route.js";
import { refuse, toast } from "../core/toast.js";
import { Button, Dialog, Field, Input, Select, TextArea } from "../core/ui.js";
import { addressOf } from "./card.js";
import { Profiles } from "./fields.js";

/** Open: what is known of the new task ({status, parents}); null: closed. */
export const creating = signal(null);

const EMPTY = {
  title: "", body: "", kind: "agent", command: "", priority: "0", tenant: "", parents: "", start: "now", at: "", reason: "", workspace: "scratch",
  path: "", branch: "", check: "", runtime: "", attempts: "", cost: "", tokens: "",
};
const STARTS = { triage: "idea", ready: "now", scheduled: "later" };

export function Create() {
  const given = creating.value;
  const form = useSignal({ ...EMPTY, start: STARTS[given.status] ?? "now", parents: (given.parents ?? []).map((id) => `#${id}`).join(", ") });
  const assignee = useSignal("");
  const profiles = useSignal([]);
  const problem = useSignal(null);
  const busy = useSignal(false);
  useEffect(() => { call("profile.list").then((list) => { profiles.value = list; }, () => {}); }, []);
  const close = () => { creating.value = null; };
  const set = (name) => (value) => { form.value = { ...form.value, [name]: value }; };
  const field = form.value;
  const submit = async (event) => {
    const another = event.submitter?.name === "another";
    const wrong = problemOf(field);
    if (wrong) {
      problem.value = wrong;
      return false;
    }
    busy.value = true;
    try {
      const made = await change("task.create", requestOf(field, assignee.value));
      toast(`#${made.task.id} is on the board: ${made.task.status}`, { action: { label: "Open", run: () => go(addressOf(made.task.id)) } });
      problem.value = null;
      if (!another) return true;
      // What was written on while it was sent is the next task's.
      const emptied = (name) => (form.value[name] === field[name] ? "" : form.value[name]);
      form.value = { ...form.value, title: emptied("title"), body: emptied("body") };
      document.querySelector("dialog .is-title")?.focus();
    } catch (refused) {
      if (creating.peek() === given) problem.value = { field: null, says: refused.message };
      else refuse(refused, `Creating “${field.title}”`);
    } finally {
      busy.value = false;
    }
    return false;
  };
  const wrong = (name) => (problem.value?.field === name ? problem.value.says : null);
  const footer = html`<${Button} type="submit" name="another" disabled=${busy.value}>Create and add another<//><${Button} type="submit" kind="primary" disabled=${busy.value}>Create<//>`;
  return html`<${Dialog} title=${`New task on ${currentBoard.value}`} wide onClose=${close} onSubmit=${submit} footer=${footer}>
    <input type="submit" hidden />
    ${problem.value && problem.value.field === null && html`<p class="warning" role="alert">${problem.value.says}</p>`}
    <${Field} label="Title" error=${wrong("title")}><${Input} class="input is-title" autofocus value=${field.title} onValue=${set("title")} maxlength="500" placeholder="What is to be done" /><//>
    <div class="form-row">
      <${Field} label="Done by"><${Select} value=${field.kind} onValue=${set("kind")} options=${[["agent", "An agent or a person"], ["command", "A command"]]} /><//>
      ${field.kind === "agent" && html`<${Profiles} chosen=${assignee} profiles=${profiles.value} />`}
    </div>
    ${field.kind === "command" && html`<${Field} label="Command" hint="Run by a shell in the task's workspace; exit status 0 means done." error=${wrong("command")}><${Input} value=${field.command} onValue=${set("command")} class="input is-code" spellcheck=${false} /><//>`}
    <${Field} label="What a worker has to know" hint="Markdown"><${TextArea} value=${field.body} onValue=${set("body")} rows="5" /><//>
    <div class="form-row">
      <${Field} label="Start"><${Select} value=${field.start} onValue=${set("start")} options=${[["now", "As soon as there is room"], ["later", "Later"], ["idea", "Not yet: it is an idea"], ["parked", "Not before a person says so"]]} /><//>
      ${field.start === "later" && html`<${Field} label="Not before" error=${wrong("at")}><${Input} type="datetime-local" value=${field.at} onValue=${set("at")} /><//>`}
      ${field.start === "parked" && html`<${Field} label="Why" error=${wrong("reason")}><${Input} value=${field.reason} onValue=${set("reason")} /><//>`}
      <${Field} label="Priority"><${Input} type="number" value=${field.priority} onValue=${set("priority")} /><//>
    </div>
    <div class="form-row">
      <${Field} label="Waits for" hint="Numbers of tasks that must be done first" error=${wrong("parents")}><${Input} value=${field.parents} onValue=${set("parents")} placeholder="#3, #4" /><//>
      <${Field} label="Tenant" hint="Whom it is for"><${Input} value=${field.tenant} onValue=${set("tenant")} /><//>
    </div>
    <details class="more"><summary>Workspace, check and limits</summary><div class="more-fields"><${More} field=${field} set=${set} wrong=${wrong} /></div></details>
  <//>`;
}

function More({ field, set, wrong }) {
  return html`<div class="form-row">
      <${Field} label="Workspace"><${Select} value=${field.workspace} onValue=${set("workspace")} options=${[["scratch", "A folder of its own"], ["dir", "A directory"], ["worktree", "A git worktree"]]} /><//>
      ${field.workspace !== "scratch" && html`<${Field} label="Path" hint="On the board's host; left out, the board's own" error=${wrong("path")}><${Input} value=${field.path} onValue=${set("path")} class="input is-code" placeholder="/absolute/path" /><//>`}
      ${field.workspace === "worktree" && html`<${Field} label="Branch"><${Input} value=${field.branch} onValue=${set("branch")} class="input is-code" /><//>`}
    </div>
    <${Field} label="Check" hint="A command that decides between done and one more attempt"><${Input} value=${field.check} onValue=${set("check")} class="input is-code" spellcheck=${false} /><//>
    <div class="form-row">
      <${Field} label="Longest attempt, minutes"><${Input} type="number" min="1" value=${field.runtime} onValue=${set("runtime")} /><//>
      <${Field} label="Attempts at most"><${Input} type="number" min="1" value=${field.attempts} onValue=${set("attempts")} /><//>
      <${Field} label="Cost at most, US$"><${Input} type="number" min="0" step="any" value=${field.cost} onValue=${set("cost")} /><//>
      <${Field} label="Tokens at most"><${Input} type="number" min="1" value=${field.tokens} onValue=${set("tokens")} /><//>
    </div>`;
}

/** What is wrong with the form, as {field, says}; null where it can be sent. */
function problemOf(field) {
  if (!field.title.trim()) return { field: "title", says: "A task needs a title that says what is to be done." };
  if (field.kind === "command" && !field.command.trim()) return { field: "command", says: "Which command does it?" };
  if (field.start === "later" && !field.at) return { field: "at", says: "When does it come due?" };
  if (field.parents.trim() && !parentsOf(field)) return { field: "parents", says: "Numbers of tasks, as #3, #4." };
  return null;
}

function parentsOf(field) {
  const words = field.parents.split(/[\s,]+/).filter(Boolean);
  return words.every((word) => /^#?\d+$/.test(word)) ? words.map((word) => Number(word.replace("#", ""))) : null;
}

/** The request that the form means; what was left out is left to the server. */
function requestOf(field, assignee) {
  const shell = (line) => ["sh", "-c", line];
  const path = field.workspace !== "scratch" && field.path.trim() ? `:${field.path.trim()}` : "";
  const request = {
    title: field.title.trim(), body: field.body, priority: Number(field.priority) || 0, workspace: `${field.workspace}${path}`,
    assignee: field.kind === "agent" && assignee ? assignee : null, command: field.kind === "command" ? { argv: shell(field.command) } : null,
    tenant: field.tenant.trim() || null, parents: parentsOf(field) ?? [], check: field.check.trim() ? shell(field.check) : null,
    branch: field.workspace === "worktree" && field.branch.trim() ? field.branch.trim() : null,
    not_before: field.start === "later" ? new Date(field.at).toISOString() : null,
    initial_status: { idea: "triage", parked: "blocked" }[field.start] ?? null, reason: field.start === "parked" && field.reason.trim() ? field.reason.trim() : null,
    max_runtime_ms: field.runtime ? Math.round(Number(field.runtime) * 60_000) : null, max_attempts: field.attempts ? Number(field.attempts) : null,
    max_cost: field.cost ? Number(field.cost) : null, max_tokens: field.tokens ? Number(field.tokens) : null,
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null));
}
