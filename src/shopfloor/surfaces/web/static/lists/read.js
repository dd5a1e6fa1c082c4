// Reading for pages that are lists: an answer that is kept current while the page is there.
//
// What is shown is read anew when an event of the board may have changed it, at most twice a second, and
// after the connection was lost.  What moves on without an event is read again after the time that `again` tells,
// while the page is on the screen.  A new question (other arguments) is asked at once; an answer that comes
// after a newer question is thrown away.

import { call } from "../core/api.js";
import { useReading } from "../core/reader.js";
import { currentBoard } from "../core/route.js";

const REST_MS = 500;

/** {value, refused, read}: the operation's result; `wants(event)` says which events matter. */
export function useRead(op, args = {}, { wants, again } = {}) {
  return useReading(() => call(op, args), [JSON.stringify([op, args, currentBoard.value])], { pauseMs: REST_MS, wants, again });
}
