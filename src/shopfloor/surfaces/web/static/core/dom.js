// What pages build their views from: templates, state and signals, under one import.
//
// `html` makes Preact elements of a template: html`<${Button} onClick=${run}>Go<//>`.  Text in a template is
// text: nothing here turns a string into markup, but `Markup`, which takes HTML that the server sanitised.

import { h, Fragment, options, render, createContext } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
export { h, Fragment, render, createContext };
export {
  useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState,
} from "../vendor/preact-hooks.js";
export {
  Signal, batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect,
} from "../vendor/signals.js";

/** HTML that the server made and sanitised (Markdown, a coloured log), as it is. */
export function Markup({ of, as = "div", ...rest }) {
  return h(as, { ...rest, dangerouslySetInnerHTML: { __html: of } });
}

// An element that is put elsewhere in the page loses the focus, and gets it back.  One that is marked `data-stays` and
// made anew in another place, as a card that changes its column, gets it too: all that is drawn at once is one change.
let focused = null;
const rendering = options.__r;
const committed = options.__c;
options.__r = (node) => {
  if (document.activeElement !== document.body) focused = document.activeElement;
  rendering?.(node);
};
options.__c = (node, queue) => {
  committed?.(node, queue);
  const there = focused?.isConnected ? focused : focused && "stays" in focused.dataset && document.getElementById(focused.id);
  if (document.activeElement !== document.body) focused = null;
  else if (there) {
    there.focus({ preventScroll: true });
    focused = null;
  } else if (focused) setTimeout(() => { focused = null; });
};

/** Class names of which some may be off: names("card", selected && "is-selected"). */
export function names(...given) {
  return given.filter(Boolean).join(" ");
}
