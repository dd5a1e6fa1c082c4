// What the board's rules find wrong with a task, each with the next steps as buttons, or as commands where a page
// cannot do them.

import { html } from "../core/dom.js";
import { may } from "../core/session.js";
import { Icon } from "../core/ui.js";
import { Copy } from "./parts.js";
import { Ways } from "./ways.js";

export function Diagnostics({ detail }) {
  // What the top of the page says already needs no second box: its ways out are buttons there.
  const told = detail.diagnostics.filter((one) => !one.sentence.toLowerCase().includes(detail.why.sentence.toLowerCase()) && one.code !== detail.why.code);
  if (!told.length) return null;
  return html`<ul class="findings" aria-label="What is wrong">${told.map((one) => html`<li key=${one.code} class=${`finding is-${one.severity}`}>
    <${Icon} name="alert" /><div><p>${one.sentence}</p><${Steps} steps=${one.steps} /></div></li>`)}</ul>`;
}

function Steps({ steps }) {
  const ways = may("operator") ? steps.filter((step) => step.op).map((step) => ({ label: step.title, op: step.op, args: step.args, wants: step.asks, command: step.command })) : [];
  const commands = steps.filter((step) => !step.op);
  return html`${ways.length > 0 && html`<${Ways} ways=${ways} small=${true} />`}
    ${commands.map((step) => html`<p key=${step.command} class="finding-steps">${step.title}: <code>${step.command}</code><${Copy} text=${step.command} label="Copy the command" /></p>`)}`;
}
