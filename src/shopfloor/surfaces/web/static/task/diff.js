// What was changed in a task's worktree: the files with their figures, and each file's change in colours.

import { html, useEffect, useState } from "../core/dom.js";
import { call, isPassing } from "../core/api.js";
import { Busy, Button, Empty, Icon } from "../core/ui.js";
import { Copy, tail } from "./parts.js";

const OPEN_LINES = 400;
const LINES_MOST = 5000;

export function Diff({ detail }) {
  const [found, setFound] = useState(null);
  const [round, setRound] = useState(0);
  const { id } = detail.task;
  const last = detail.runs[0]?.id;
  const ended = detail.runs[0]?.ended_at;
  const tree = detail.task.workspace_kind === "worktree" && detail.runs.length > 0;
  useEffect(() => {
    if (!tree) return undefined;
    const stop = new AbortController();
    call("task.diff", { id }, { signal: stop.signal }).then((diff) => setFound({ diff, files: read(diff.text) }),
      (refused) => refused.name !== "AbortError" && setFound((before) => (before?.diff && isPassing(refused) ? before : { refused })));
    return () => stop.abort();
  }, [id, tree, last, ended, round]);
  if (!tree) return html`<${Empty} title="No change to show" icon="branch">Only a git worktree knows what it began from, once something ran in it.<//>`;
  if (!found) return html`<${Busy} label="Comparing" />`;
  if (found.refused) return html`<${Empty} title="No change to show" icon="branch">${found.refused.message}<//>`;
  const { diff, files } = found;
  const sum = (name) => files.reduce((total, file) => total + file[name], 0);
  return html`<div class="diff">
    <div class="diff-bar">
      <span>${files.length} ${files.length === 1 ? "file" : "files"}</span><${Figures} added=${sum("added")} removed=${sum("removed")} />
      <span class="log-path" title=${diff.workspace}><code>${tail(diff.workspace)}</code><${Copy} text=${diff.workspace} label="Copy the path of the worktree" /></span>
      <${Button} kind="quiet" small icon="refresh" onClick=${() => setRound(round + 1)}>Compare again<//>
    </div>
    ${!files.length && html`<p class="part-none">Nothing differs from <code>${diff.base.slice(0, 12)}</code>.</p>`}
    ${files.map((file) => html`<${File} key=${file.name} file=${file} />`)}
    ${diff.truncated && html`<p class="log-cut">The change is longer than what is shown; see <code>git diff ${diff.base.slice(0, 12)}</code> in the worktree.</p>`}
  </div>`;
}

function Figures({ added, removed }) {
  return html`<span class="diff-figures"><ins aria-label=${`${added} lines added`}>+${added}</ins> <del aria-label=${`${removed} lines removed`}>−${removed}</del></span>`;
}

function File({ file }) {
  const [open, setOpen] = useState(file.lines.length <= OPEN_LINES);
  return html`<details class="diff-file" open=${open} onToggle=${(event) => setOpen(event.target.open)}>
    <summary><span class="diff-name">${file.name}</span>${file.note && html`<span class="diff-note">${file.note}</span>`}<${Figures} added=${file.added} removed=${file.removed} /></summary>
    ${open && html`<pre class="diff-text" tabindex="0" aria-label=${`Change of ${file.name}`}>${file.lines.slice(0, LINES_MOST).map((line) => html`<span class=${kindOf(line)}>${line || " "}</span>`)}</pre>
      ${file.lines.length > LINES_MOST && html`<p class="log-cut"><${Icon} name="info" />${file.lines.length - LINES_MOST} more lines are not shown.</p>`}`}
  </details>`;
}

function kindOf(line) {
  if (line.startsWith("@@")) return "diff-line is-place";
  if (line.startsWith("+")) return "diff-line is-added";
  if (line.startsWith("-")) return "diff-line is-removed";
  return "diff-line";
}

/** The files of a change as git writes it. */
export function read(text) {
  const files = [];
  let file = null;
  let inside = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("diff --git ")) {
      file = { name: nameOf(line), note: "", added: 0, removed: 0, lines: [] };
      files.push(file);
      inside = false;
    } else if (!file) continue;
    else if (line.startsWith("@@")) {
      inside = true;
      file.lines.push(line);
    } else if (inside) {
      if (line.startsWith("+")) file.added += 1;
      if (line.startsWith("-")) file.removed += 1;
      file.lines.push(line);
    } else file.note ||= noteOf(line);
  }
  for (const one of files) if (one.lines.at(-1) === "") one.lines.pop();
  return files;
}

function nameOf(line) {
  const found = /^diff --git "?a\/(.*?)"? "?b\/(.*?)"?$/.exec(line);
  return found ? found[2] : line.slice("diff --git ".length);
}

function noteOf(line) {
  if (line.startsWith("new file")) return "new";
  if (line.startsWith("deleted file")) return "deleted";
  if (line.startsWith("rename from ")) return `was ${line.slice("rename from ".length)}`;
  if (line.startsWith("Binary files")) return "binary";
  return "";
}
