// Reading what is shown, and again when it may have changed.
//
// Nothing is read twice at once, so no older answer comes after a newer one and none is thrown away; what was asked
// for meanwhile is read once more.  Where the server cannot answer for a moment, what was read before stays, and it
// is asked again after a while.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { isPassing } from "./api.js";
import { onEvent, onResync } from "./live.js";

const AGAIN_MS = 2000;

/** {read, soon, stop}: `ask` reads, `show` is given the answer, `refused` the refusal; `soon` gathers for `pauseMs`. */
export function reader({ ask, show = () => {}, refused = () => {}, pauseMs, againMs = AGAIN_MS }) {
  let [busy, again, over] = [false, false, false];
  let [timer, due] = [null, Infinity];

  async function read() {
    clearTimeout(timer);
    due = Infinity;
    again = busy;
    if (busy || over) return;
    busy = true;
    const told = await ask().then((answer) => () => show(answer), (why) => () => {
      if (isPassing(why)) soon(againMs);
      refused(why);
    });
    busy = false;
    if (over) return;
    told();
    if (again) soon();
  }

  function soon(ms = pauseMs) {
    if (over || Date.now() + ms >= due) return;
    clearTimeout(timer);
    due = Date.now() + ms;
    timer = setTimeout(read, ms);
  }

  const stop = () => {
    over = true;
    clearTimeout(timer);
  };
  return { read, soon, stop };
}

/** {read, stop}: read now, and again at each event that `wants` wants and when the stream is back; not `live`, once. */
export function following({ ask, show, refused, pauseMs, wants = () => true, live = true }) {
  const one = reader({ ask, show, refused, pauseMs });
  const offs = live ? [onEvent((event) => wants(event) && one.soon()), onResync(() => one.soon())] : [];
  one.read();
  const stop = () => {
    one.stop();
    offs.forEach((off) => off());
  };
  return { read: one.read, stop };
}

/**
 * {value, refused, read}: an answer that is kept current while the component is there, asked for anew when `deps` change.
 * `wants(event, value)` says which events matter, `again(value)` after how long to look without one, on the screen only.
 */
export function useReading(ask, deps, { pauseMs, wants = () => true, again = () => null, live = true }) {
  const [found, setFound] = useState({ value: null, refused: null });
  const reading = useRef(null);
  useEffect(() => {
    let known = null;
    let timer = null;
    const look = () => (document.hidden ? document.addEventListener("visibilitychange", look, { once: true }) : one.read());
    const show = (value) => {
      known = value;
      setFound({ value, refused: null });
      clearTimeout(timer);
      const ms = again(value);
      if (ms !== null) timer = setTimeout(look, ms);
    };
    const refused = (why) => setFound((before) => (before.value !== null && isPassing(why) ? before : { value: null, refused: why }));
    const one = following({ ask, show, refused, pauseMs, live, wants: (event) => wants(event, known) });
    reading.current = one;
    return () => {
      one.stop();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, deps);
  return { ...found, read: () => reading.current?.read() };
}
