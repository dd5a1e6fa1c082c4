// Addresses and pages: which page an address shows, and how to go to another.
//
// A page is registered once, in `pages.js`: `page("/b/:board/stats", StatsPage, {title, key, icon})`.  The shell
// shows the page whose pattern matches; a page marked `drawer` is shown beside the board instead of in its
// place.  `key` is the letter after `g` that goes there, `icon` puts it into the navigation.

import { computed, signal } from "../vendor/signals.js";

const pages = [];
const here = signal(address());

/** All pages, in the order of registration. */
export function allPages() {
  return pages;
}

/** Register a page: its pattern, its component, and how the navigation shows it. */
export function page(pattern, Component, { title, key = null, icon = null, drawer = false, badge = null } = {}) {
  const names = [];
  const source = pattern.replace(/:(\w+)/g, (_all, name) => {
    names.push(name);
    return "([^/]+)";
  });
  pages.push({ pattern, Component, title, key, icon, drawer, badge, names, match: new RegExp(`^${source}/?$`) });
}

/** A page whose module is loaded when it is shown first: lazy(() => import("./stats/page.js"), "StatsPage"). */
export function lazy(load, name = "default") {
  return { load, name };
}

/** Where we are: {path, query, page, params}. */
export const route = computed(() => {
  const { path, query } = here.value;
  for (const one of pages) {
    const found = one.match.exec(path);
    if (!found) continue;
    const params = Object.fromEntries(one.names.map((name, at) => [name, decode(found[at + 1])]));
    return { path, query, page: one, params };
  }
  // There is no such page, but the board that was meant is known.
  const board = /^\/b\/([^/]+)/.exec(path);
  return { path, query, page: null, params: board ? { board: decode(board[1]) } : {} };
});

/** The board of the address, or null. */
export const currentBoard = computed(() => route.value.params.board ?? null);

/** The task of the address as a number, or null. */
export const currentTask = computed(() => {
  const given = route.value.params.task;
  return given && /^\d+$/.test(given) ? Number(given) : null;
});

/** An address below the current board: inBoard("/t/4"). */
export function inBoard(rest = "", board = currentBoard.peek()) {
  return `/b/${encodeURIComponent(board ?? "")}${rest}`;
}

/** Go to an address of this application. */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", path);
  here.value = address();
}

/** Change one part of the query without a new entry in the history; null takes it out. */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ""), { replace: true });
}

function address() {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

addEventListener("popstate", () => { here.value = address(); });

// Links stay links, for a new tab and for the middle button; a plain click goes there without a reload.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const ours = link.origin === location.origin && !link.target && !link.hasAttribute("download");
  if (!ours || link.pathname.startsWith("/api/") || (link.hash && link.pathname === location.pathname)) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
