// One task as it is now: read as a whole, and read again when something of it, or of a task it is linked to, changes.

import { call } from "../core/api.js";
import { LEAVING, LEAVING_MS } from "../core/live.js";
import { useReading } from "../core/reader.js";

const TOGETHER_MS = 40;

/** {detail, refused, reload}: the task's page as `task.show` gives it, or why it cannot be had. */
export function useTask(id) {
  const { value, refused, read } = useReading(() => call("task.show", { id }), [id], {
    pauseMs: TOGETHER_MS,
    wants: (event, detail) => !detail || event.task === id || [...detail.parents, ...detail.children].some((task) => task.id === event.task),
    again: (detail) => (detail.why.code === LEAVING ? LEAVING_MS : null),
  });
  return { detail: value, refused, reload: read };
}
