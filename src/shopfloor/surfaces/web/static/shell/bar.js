// The bar at the top: which board, whether changes arrive, finding things, the theme, and who is logged in.

import { html, signal, useSignalEffect } from "../core/dom.js";
import { connection, reconnect } from "../core/live.js";
import { keysOf, allCommands, readable } from "../core/keys.js";
import { currentBoard, go, inBoard } from "../core/route.js";
import { boards, loadBoards, logout, session } from "../core/session.js";
import { refuse } from "../core/toast.js";
import { Icon, IconButton, Menu } from "../core/ui.js";
import { helpOpen } from "./help.js";
import { paletteOpen } from "./palette.js";
import { ICONS, nextTheme, theme, WORDS } from "./theme.js";

/** Whether the list of boards is open; a key opens it, too. */
export const switcherOpen = signal(false);
const accountOpen = signal(false);

export function Bar() {
  const shortcut = allCommands().find((one) => one.id === "palette");
  return html`
    <header class="bar">
      <a class="brand" href="/" aria-label="Shopfloor, to the board"><${Brand} /></a>
      <${Switcher} />
      <${Connection} />
      <button class="find" type="button" aria-label="Find a task or a command" onClick=${() => { paletteOpen.value = true; }}>
        <${Icon} name="search" /><span>Find a task or a command</span><kbd>${shortcut && readable(keysOf(shortcut)[0])}</kbd>
      </button>
      <div class="bar-end">
        <${IconButton} icon=${ICONS[theme.value]} label=${`Theme: ${WORDS[theme.value]}`} onClick=${nextTheme} />
        <${IconButton} icon="keyboard" label="Keys" class="wide-only" onClick=${() => { helpOpen.value = true; }} />
        <${Account} />
      </div>
    </header>`;
}

/** The mark: three columns of a board, and the one ticket that wants somebody. */
export function Brand() {
  return html`<svg class="brand-mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d="M3 3h5.4v18H3zM9.3 3h5.4v12H9.3zM15.6 3H21v6.5h-5.4z" /><path class="brand-spot" d="M15.6 14.5H21V21h-5.4z" />
    </svg><span class="brand-name">Shopfloor</span>`;
}

function Switcher() {
  const slug = currentBoard.value;
  const known = boards.value.find((board) => board.slug === slug);
  const items = boards.value.filter((board) => !board.archived).map((board) => ({
    label: board.broken ? `${board.slug} (broken)` : board.name === board.slug ? board.slug : `${board.name} (${board.slug})`,
    icon: board.broken ? "alert" : board.slug === slug ? "check" : "board",
    run: () => (board.broken ? refuse({ message: board.broken }) : go(inBoard("", board.slug))),
  }));
  const open = () => { switcherOpen.value = true; };
  useSignalEffect(() => { if (switcherOpen.value) loadBoards().catch(refuse); });
  return html`
    <button id="boards" class="switcher" type="button" aria-haspopup="menu" aria-expanded=${switcherOpen.value} onClick=${open}
        aria-label=${`Board ${known?.name ?? slug}; switch`}>
      <span>${known?.name ?? slug}</span><${Icon} name="chevron" size="12" />
    </button>
    ${switcherOpen.value && html`<${Menu} at=${document.getElementById("boards")} items=${items} label="Boards" onClose=${() => { switcherOpen.value = false; }} />`}`;
}

const STATES = { live: "Live", connecting: "Connecting", lost: "Connection lost" };

function Connection() {
  const state = connection.value;
  return html`<button type="button" class=${`connection is-${state}`} onClick=${reconnect} title=${state === "live" ? "Changes arrive as they happen" : "Try again now"}>
    <span class="connection-dot" aria-hidden="true" /><span role="status">${STATES[state]}</span></button>`;
}

function Account() {
  const { name, role } = session.value;
  const items = [
    { label: "Keys and their commands", icon: "keyboard", run: () => { helpOpen.value = true; } },
    { label: "Log out on this browser", icon: "logout", run: () => logout().catch(refuse) },
  ];
  return html`
    <button id="account" class="account" type="button" aria-haspopup="menu" aria-expanded=${accountOpen.value} onClick=${() => { accountOpen.value = true; }}
        aria-label=${`${name}, ${role}; account`} title=${`${name} (${role})`}><${Icon} name="user" /></button>
    ${accountOpen.value && html`<${Menu} at=${document.getElementById("account")} items=${items} label="Account" onClose=${() => { accountOpen.value = false; }} />`}`;
}
