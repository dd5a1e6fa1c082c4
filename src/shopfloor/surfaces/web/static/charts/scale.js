// Scales of pictures: how wide there is room, which moments and figures a line of the grid stands for.

import { useEffect, useRef, useState } from "../core/dom.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** [ref, width]: how many pixels wide an element is, as it changes. */
export function useWidth(preset = 800) {
  const ref = useRef(null);
  const [width, setWidth] = useState(preset);
  useEffect(() => {
    const watched = new ResizeObserver(([entry]) => setWidth(Math.round(entry.contentRect.width)));
    watched.observe(ref.current);
    return () => watched.disconnect();
  }, []);
  return [ref, width];
}

/** Moments between two for a grid with about so many lines, at round times of the reader's zone. */
export function moments(from, to, many) {
  const step = STEPS.find((one) => (to - from) / one <= many) ?? 7 * DAY;
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const found = [];
  for (let at = first; at <= to; at += step) found.push({ at, label: step >= DAY || isMidnight(at) ? DATE.format(at) : CLOCK.format(at), strong: isMidnight(at) });
  return found;
}

function isMidnight(at) {
  const date = new Date(at);
  return date.getHours() === 0 && date.getMinutes() === 0;
}

/** Round figures from 0 to at least the largest, about so many. */
export function figures(largest, many = 4) {
  if (largest <= 0) return [0, 1];
  const rough = largest / many;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let at = 0; at < largest + step; at += step) found.push(at);
  return found;
}
