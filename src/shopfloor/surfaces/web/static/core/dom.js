// What pages build their views from: templates, state and signals, under one import.
//
// `html` makes Preact elements of a template: html`<${Button} onClick=${run}>Go<//>`.  Text in a template is
// text: nothing here turns a string into markup, but `Markup`, which takes HTML that the server sanitised.

import { h, Fragment, render, createContext } from "../vendor/preact.js";
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

/** Class names of which some may be off: names("card", selected && "is-selected"). */
export function names(...given) {
  return given.filter(Boolean).join(" ");
}
