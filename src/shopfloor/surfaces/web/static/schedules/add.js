// A new schedule: when, told back in its next due times while it is written; and what it puts on the board.

import { html, useEffect, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { shortTime } from "../core/time.js";
import { Button, Dialog, Field, Input, Select } from "../core/ui.js";
import { act } from "../lists/table.js";
import { commandWords } from "../lists/words.js";

const OVERLAPS = [["skip", "Skip this time"], ["queue", "Wait behind it"], ["allow", "Run both"]];
const MISSED = [["last", "Make up for the last"], ["none", "Make up for none"], ["all", "Make up for all"]];
const PAUSE_MS = 250;

export function AddSchedule({ onClose, onDone }) {
  const [rule, setRule] = useState("");
  const [title, setTitle] = useState("");
  const [line, setLine] = useState("");
  const [assignee, setAssignee] = useState("");
  const [overlap, setOverlap] = useState("skip");
  const [missed, setMissed] = useState("last");
  const preview = usePreview(rule);
  const argv = commandWords(line);
  const ready = rule.trim() && !preview.error && argv !== null && (title.trim() || argv.length > 0);
  const save = async () => {
    if (!ready) return false;
    const args = {
      rule: rule.trim(), title: title.trim(), overlap, missed,
      ...(argv.length > 0 && { command: { argv } }), ...(assignee.trim() && { assignee: assignee.trim() }),
    };
    if ((await act("schedule.add", args, { done: "Scheduled" })) === null) return false;
    onDone();
    return true;
  };
  return html`<${Dialog} title="New schedule" onClose=${onClose} onSubmit=${save}
      footer=${html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" disabled=${!ready}>Add it<//>`}>
    <${Field} label="When" error=${preview.error} hint=${preview.words || "weekdays at 9, every 90m, at 2026-12-01T09:00, or a cron expression"}>
      <${Input} value=${rule} onValue=${setRule} placeholder="every day at 9" autofocus spellcheck="false" /><//>
    <${Field} label="Task"><${Input} value=${title} onValue=${setTitle} placeholder="What is to be done" /><//>
    <${Field} label="Command" error=${argv === null ? "A quote is still open." : null} hint="For a work order; without one the task is for a profile.">
      <${Input} value=${line} onValue=${setLine} spellcheck="false" class="input is-mono" /><//>
    <${Field} label="Profile"><${Input} value=${assignee} onValue=${setAssignee} /><//>
    <${Field} label="While the one before is unfinished"><${Select} value=${overlap} onValue=${setOverlap} options=${OVERLAPS} /><//>
    <${Field} label="Of times that passed while nothing ran"><${Select} value=${missed} onValue=${setMissed} options=${MISSED} /><//>
  <//>`;
}

/** How the board understands a rule: its next times, or what is wrong with it. */
function usePreview(rule) {
  const [told, setTold] = useState({ rule, words: "", error: null });
  useEffect(() => {
    if (!rule.trim()) {
      setTold({ rule, words: "", error: null });
      return undefined;
    }
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const found = await call("schedule.preview", { rule: rule.trim() }, { signal: asked.signal });
        setTold({ rule, words: `Next: ${found.upcoming.map(shortTime).join("; ")} (${found.zone})`, error: null });
      } catch (refused) {
        if (refused.name !== "AbortError") setTold({ rule, words: "", error: refused.message });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [rule]);
  // What was told of another rule says nothing of this one; what is wrong with it the server says when it is added.
  return told.rule === rule ? told : { words: told.error === null ? told.words : "", error: null };
}
