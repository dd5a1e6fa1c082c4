// Reading for pages that are lists: an answer that is kept current while the page is there.
//
// What is shown is read anew when an event of the board may have changed it, at most twice a second, and
// after the connection was lost.  What moves on without an event is read again after the time that `again` tells,
// while the page is on the screen.  A new question (other arguments) is asked at once; an answer that comes
// after a newer question is thrown away.

import { signal, useEffect, useMemo } from "../core/dom.js";
import { call } from "../core/api.js";
import { onEvent, onResync } from "../core/live.js";
import { currentBoard } from "../core/route.js";

const REST_MS = 500;

/** {value, error, busy, read}: signals with the operation's result; `wants(event)` says which events matter. */
export function useRead(op, args = {}, { wants = () => true, when = true, again = () => null } = {}) {
  const question = JSON.stringify([op, args, currentBoard.value, when]);
  const kept = useMemo(() => ({ value: signal(null), error: signal(null), busy: signal(true), read: () => {} }), []);
  useEffect(() => {
    let asked = 0;
    let timer = null;
    let later = null;
    let gone = false;
    const read = async () => {
      clearTimeout(timer);
      clearTimeout(later);
      timer = null;
      const mine = ++asked;
      kept.busy.value = true;
      try {
        const found = await call(op, args);
        if (gone || mine !== asked) return;
        kept.value.value = found;
        kept.error.value = null;
        const ms = again(found);
        if (ms !== null) later = setTimeout(() => (document.hidden ? whenSeen() : read()), ms);
      } catch (refused) {
        if (gone || mine !== asked) return;
        kept.error.value = refused;
      }
      kept.busy.value = false;
    };
    const whenSeen = () => document.addEventListener("visibilitychange", read, { once: true });
    const soon = () => { timer ??= setTimeout(read, REST_MS); };
    kept.read = read;
    if (!when) return undefined;
    read();
    const off = [onEvent((event) => wants(event) && soon()), onResync(read)];
    return () => {
      gone = true;
      clearTimeout(timer);
      clearTimeout(later);
      document.removeEventListener("visibilitychange", read);
      off.forEach((stop) => stop());
    };
  }, [question]);
  return kept;
}
