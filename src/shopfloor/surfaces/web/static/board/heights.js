// How high each card is, told without drawing it: that is what lets a column of thousands draw only what is seen.
//
// A card is made of lines of known heights; only whether its title and its reason need one line or two depends
// on their text, which is measured once on a canvas.  The figures are those of style/card.css.

import { reason } from "./words.js";

export const GAP = 8;
const EDGES = 19;
const HEAD = 18;
const TITLE = 19;
const META = 24;
const LINE = 18;
const INSET = 25;

const context = document.createElement("canvas").getContext("2d");
const widths = new Map();
const WIDTHS_KEPT = 20_000;
let family = null;

function widthOf(font, text) {
  const key = `${font}|${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  family ??= getComputedStyle(document.body).fontFamily;
  context.font = `${font} ${family}`;
  const width = context.measureText(text).width;
  if (widths.size > WIDTHS_KEPT) widths.clear();
  widths.set(key, width);
  return width;
}

/** How many lines, one or two, a text needs in a card of this width. */
function lines(font, text, width) {
  return widthOf(font, text) > width - INSET ? 2 : 1;
}

/** Whether a card has a line of its own for its reason, and how many. */
export function reasonLines(card, width) {
  const why = reason(card);
  return why ? lines("400 12px", why, width - 18) : 0;
}

/** How many lines the title has. */
export function titleLines(card, width) {
  return lines("550 13.5px", card.title, width);
}

/** The height of a card in a column of this width, with the gap below it. */
export function heightOf(card, width, refused = false) {
  let height = EDGES + HEAD + TITLE * titleLines(card, width) + META;
  if (card.now) height += LINE + 2;
  height += LINE * reasonLines(card, width);
  if (refused) height += LINE;
  return height + GAP;
}
