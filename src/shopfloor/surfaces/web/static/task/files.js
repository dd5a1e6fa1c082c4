// The files kept with a task: dropped, chosen to upload, or fetched from the web; opened with a press, taken away after a question.

import { html, useEffect, useRef, useState } from "../core/dom.js";
import { attachmentUrl, call, freshId, removeAttachment, upload } from "../core/api.js";
import { may } from "../core/session.js";
import { refuse, toast } from "../core/toast.js";
import { ago, minute } from "../core/time.js";
import { Button, Dialog, Field, Icon, IconButton, Input, Time } from "../core/ui.js";
import { bytes, Section } from "./parts.js";

const MOST_BYTES = 25 * 1024 * 1024;

/** The files of a task; what is dropped anywhere on `zone` is taken. */
export function Files({ detail, zone, reload }) {
  const { task, attachments } = detail;
  const [coming, setComing] = useState([]);
  const [removing, setRemoving] = useState(null);
  const [naming, setNaming] = useState(false);
  const chooser = useRef(null);
  const mine = may("operator");
  const take = (files) => Promise.all(files.map((file) => send(task.id, file, setComing))).then(reload);
  const over = useDrop(zone, mine ? take : null);
  const chosen = (event) => {
    take([...event.target.files]);
    event.target.value = "";
  };
  const remove = async () => {
    const name = removing;
    setRemoving(null);
    try {
      await removeAttachment(task.id, name);
      toast(`${name} is gone`);
      reload();
    } catch (refused) {
      refuse(refused, `Removing ${name}`);
    }
  };
  const action = mine && html`
    <${Button} kind="quiet" small icon="link" onClick=${() => setNaming(true)}>From the web<//>
    <${Button} kind="quiet" small icon="clip" onClick=${() => chooser.current.click()}>Attach<//>`;
  return html`<${Section} title="Files" count=${attachments.length} id="task-files" action=${action}>
    <input ref=${chooser} type="file" multiple hidden aria-label="Files to attach" onChange=${chosen} />
    ${attachments.length > 0 && html`<ul class="files">${attachments.map((file) => html`<li key=${file.name} class="file">
      <${Icon} name="clip" />
      <a href=${attachmentUrl(task.id, file.name)} download=${file.name} title=${`${file.path}\nsha256 ${file.sha256}`}>${file.name}</a>
      <span class="file-facts">${bytes(file.size)} · ${file.creator} · <${Time} at=${file.created_at}>${ago(file.created_at, minute.value)} ago<//></span>
      ${mine && html`<${IconButton} icon="trash" small label=${`Remove ${file.name}`} onClick=${() => setRemoving(file.name)} />`}
    </li>`)}</ul>`}
    ${coming.map((one) => html`<p key=${one.key} class="file is-coming" role="status"><span class="busy-dot" aria-hidden="true" />${one.name} is uploaded (${bytes(one.size)})</p>`)}
    ${mine && !attachments.length && !coming.length && html`<p class="part-none">Drop files on this page to keep them with the task.</p>`}
    ${over && html`<div class="drop" aria-hidden="true"><${Icon} name="clip" size="28" /><span>Drop to keep with #${task.id}</span></div>`}
    ${naming && html`<${FromTheWeb} task=${task.id} reload=${reload} onClose=${() => setNaming(false)} />`}
    ${removing !== null && html`<${Dialog} title="Remove a file" onClose=${() => setRemoving(null)} onSubmit=${remove} footer=${html`
        <${Button} onClick=${() => setRemoving(null)}>Back<//><${Button} type="submit" kind="danger">Remove<//>`}>
      <p><b>${removing}</b> is deleted from the board. This cannot be undone.</p><//>`}
  <//>`;
}

let sent = 0;

async function send(task, file, setComing) {
  if (file.size > MOST_BYTES) {
    toast(`${file.name} has ${bytes(file.size)}, and a file has at most ${bytes(MOST_BYTES)}`, { kind: "refused" });
    return;
  }
  sent += 1;
  const one = { key: sent, name: file.name, size: file.size };
  setComing((others) => [...others, one]);
  try {
    await upload(task, file);
    toast(`${file.name} is kept with #${task}`);
  } catch (refused) {
    refuse(refused, `Uploading ${file.name}`);
  }
  setComing((others) => others.filter((other) => other.key !== one.key));
}

/** Asks for an address, which the board's machine fetches; what went wrong is said beside it, and what was typed stays. */
function FromTheWeb({ task, reload, onClose }) {
  const [url, setUrl] = useState("");
  const [wrong, setWrong] = useState(null);
  const [busy, setBusy] = useState(false);
  const shown = useRef(true);
  // Sent again after a broken connection, the same address is attached once.
  const id = useRef(freshId());
  useEffect(() => () => { shown.current = false; }, []);
  const typed = (text) => {
    id.current = freshId();
    setUrl(text);
    setWrong(null);
  };
  const get = async () => {
    setBusy(true);
    setWrong(null);
    try {
      const kept = await call("task.attach", { id: task, url: url.trim() }, { id: id.current });
      toast(`${kept.name} is kept with #${task}`);
      reload();
      return true;
    } catch (refused) {
      if (shown.current) setWrong(refused.message);
      else refuse(refused, `Fetching ${url.trim()}`);
      setBusy(false);
      return false;
    }
  };
  const footer = html`<${Button} onClick=${onClose}>${busy ? "Close" : "Back"}<//><${Button} type="submit" kind="primary" disabled=${busy || !url.trim()}>Attach it<//>`;
  return html`<${Dialog} title="Attach a file from the web" onClose=${onClose} onSubmit=${get} footer=${footer}>
    <${Field} label="Address" error=${wrong} hint="A public address, http:// or https://; the board's machine fetches it within a minute.">
      <${Input} value=${url} onValue=${typed} type="url" autofocus readonly=${busy} placeholder="https://" /><//>
    ${busy && html`<p class="file is-coming" role="status"><span class="busy-dot" aria-hidden="true" />It is fetched; you may close this meanwhile</p>`}
  <//>`;
}

/** Whether files are held over a place; what is dropped is given to `take`. */
function useDrop(zone, take) {
  const [over, setOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const place = zone.current;
    if (!place) return undefined;
    const carries = (event) => latest.current && event.dataTransfer?.types.includes("Files");
    const on = {
      dragover: (event) => {
        if (!carries(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        setOver(true);
      },
      dragleave: (event) => !place.contains(event.relatedTarget) && setOver(false),
      drop: (event) => {
        setOver(false);
        if (!carries(event)) return;
        event.preventDefault();
        latest.current([...event.dataTransfer.files]);
      },
    };
    for (const [name, fn] of Object.entries(on)) place.addEventListener(name, fn);
    return () => { for (const [name, fn] of Object.entries(on)) place.removeEventListener(name, fn); };
  }, []);
  return over;
}
