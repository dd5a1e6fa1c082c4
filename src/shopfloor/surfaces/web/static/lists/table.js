// What list pages look like: a head with what can be done, filters, and a table that is a stack of cards on a phone.

import { Fragment, html, names } from "../core/dom.js";
import { change } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { may } from "../core/session.js";
import { sheet } from "../core/sheet.js";
import { shortTime } from "../core/time.js";
import { refuse, toast } from "../core/toast.js";
import { Busy, Button, Empty, Time } from "../core/ui.js";

await sheet("lists");

/** The page around a list; `add` {label, run} is how something comes onto it, by a button and by `c`. */
export function ListPage({ title, about, add, children }) {
  const allowed = add && may("operator");
  useCommands(() => (allowed ? [{ id: `${title}.add`, title: add.label, group: title, keys: ["c"], run: add.run }] : []), [title, allowed]);
  return html`<section class="list-page">
    <header class="list-head"><div><h1>${title}</h1>${about && html`<p>${about}</p>`}</div>
      ${allowed && html`<div class="list-actions"><${Button} kind="primary" icon="plus" onClick=${add.run}>${add.label}<//></div>`}</header>
    ${children}
  </section>`;
}

/** A group of rows below a heading. */
export function Section({ title, about, actions, children }) {
  return html`<section class="list-section"><header><h2>${title}</h2>${about && html`<p>${about}</p>`}${actions}</header>${children}</section>`;
}

/**
 * A table.  A column is {title, cell(row), wide, number, head}: `head` marks what names the row, and
 * one without a title is for what can be done with it.
 * `expanded(row)` gives what stands below a row; `empty` is said where there are none.
 */
export function Table({ label, columns, rows, keyOf, expanded, empty }) {
  if (rows.length === 0) return html`<p class="list-none">${empty}</p>`;
  const cell = (column, row) => {
    const inside = html`<div class="cell">${column.cell(row)}</div>`;
    const classes = names(column.number && "is-number", column.wide && "is-wide", !column.title && "is-actions");
    return column.head
      ? html`<th scope="row" class=${classes} data-title=${column.title}>${inside}</th>`
      : html`<td class=${classes} data-title=${column.title}>${inside}</td>`;
  };
  return html`<div class="table-frame" tabindex="0" role="group" aria-label=${label}><table class="table" aria-label=${label}>
    <thead><tr>${columns.map((column) => html`<th scope="col" class=${names(column.number && "is-number")}>${column.title || html`<span class="unseen">Actions</span>`}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => {
      const below = expanded?.(row);
      return html`<${Fragment} key=${keyOf(row)}><tr>${columns.map((column) => cell(column, row))}</tr>
        ${below && html`<tr class="table-more"><td colspan=${columns.length}>${below}</td></tr>`}<//>`;
    })}</tbody></table></div>`;
}

/** What stands in a page's place while it is read for the first time, or could not be. */
export function Reading({ of, children }) {
  if (of.value !== null) return children(of.value);
  if (of.refused === null) return html`<${Busy} />`;
  return html`<${Empty} title="This could not be read" icon="alert"><p>${of.refused.message}</p><${Button} onClick=${of.read}>Try again<//><//>`;
}

/** A moment in short, in full as a hint. */
export function Moment({ at }) {
  return at ? html`<${Time} at=${at}>${shortTime(at)}<//>` : null;
}

/** Ask for a change and say how it ended; answers the result, or null where it was refused. */
export async function act(op, args, { done = "Done" } = {}) {
  try {
    const result = await change(op, args);
    toast(done);
    return result ?? {};
  } catch (refused) {
    refuse(refused);
    return null;
  }
}
