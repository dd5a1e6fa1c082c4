// Who is logged in, what they may do, and which boards there are.

import { computed, signal } from "../vendor/signals.js";
import { call, get, onSignedOut, post } from "./api.js";

const RANK = { viewer: 0, operator: 1, admin: 2 };

/** {name, role} of who is logged in; null: nobody; undefined: not asked yet. */
export const session = signal(undefined);

/** Why the link that was followed did not log in; null where none was followed. */
export const linkRefused = signal(null);

/** The boards of this home, as `board.list` shows them. */
export const boards = signal([]);

/** Whether who is logged in has at least this role. */
export function may(role) {
  return (RANK[session.value?.role] ?? -1) >= RANK[role];
}

/** The board to show where none is named. */
export const homeBoard = computed(() => {
  const open = boards.value.filter((board) => !board.archived && !board.broken);
  return (open.find((board) => board.current) ?? open[0])?.slug ?? null;
});

/** Ask who we are, and for the boards; quiet when nobody is logged in. */
export async function loadSession() {
  const link = /^#token=(.+)$/.exec(location.hash);
  try {
    if (link && location.pathname === "/login") {
      // The secret of a login link is behind the #, so no server's log has it; the history shall not have it either.
      history.replaceState(null, "", "/login");
      await post("/login", { token: decodeURIComponent(link[1]) });
    }
    const found = await get("/session", {}, { board: null });
    await loadBoards();
    session.value = found;
  } catch (refused) {
    session.value = null;
    if (link) linkRefused.value = refused.message;
    if (refused.status !== 401 && refused.status !== 403) throw refused;
  }
}

/** Read the list of boards anew. */
export async function loadBoards() {
  boards.value = await call("board.list", {}, { board: null });
}

/** Log in with a token; throws the server's refusal. */
export async function login(token) {
  await post("/login", { token });
  await loadSession();
}

/** Log out on this browser. */
export async function logout() {
  await post("/logout", {});
  session.value = null;
}

onSignedOut(() => {
  if (session.peek()) session.value = null;
});
