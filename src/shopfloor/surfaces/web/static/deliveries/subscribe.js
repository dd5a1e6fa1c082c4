// Subscribing: where to, of what, and when.

import { html, useState } from "../core/dom.js";
import { Button, Dialog, Field, Input, Select, Toggle } from "../core/ui.js";
import { act } from "../lists/table.js";

const SCHEMES = [
  ["webhook:", "Webhook", "https://example.org/hook"],
  ["apprise:", "Apprise (mail, Slack, Discord, …)", "mailto://user:password@example.org"],
  ["command:", "Command of the configuration", "its name in [sinks]"],
  ["chat:", "Chat", "telegram/12345"],
  ["desktop:", "Desktop of the host", ""],
];
const ABOUTS = [["board", "The whole board"], ["task", "A task"], ["tenant", "A tenant"], ["assignee", "A profile"]];
const WHENS = [["", "What usually matters"], ["all", "Everything"], ["completed", "Only completions"], ["gave_up", "Only what was given up"], ["asked", "Only questions"]];

export function Subscribe({ onClose, onDone }) {
  const [scheme, setScheme] = useState("webhook:");
  const [rest, setRest] = useState("");
  const [about, setAbout] = useState("board");
  const [value, setValue] = useState("");
  const [when, setWhen] = useState("");
  const [files, setFiles] = useState(false);
  const example = SCHEMES.find(([one]) => one === scheme)[2];
  const needsValue = about !== "board";
  const wrongTask = about === "task" && !/^#?\d+$/.test(value.trim());
  const ready = (rest.trim() || !example) && (!needsValue || (value.trim() && !wrongTask));
  const save = async () => {
    if (!ready) return false;
    const of = needsValue ? { [about]: about === "task" ? Number(value.replace("#", "")) : value.trim() } : {};
    const args = { target: scheme + rest.trim(), ...of, ...(when && { kinds: [when] }), files };
    if ((await act("subscription.add", args, { done: "Subscribed" })) === null) return false;
    onDone();
    return true;
  };
  return html`<${Dialog} title="Subscribe a target" onClose=${onClose} onSubmit=${save}
      footer=${html`<${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" disabled=${!ready}>Subscribe<//>`}>
    <${Field} label="Target"><${Select} value=${scheme} onValue=${setScheme} options=${SCHEMES.map(([one, label]) => [one, label])} /><//>
    ${example && html`<${Field} label="Address"><${Input} value=${rest} onValue=${setRest} placeholder=${example} autofocus spellcheck=${false} /><//>`}
    <${Field} label="Hears of"><${Select} value=${about} onValue=${setAbout} options=${ABOUTS} /><//>
    ${needsValue && html`<${Field} label=${about === "task" ? "Its number" : "Its name"}><${Input} value=${value} onValue=${setValue} /><//>`}
    <${Field} label="When"><${Select} value=${when} onValue=${setWhen} options=${WHENS} /><//>
    <${Toggle} label="Send the files of completed tasks along" on=${files} onChange=${setFiles} />
  <//>`;
}
