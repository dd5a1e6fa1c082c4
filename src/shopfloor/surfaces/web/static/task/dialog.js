// What a verb asks before it is carried out: a reason, a time, what becomes of the tasks that wait; and what it destroys.

import { html, useState } from "../core/dom.js";
import { Button, Dialog, Field, Icon, Input, Select, TextArea } from "../core/ui.js";
import { carryOut, labelOf, waited } from "./verbs.js";

const KINDS = [["needs_input", "It needs a decision"], ["capability", "It cannot be done as it is"], ["transient", "Something outside is away"]];
const CHILDREN = [["wait", "They go on waiting"], ["cancel", "They are cancelled, too"], ["go-on", "They go on without it"]];

/** A dialog for one verb; `onDone` is called when it was carried out. */
export function VerbDialog({ verb, detail, onClose, onDone }) {
  const { task } = detail;
  const [given, setGiven] = useState({ kind: "needs_input", children: "wait" });
  const [busy, setBusy] = useState(false);
  const fields = verb.fields.filter((name) => name !== "children" || waited(detail));
  const missing = fields.some((name) => name.endsWith("!") && !given[bare(name)]?.trim());
  const label = labelOf(verb, task);
  const set = (name) => (value) => setGiven((before) => ({ ...before, [name]: value }));
  const submit = async () => {
    if (missing) return false;
    setBusy(true);
    const done = await carryOut(verb, task, argumentsOf(fields, given));
    setBusy(false);
    if (done) onDone?.(done);
    return done !== null;
  };
  const warning = verb.warn?.(task);
  return html`<${Dialog} title=${`${label}: #${task.id} ${task.title}`} onClose=${onClose} onSubmit=${submit} footer=${html`
      <${Button} onClick=${onClose}>Back<//>
      <${Button} type="submit" kind=${verb.danger ? "danger" : "primary"} disabled=${missing || busy}>${label}<//>`}>
    ${warning && html`<p class="dialog-warning"><${Icon} name="alert" />${warning}</p>`}
    ${fields.map((name, at) => html`<${One} key=${name} name=${bare(name)} must=${name.endsWith("!")} given=${given} set=${set} first=${at === 0} />`)}
  <//>`;
}

const bare = (name) => name.replace("!", "");

function One({ name, must, given, set, first }) {
  const value = given[name] ?? "";
  const send = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), event.target.form.requestSubmit());
  if (name === "kind") return html`<${Field} label="Why"><${Select} value=${value} options=${KINDS} onValue=${set(name)} /><//>`;
  if (name === "children") return html`<${Field} label="The tasks that wait for it"><${Select} value=${value} options=${CHILDREN} onValue=${set(name)} /><//>`;
  if (name === "not_before") {
    return html`<${Field} label="Until" hint="Left empty, it is parked until somebody releases it.">
      <${Input} type="datetime-local" value=${value} onValue=${set(name)} autofocus=${first} /><//>`;
  }
  if (name === "pieces") {
    return html`<${Field} label="Sub-tasks, one a line" hint="End a line with @profile to say who does it. Left empty, the configured model splits it.">
      <${TextArea} value=${value} rows=${6} onValue=${set(name)} onKeyDown=${send} autofocus=${first} /><//>`;
  }
  const label = name === "summary" ? "What was done" : "Reason";
  return html`<${Field} label=${must ? label : `${label} (may be left empty)`}>
    <${TextArea} value=${value} rows=${3} required=${must} maxlength="4000" onValue=${set(name)} onKeyDown=${send} autofocus=${first} /><//>`;
}

function argumentsOf(fields, given) {
  const args = {};
  for (const name of fields.map(bare)) {
    const value = typeof given[name] === "string" ? given[name].trim() : given[name];
    if (!value) continue;
    if (name === "not_before") args[name] = new Date(value).toISOString();
    else if (name === "pieces") args[name] = pieces(value);
    else args[name] = value;
  }
  return args;
}

/** Lines as sub-tasks: "Write the parser @ada" is a title and an assignee. */
function pieces(text) {
  return text.split("\n").map((line) => line.replace(/^\s*(?:[-*]|\d+[.)])\s+/, "").trim()).filter(Boolean).map((line) => {
    const found = /^(.*\S)\s+@(\S+)$/.exec(line);
    return found ? { title: found[1], assignee: found[2] } : { title: line };
  });
}
