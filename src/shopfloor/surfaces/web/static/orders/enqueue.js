// A new order: the command, when it starts, how often it may fail, and where it runs.

import { html, useState } from "../core/dom.js";
import { Button, Dialog, Field, Input } from "../core/ui.js";
import { act } from "../lists/table.js";
import { commandWords } from "../lists/words.js";

export function Enqueue({ onClose, onDone }) {
  const [line, setLine] = useState("");
  const [name, setName] = useState("");
  const [at, setAt] = useState("");
  const [retries, setRetries] = useState("0");
  const [runtime, setRuntime] = useState("");
  const argv = commandWords(line);
  const ready = argv?.length > 0 && /^\d{1,3}$/.test(retries);
  const save = async () => {
    if (!ready) return false;
    const args = {
      command: { argv }, retries: Number(retries),
      ...(name.trim() && { name: name.trim() }), ...(at && { at: new Date(at).toISOString() }), ...(runtime.trim() && { runtime: runtime.trim() }),
    };
    if ((await act("order.enqueue", args, { done: "Queued" })) === null) return false;
    onDone();
    return true;
  };
  return html`<${Dialog} title="New order" onClose=${onClose} onSubmit=${save}
      footer=${html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" disabled=${!ready}>Queue it<//>`}>
    <${Field} label="Command" error=${argv === null ? "A quote is still open." : null} hint="Its words as in a shell; no shell runs, so write sh -c '…' for one.">
      <${Input} value=${line} onValue=${setLine} placeholder="make report" autofocus spellcheck="false" class="input is-mono" /><//>
    <${Field} label="Name"><${Input} value=${name} onValue=${setName} placeholder="the command's own words" /><//>
    <${Field} label="Not before"><${Input} type="datetime-local" value=${at} onValue=${setAt} /><//>
    <${Field} label="Further attempts if it fails"><${Input} value=${retries} onValue=${setRetries} inputmode="numeric" /><//>
    <${Field} label="Runtime" hint="host, or container:IMAGE"><${Input} value=${runtime} onValue=${setRuntime} placeholder="host" spellcheck="false" /><//>
  <//>`;
}
