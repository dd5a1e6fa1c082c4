// Light, dark, or as the system is: remembered on this machine, and set on the root element for the styles.

import { effect } from "../core/dom.js";
import { pref } from "../core/prefs.js";
import { announce } from "../core/toast.js";

const ORDER = ["auto", "light", "dark"];

/** "auto", "light" or "dark". */
export const theme = pref("theme", "auto");

/** How the choice is called and drawn. */
export const WORDS = { auto: "as the system", light: "light", dark: "dark" };
export const ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** Go on to the next of the three. */
export function nextTheme() {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length];
  announce(`Theme: ${WORDS[theme.value]}`);
}

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
