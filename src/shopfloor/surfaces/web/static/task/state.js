// One task as it is now: read as a whole, and read again when something of it, or of a task it is linked to, changes.

import { useCallback, useEffect, useRef, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { LEAVING, LEAVING_MS, onEvent, onResync } from "../core/live.js";

const TOGETHER_MS = 40;

/** {detail, refused, reload}: the task's page as `task.show` gives it, or why it cannot be had. */
export function useTask(id) {
  const [found, setFound] = useState({ detail: null, refused: null });
  const reader = useRef(null);
  useEffect(() => {
    const one = reading(id, setFound);
    reader.current = one;
    return one.stop;
  }, [id]);
  const reload = useCallback(() => reader.current?.read(), []);
  return { ...found, reload };
}

function reading(id, tell) {
  let alive = true;
  let busy = false;
  let again = false;
  let timer = null;
  let watched = new Set([id]);

  async function once() {
    try {
      const detail = await call("task.show", { id });
      if (!alive) return;
      watched = new Set([id, ...[...detail.parents, ...detail.children].map((task) => task.id)]);
      tell({ detail, refused: null });
      if (detail.why.code === LEAVING) soon(LEAVING_MS);
    } catch (refused) {
      // What was read before stays on the screen while the server is away.
      if (alive) tell((before) => (refused.code === "unreachable" && before.detail ? before : { detail: null, refused }));
    }
  }

  async function read() {
    again = busy;
    if (busy) return;
    busy = true;
    do {
      again = false;
      await once();
    } while (again && alive);
    busy = false;
  }

  function soon(ms = TOGETHER_MS) {
    timer ??= setTimeout(() => {
      timer = null;
      read();
    }, ms);
  }

  const offs = [onEvent((event) => watched.has(event.task) && soon()), onResync(() => soon())];
  read();
  return {
    read,
    stop: () => {
      alive = false;
      clearTimeout(timer);
      offs.forEach((off) => off());
    },
  };
}
