// What waits for a person, as `board.needs` tells it: the list while its page is open, and the count for the
// navigation all the time.

import { effect, signal, useEffect, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { onEvent, onResync } from "../core/live.js";
import { currentBoard } from "../core/route.js";
import { session } from "../core/session.js";

const TOGETHER_MS = 150;
const PAGE = 50;
// Nothing comes to wait, or stops waiting, by these.
const SILENT = new Set(["heartbeat", "claimed", "attached", "detached", "linked", "unlinked"]);

/** How much waits on the board that is shown; 0 where that is not known. */
export const waiting = signal(0);

/** Call `read` now and after each change that may matter; answers how to stop. */
function watch(read) {
  let timer = null;
  let busy = false;
  let again = false;
  const run = async () => {
    timer = null;
    again = busy;
    if (busy) return;
    busy = true;
    try {
      await read();
    } catch {
      // The next change, or the stream's return, asks again.
    }
    busy = false;
    if (again) soon();
  };
  const soon = () => { timer ??= setTimeout(run, TOGETHER_MS); };
  const offs = [onEvent((event) => !SILENT.has(event.kind) && soon()), onResync(soon), () => clearTimeout(timer)];
  run();
  return { soon, stop: () => offs.forEach((off) => off()) };
}

effect(() => {
  const board = session.value ? currentBoard.value : null;
  waiting.value = 0;
  if (board === null) return undefined;
  const count = async () => {
    const page = await call("board.needs", { limit: 1 }, { board });
    if (currentBoard.peek() === board) waiting.value = page.total;
  };
  return watch(count).stop;
});

/** {page, refused, more}: what waits, of one kind or of all; `more` shows as many again. */
export function useNeeds(kind) {
  const [found, setFound] = useState({ page: null, refused: null });
  const [limit, setLimit] = useState(PAGE);
  useEffect(() => {
    let alive = true;
    const one = watch(async () => {
      try {
        const page = await call("board.needs", { limit, ...(kind ? { kind: [kind] } : {}) });
        if (alive) setFound({ page, refused: null });
      } catch (refused) {
        if (alive) setFound((before) => (before.page && refused.code === "unreachable" ? before : { page: null, refused }));
      }
    });
    return () => {
      alive = false;
      one.stop();
    };
  }, [kind, limit]);
  return { ...found, more: () => setLimit((many) => Math.min(many * 2, 1000)) };
}
