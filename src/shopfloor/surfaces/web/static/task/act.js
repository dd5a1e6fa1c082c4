// Doing things to tasks: the request, the message about it, and the way back.
//
// A change that can be taken back keeps how, in the message and for the key `u`; the latest one counts.

import { signal } from "../core/dom.js";
import { change } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { refuse, toast } from "../core/toast.js";

/** The way back of the latest change: {label, run}, or null. */
export const wayBack = signal(null);

/** Ask for a change; its result, or null after the refusal was shown. `undo` is {op, args, done}. */
export async function act(op, args, { done = null, undo = null, what = "" } = {}) {
  try {
    const result = await change(op, args);
    const back = undo && remember(undo);
    if (done) toast(done, { action: back && { label: "Undo", run: back.run }, detail: result?.note ?? null });
    return result ?? {};
  } catch (refused) {
    refuse(refused, what);
    return null;
  }
}

function remember({ op, args, done }) {
  const back = {
    label: done,
    run: () => {
      if (wayBack.peek() === back) wayBack.value = null;
      return act(op, args, { done });
    },
  };
  wayBack.value = back;
  return back;
}

/** Take the latest change back. */
export function undo() {
  wayBack.peek()?.run();
}

/** The command of the key `u`, for pages that change tasks. */
export function undoCommand(group) {
  return { id: "undo", title: "Undo the latest change", group, keys: ["u"], when: () => wayBack.value !== null, run: undo };
}

/** Commands of the task that is open: they keep out of the way while a card of the board behind has the focus. */
export function useTaskCommands(make, deps) {
  const inTask = () => !document.activeElement?.closest?.(".main");
  useCommands(() => make().map((one) => ({ group: "Task", ...one, when: () => inTask() && (one.when?.() ?? true) })), deps);
}
