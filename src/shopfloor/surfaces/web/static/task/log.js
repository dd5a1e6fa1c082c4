// The log of a task, in its colours, as it grows: it follows the end, stops when one scrolls up, and says where the
// whole is when it is too long to be shown.

import { html, Markup, useEffect, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { get } from "../core/api.js";
import { Busy, Button, Empty, Icon } from "../core/ui.js";
import { bytes, Copy, tail } from "./parts.js";

const SIZES = [64 * 1024, 512 * 1024, 4 * 1024 * 1024];
const EVERY_MS = 1000;
const NEAR_PX = 24;

export function Log({ detail }) {
  const { task } = detail;
  const live = detail.runs.some((run) => run.gone_at === null);
  const [size, setSize] = useState(SIZES[0]);
  const [read, refused] = useLog(task.id, size, live);
  const [following, setFollowing] = useState(true);
  const [wrap, setWrap] = useState(true);
  const box = useRef(null);
  const selecting = useSelection(box);
  // What is selected stays until it is let go, and so does what is read of a log whose beginning is being cut off.
  const held = useRef(null);
  const stays = held.current?.tail === size && (selecting || (!following && read?.truncated));
  if (!stays) held.current = read;
  const log = held.current;
  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [log, following, wrap]);
  if (refused) return html`<p class="dialog-warning" role="alert"><${Icon} name="alert" />${refused.message}</p>`;
  if (!log) return html`<${Busy} label="Reading the log" />`;
  if (!log.exists) return html`<${Empty} title="No log yet" icon="orders">It is there as soon as a worker says something.<//>`;
  const onScroll = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current;
    setFollowing(scrollTop + clientHeight >= scrollHeight - NEAR_PX);
  };
  const larger = SIZES[SIZES.indexOf(size) + 1];
  return html`<div class="log">
    <div class="log-bar">
      <span>${bytes(read.size)}</span>
      ${live && html`<span class=${`log-state${following ? " is-live" : ""}`} role="status">${following ? "following" : "paused"}</span>`}
      <label class="log-wrap"><input type="checkbox" checked=${wrap} onChange=${(event) => setWrap(event.target.checked)} />Wrap lines</label>
      <span class="log-path" title=${log.path}><code>${tail(log.path)}</code><${Copy} text=${log.path} label="Copy the path of the log" /></span>
    </div>
    ${log.truncated && html`<p class="log-cut">The beginning is not shown; what is kept of it is in the file above.
      ${larger && html`<${Button} small onClick=${() => setSize(larger)}>Show ${bytes(larger)}<//>`}</p>`}
    <pre ref=${box} class=${`log-text${wrap ? " is-wrapped" : ""}`} tabindex="0" role="log" aria-live="off" aria-label=${`Log of #${task.id}`} onScroll=${onScroll}><${Markup} as="code" of=${log.html} /></pre>
    ${!following && html`<${Button} class="log-end" small kind="primary" onClick=${() => setFollowing(true)}>To the end<//>`}
  </div>`;
}

/** [the log, why it cannot be read]; read again each second while something of the task is alive. */
function useLog(task, tail, live) {
  const [log, setLog] = useState(null);
  const [refused, setRefused] = useState(null);
  useEffect(() => {
    const stop = new AbortController();
    let timer = null;
    let known = -1;
    const read = async () => {
      try {
        if (!document.hidden || known < 0) {
          const found = await get(`/tasks/${task}/log.html`, { tail_bytes: tail }, { signal: stop.signal });
          // A log that was turned over is smaller than before, so only an equal size is no news.
          if (found.size !== known) setLog({ ...found, tail });
          known = found.size;
          setRefused(null);
        }
      } catch (why) {
        if (why.name === "AbortError") return;
        if (known < 0) setRefused(why);
      }
      if (live && !stop.signal.aborted) timer = setTimeout(read, EVERY_MS);
    };
    read();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [task, tail, live]);
  return [log, refused];
}

/** Whether something inside a box is selected. */
function useSelection(box) {
  const [selecting, setSelecting] = useState(false);
  useEffect(() => {
    const look = () => {
      const selection = getSelection();
      setSelecting(!selection.isCollapsed && Boolean(box.current?.contains(selection.anchorNode) || box.current?.contains(selection.focusNode)));
    };
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, []);
  return selecting;
}
