// What the parts of a task's page share: sections, Markdown made by the server, figures in words, copying.

import { html, Markup, useEffect, useState } from "../core/dom.js";
import { markdown } from "../core/api.js";
import { toast } from "../core/toast.js";
import { IconButton } from "../core/ui.js";

const KEPT = 600;
const TOGETHER = 200;
const made = new Map();
let wanted = null;

/** Markdown as sanitised HTML; all texts that are asked for at once travel together. */
function rendered(text) {
  if (!made.has(text)) {
    if (made.size >= KEPT) made.delete(made.keys().next().value);
    if (wanted === null || wanted.texts.length >= TOGETHER) wanted = collect();
    wanted.texts.push(text);
    const at = wanted.texts.length - 1;
    const one = wanted.answer.then((found) => found[at]);
    one.catch(() => made.delete(text));
    made.set(text, one);
  }
  return made.get(text);
}

function collect() {
  const one = { texts: [] };
  one.answer = Promise.resolve().then(() => {
    if (wanted === one) wanted = null;
    return markdown(one.texts);
  });
  return one;
}

/** A text in Markdown; until the server has answered, and if it cannot, the text as it is. */
export function Markdown({ text }) {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    let alive = true;
    rendered(text).then((found) => alive && setShown({ text, html: found }), () => alive && setShown(null));
    return () => { alive = false; };
  }, [text]);
  if (shown === null) return html`<div class="prose is-plain">${text}</div>`;
  return html`<${Markup} class="prose" of=${shown.html} />`;
}

/** A part of the page under its own heading. */
export function Section({ title, count = null, action = null, children, id }) {
  return html`<section class="part" aria-labelledby=${id}>
    <div class="part-head"><h3 id=${id}>${title}${count ? html` <span class="part-count">${count}</span>` : null}</h3>${action}</div>
    ${children}
  </section>`;
}

/** A button that puts a text on the clipboard. */
export function Copy({ text, label }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied");
    } catch {
      toast(text, { kind: "note", detail: "The browser does not let pages copy; select it here." });
    }
  };
  return html`<${IconButton} icon="copy" small label=${label} onClick=${copy} />`;
}

const BYTES = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const COUNT = new Intl.NumberFormat();
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** A size in the unit that fits. */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${BYTES.format(count / 1024)} KB`;
  return `${BYTES.format(count / 1024 ** 2)} MB`;
}

/** Millionths of a dollar as money. */
export function money(micros) {
  const dollars = micros / 1_000_000;
  return `$${dollars.toFixed(dollars !== 0 && dollars < 0.1 ? 4 : 2)}`;
}

/** A count, in short where it is large. */
export function count(number) {
  return number < 100_000 ? COUNT.format(number) : COMPACT.format(number);
}

/** A name of the program in words: gave_up is "gave up". */
export function words(name) {
  return (name ?? "").replaceAll("_", " ");
}

/** A long path by its end, which is what tells it from others. */
export function tail(path, most = 34) {
  return path.length > most ? `…${path.slice(1 - most)}` : path;
}

const TONES = {
  completed: "good", review_requested: "good", changes_requested: "violet", blocked: "warn", dependency_wait: "plain",
  reclaimed: "plain", superseded: "plain", cancelled: "plain", rate_limited: "warn", stale: "warn",
};

/** The tone of an outcome's chip: what is not known to be harmless is late. */
export function toneOf(outcome) {
  return outcome === null ? "blue" : TONES[outcome] ?? "late";
}
