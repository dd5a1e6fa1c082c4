// What is around every page: the bar at the top, the navigation, messages, and what keys open everywhere.

import { effect, html, Fragment, useEffect, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { command } from "../core/keys.js";
import { allPages, currentBoard, go, inBoard, route } from "../core/route.js";
import { homeBoard, session } from "../core/session.js";
import { refuse, Toasts } from "../core/toast.js";
import { Busy, Empty } from "../core/ui.js";
import { Bar, switcherOpen } from "./bar.js";
import { Help, helpOpen } from "./help.js";
import { Login } from "./login.js";
import { Palette, paletteOpen } from "./palette.js";
import { Rail } from "./rail.js";
import { nextTheme } from "./theme.js";

/** The whole application. */
export function Shell() {
  if (session.value === undefined) return html`<div class="starting"><${Busy} label="Opening the board" /></div><${Toasts} />`;
  if (session.value === null) return html`<${Login} /><${Toasts} />`;
  const { page, path } = route.value;
  if (path === "/" || path === "/login") return html`<${Home} /><${Toasts} />`;
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <div class="shell">
      <${Bar} />
      <${Rail} />
      <${Main} page=${page} />
    </div>
    ${paletteOpen.value && html`<${Palette} />`}
    ${helpOpen.value && html`<${Help} />`}
    <${Toasts} />`;
}

/** The address without a board: the board that is used where none is named. */
function Home() {
  const slug = homeBoard.value;
  useEffect(() => {
    if (slug) go(inBoard("", slug), { replace: true });
  }, [slug]);
  return html`<main class="starting"><${Empty} title="There is no board yet">Make one with <code>shop board create NAME</code>.<//></main>`;
}

/** The page; one that is a drawer stands beside the board, which stays as it is. */
function Main({ page }) {
  if (!page) {
    return html`<main id="main" class="main" tabindex="-1"><${Empty} title="There is no such page"><a href="/">To the board</a><//></main>`;
  }
  const under = page.drawer ? allPages()[0] : page;
  return html`
    <main id="main" class="main" tabindex="-1"><${Show} key=${`${currentBoard.value} ${under.pattern}`} page=${under} /></main>
    ${page.drawer && html`<${Drawer} key=${route.value.path} page=${page} />`}`;
}

/** What stands beside the board has the focus from the beginning, so that no key that is meant for it goes to a card. */
function Drawer({ page }) {
  const ref = useRef(null);
  useLayoutEffect(() => ref.current.focus({ preventScroll: true }), []);
  return html`<aside ref=${ref} class="drawer" tabindex="-1" aria-label=${page.title}><${Show} page=${page} /></aside>`;
}

/** A page's component, loaded first where it is lazy. */
function Show({ page }) {
  const [Component, setComponent] = useState(() => (typeof page.Component === "function" ? page.Component : null));
  useEffect(() => {
    if (Component) return;
    page.Component.load().then(
      (module) => setComponent(() => module[page.Component.name]),
      (broken) => refuse(broken, `Loading “${page.title}”`),
    );
  }, []);
  return Component ? html`<${Component} params=${route.value.params} />` : html`<${Fragment}><${Busy} /><//>`;
}

effect(() => {
  const { page, params } = route.value;
  document.title = [params.task && `#${params.task}`, page?.title, params.board, "Shopfloor"].filter(Boolean).join(" · ");
});

/** Where a page without further parameters is; null for one that needs more than the board. */
function placeOf(page) {
  return page.names.length === 1 && page.names[0] === "board" ? inBoard(page.pattern.replace("/b/:board", "")) : null;
}

const inside = () => Boolean(session.value) && currentBoard.value !== null;
command({ id: "palette", title: "Find a task or a command", keys: ["Mod+k"], inField: true, when: inside, run: () => { paletteOpen.value = true; } });
command({ id: "help", title: "Show all keys", keys: ["?"], when: inside, run: () => { helpOpen.value = true; } });
command({ id: "theme", title: "Switch between light and dark", keys: ["Shift+T"], run: nextTheme });
command({ id: "boards", title: "Switch the board", keys: ["Shift+B"], when: inside, run: () => { switcherOpen.value = true; } });
for (const page of allPages()) {
  if (!page.key) continue;
  command({ id: `go.${page.title}`, group: "Go to", title: page.title, keys: [`g ${page.key}`], when: inside, run: () => go(placeOf(page)) });
}
