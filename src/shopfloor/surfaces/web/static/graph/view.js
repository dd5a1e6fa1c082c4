// A picture that can be moved and zoomed: by pointer, by wheel, by two fingers and by keys.

import { useCallback, useEffect, useRef, useState } from "../core/dom.js";

const SMALLEST = 0.15;
const LARGEST = 2.5;
const STEP = 1.25;
const EDGE = 28;

/**
 * {ref, view, zoom, pan, fit, show, stay}: `view` is {x, y, k}; `fit` shows all of a size, `show` makes a box visible;
 * `stay` keeps a place of the picture where it is seen when it is drawn anew elsewhere, unless all is shown.
 */
export function useView(size) {
  const ref = useRef(null);
  const [view, setView] = useState({ x: EDGE, y: EDGE, k: 1 });
  const touched = useRef(false);
  const fit = useCallback(() => {
    const box = ref.current?.getBoundingClientRect();
    if (!box?.width || !size.width) return;
    const k = clamp(Math.min((box.width - 2 * EDGE) / size.width, (box.height - 2 * EDGE) / size.height, 1));
    touched.current = false;
    setView({ k, x: (box.width - size.width * k) / 2, y: (box.height - size.height * k) / 2 });
  }, [size.width, size.height]);
  const change = (make) => {
    touched.current = true;
    setView(make);
  };
  const zoomAt = (by, px, py) => change((old) => {
    const k = clamp(old.k * by);
    return { k, x: px - ((px - old.x) * k) / old.k, y: py - ((py - old.y) * k) / old.k };
  });
  const zoom = (steps) => {
    const box = ref.current.getBoundingClientRect();
    zoomAt(STEP ** steps, box.width / 2, box.height / 2);
  };
  const pan = (dx, dy) => change((old) => ({ ...old, x: old.x + dx, y: old.y + dy }));
  const show = ({ x, y, width, height }) => change((old) => {
    const box = ref.current.getBoundingClientRect();
    return { ...old, x: inside(old.x, x * old.k, width * old.k, box.width), y: inside(old.y, y * old.k, height * old.k, box.height) };
  });
  const stay = (before, after) => {
    if (touched.current) setView((old) => ({ ...old, x: old.x + (before.x - after.x) * old.k, y: old.y + (before.y - after.y) * old.k }));
    else fit();
  };
  useEffect(() => {
    const place = ref.current;
    if (!place) return undefined;
    const resized = new ResizeObserver(() => touched.current || fit());
    resized.observe(place);
    const off = pointers(place, { pan, zoomAt });
    return () => {
      resized.disconnect();
      off();
    };
  }, [fit]);
  return { ref, view, zoom, pan, fit, show, stay };
}

const clamp = (k) => Math.min(LARGEST, Math.max(SMALLEST, k));

/** The offset that brings a stretch into a window, moved as little as possible. */
function inside(offset, from, length, window) {
  const begin = offset + from;
  if (begin < EDGE) return EDGE - from;
  return begin + length > window - EDGE ? window - EDGE - from - length : offset;
}

function pointers(place, { pan, zoomAt }) {
  const down = new Map();
  let spread = 0;
  const here = (event) => {
    const box = place.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const on = {
    wheel: (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) zoomAt(Math.exp(-event.deltaY / 240), ...here(event));
      else pan(-(event.shiftKey ? event.deltaY : event.deltaX), event.shiftKey ? 0 : -event.deltaY);
    },
    pointerdown: (event) => {
      if (event.button !== 0) return;
      down.set(event.pointerId, here(event));
      spread = 0;
    },
    pointermove: (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const now = here(event);
      const far = Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (down.size === 1 && !place.hasPointerCapture(event.pointerId)) {
        // A press on a node that hardly moves stays a press.
        if (far < 4) return;
        place.setPointerCapture(event.pointerId);
      }
      down.set(event.pointerId, now);
      if (down.size === 1) pan(now[0] - before[0], now[1] - before[1]);
      else {
        const [one, other] = [...down.values()];
        const wide = Math.hypot(one[0] - other[0], one[1] - other[1]);
        if (spread) zoomAt(wide / spread, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
        spread = wide;
      }
    },
    pointerup: (event) => down.delete(event.pointerId),
    pointercancel: (event) => down.delete(event.pointerId),
  };
  for (const [name, fn] of Object.entries(on)) place.addEventListener(name, fn, { passive: false });
  return () => { for (const [name, fn] of Object.entries(on)) place.removeEventListener(name, fn); };
}
