// Reading for pages that are lists: an answer that is kept current while the page is there.
//
// What is shown is read anew when an event of the board may have changed it, at most twice a second, and
// after the connection was lost.  A new question (other arguments) is asked at once; an answer that comes
// after a newer question is thrown away.

import { signal, useEffect, useMemo } from "../core/dom.js";
import { call } from "../core/api.js";
import { onEvent, onResync } from "../core/live.js";
import { currentBoard } from "../core/route.js";

const REST_MS = 500;

/** {value, error, busy, read}: signals with the operation's result; `wants(event)` says which events matter. */
export function useRead(op, args = {}, { wants = () => true, when = true } = {}) {
  const question = JSON.stringify([op, args, currentBoard.value, when]);
  const kept = useMemo(() => ({ value: signal(null), error: signal(null), busy: signal(true), read: () => {} }), []);
  useEffect(() => {
    let asked = 0;
    let timer = null;
    let gone = false;
    const read = async () => {
      clearTimeout(timer);
      timer = null;
      const mine = ++asked;
      kept.busy.value = true;
      try {
        const found = await call(op, args);
        if (gone || mine !== asked) return;
        kept.value.value = found;
        kept.error.value = null;
      } catch (refused) {
        if (gone || mine !== asked) return;
        kept.error.value = refused;
      }
      kept.busy.value = false;
    };
    const soon = () => { timer ??= setTimeout(read, REST_MS); };
    kept.read = read;
    if (!when) return undefined;
    read();
    const off = [onEvent((event) => wants(event) && soon()), onResync(read)];
    return () => {
      gone = true;
      clearTimeout(timer);
      off.forEach((stop) => stop());
    };
  }, [question]);
  return kept;
}
