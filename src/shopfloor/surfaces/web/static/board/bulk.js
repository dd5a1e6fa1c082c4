// The bar that stands below the board while cards are selected: moves, assignee and priority for all of them.

import { html, useSignal } from "../core/dom.js";
import { call } from "../core/api.js";
import { may } from "../core/session.js";
import { refuse } from "../core/toast.js";
import { Button, IconButton, Menu } from "../core/ui.js";
import { carryOut, refusals } from "./acting.js";
import { itemsOfMany } from "./menu.js";

export function Bulk({ store, view }) {
  const chosen = view.selected.value;
  if (!chosen.size) return null;
  store.version.value;
  // Those that somebody else took away are chosen no more.
  const cards = [...chosen].map((id) => store.card(id)).filter(Boolean);
  return cards.length ? html`<${Tools} store=${store} view=${view} cards=${cards} />` : null;
}

function Tools({ store, view, cards }) {
  const menu = useSignal(null);
  const clear = () => {
    view.selected.value = new Set();
    refusals.value = new Map();
  };
  const open = (event, items, label) => { menu.value = { at: event.currentTarget, items, label }; };
  const moves = (event) => open(event, itemsOfMany(store, cards), "Moves");
  const assign = async (event) => {
    const at = event.currentTarget;
    try {
      const profiles = await call("profile.list", {}, { board: store.board });
      const items = [...profiles.map((one) => one.name), "none"].map((name) => ({
        label: name === "none" ? "nobody" : name, icon: "user", run: () => carryOut(store, cards, { op: "task.assign", label: "Assign", args: { assignee: name } }),
      }));
      // What has been turned to since is not disturbed.
      if (document.activeElement === at || document.activeElement === document.body) menu.value = { at, items, label: "Assign to" };
    } catch (refused) {
      refuse(refused);
    }
  };
  const priority = (event) => open(event, [3, 2, 1, 0, -1].map((value) => ({
    label: value === 0 ? "Priority 0, the usual" : `Priority ${value}`, icon: "chevron", run: () => carryOut(store, cards, { op: "task.edit", label: "Priority", args: { priority: value } }),
  })), "Priority");
  return html`<div class="bulk" role="region" aria-label="Selected cards">
    <strong role="status">${cards.length} selected</strong>
    ${may("operator") && html`
      <${Button} small icon="move" aria-haspopup="menu" onClick=${moves}>Move<//>
      <${Button} small icon="user" aria-haspopup="menu" onClick=${assign}>Assign<//>
      <${Button} small icon="chevron" aria-haspopup="menu" onClick=${priority}>Priority<//>
      <${Button} small icon="archive" onClick=${() => archive(store, view, cards)}>Archive<//>`}
    <${IconButton} icon="close" label="Select nothing" small onClick=${clear} />
    ${menu.value && html`<${Menu} ...${menu.value} onClose=${() => { menu.value = null; }} />`}
  </div>`;
}

async function archive(store, view, cards) {
  const failed = await carryOut(store, cards, { op: "task.archive", to: "archived", label: "Archive", args: {} });
  view.selected.value = new Set(failed.map((card) => card.id));
}
