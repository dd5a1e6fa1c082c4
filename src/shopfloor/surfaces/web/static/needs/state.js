// What waits for a person, as `board.needs` tells it: the list while its page is open, and the count for the
// navigation all the time.

import { effect, signal, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { following, useReading } from "../core/reader.js";
import { currentBoard } from "../core/route.js";
import { session } from "../core/session.js";

const TOGETHER_MS = 150;
const PAGE = 50;
// Nothing comes to wait, or stops waiting, by these.
const SILENT = new Set(["heartbeat", "claimed", "attached", "detached", "linked", "unlinked"]);

/** How much waits on the board that is shown; 0 where that is not known. */
export const waiting = signal(0);

const wants = (event) => !SILENT.has(event.kind);

effect(() => {
  const board = session.value ? currentBoard.value : null;
  waiting.value = 0;
  if (board === null) return undefined;
  return following({
    ask: () => call("board.needs", { limit: 1 }, { board }),
    show: (page) => { waiting.value = page.total; },
    pauseMs: TOGETHER_MS,
    wants,
  }).stop;
});

/** {page, refused, more}: what waits, of one kind or of all; `more` shows as many again. */
export function useNeeds(kind) {
  const [limit, setLimit] = useState(PAGE);
  const asked = { limit, ...(kind ? { kind: [kind] } : {}) };
  const { value, refused } = useReading(() => call("board.needs", asked), [kind, limit], { pauseMs: TOGETHER_MS, wants });
  return { page: value, refused, more: () => setLimit((many) => Math.min(many * 2, 1000)) };
}
