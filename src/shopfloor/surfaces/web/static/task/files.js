// The files kept with a task: dropped or chosen to upload, fetched with a press, taken away after a question.

import { html, useEffect, useRef, useState } from "../core/dom.js";
import { attachmentUrl, removeAttachment, upload } from "../core/api.js";
import { may } from "../core/session.js";
import { refuse, toast } from "../core/toast.js";
import { ago, minute } from "../core/time.js";
import { Button, Dialog, Icon, IconButton, Time } from "../core/ui.js";
import { bytes, Section } from "./parts.js";

const MOST_BYTES = 25 * 1024 * 1024;

/** The files of a task; what is dropped anywhere on `zone` is taken. */
export function Files({ detail, zone, reload }) {
  const { task, attachments } = detail;
  const [coming, setComing] = useState([]);
  const [removing, setRemoving] = useState(null);
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
  const action = mine && html`<${Button} kind="quiet" small icon="clip" onClick=${() => chooser.current.click()}>Attach<//>`;
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
