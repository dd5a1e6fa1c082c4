// `?`: every command with its keys, which can be given others; what is kept is kept on this machine.

import { html, names, signal, useSignal } from "../core/dom.js";
import { allCommands, keysOf, readable, remap, remapped, strokeOf } from "../core/keys.js";
import { Button, Dialog } from "../core/ui.js";

/** Whether the help is open. */
export const helpOpen = signal(false);

export function Help() {
  const catching = useSignal(null);
  const groups = new Map();
  for (const one of allCommands()) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  const close = () => { helpOpen.value = false; };
  const footer = html`
    <p class="dialog-note">Press a key's button, then the new key. What you choose is kept in this browser.</p>
    ${Object.keys(remapped.value).length > 0 && html`<${Button} onClick=${() => { remapped.value = {}; }}>All as they were<//>`}`;
  return html`<${Dialog} title="Keys" wide onClose=${close} footer=${footer}>
    <div class="keys">${[...groups].map(([group, list]) => html`
      <section key=${group}><h3>${group}</h3><dl>${list.map((one) => html`<${Line} key=${one.id} one=${one} catching=${catching} />`)}</dl></section>`)}
    </div><//>`;
}

function Line({ one, catching }) {
  const mine = catching.value === one.id;
  const taken = keysOf(one).flatMap((key) => allCommands().filter((other) => other.id !== one.id && other.group === one.group && keysOf(other).includes(key)));
  const onKey = (event) => {
    if (!mine) return;
    event.preventDefault();
    event.stopPropagation();
    const stroke = strokeOf(event);
    if (!stroke) return;
    if (stroke !== "Escape") remap(one.id, stroke === "Backspace" ? null : [stroke]);
    catching.value = null;
  };
  return html`<div class="key-line">
    <dt>${one.title}${taken.length > 0 && html`<small class="key-taken">also: ${taken[0].title}</small>`}</dt>
    <dd><button type="button" class=${names("key-button", mine && "is-catching", remapped.value[one.id] && "is-mine")} onKeyDown=${onKey}
        onBlur=${() => { if (mine) catching.value = null; }} onClick=${() => { catching.value = mine ? null : one.id; }}
        aria-label=${`${one.title}: ${keysOf(one).map(readable).join(" or ") || "no key"}; change`}>
      ${mine ? "press a key" : keysOf(one).map((key) => html`<kbd key=${key}>${readable(key)}</kbd>`)}</button></dd>
  </div>`;
}
