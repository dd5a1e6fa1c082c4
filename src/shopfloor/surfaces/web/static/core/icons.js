// The icons, drawn on a grid of 16: one path each, in the colour of the text around them.

import { html } from "./dom.js";

const PATHS = {
  board: "M2.5 3h3v10h-3zM6.5 3h3v7h-3zM10.5 3h3v4.5h-3z",
  needs: "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4zM6.5 13.5a1.5 1.5 0 0 0 3 0",
  timeline: "M2 4h6M5 8h7M3.5 12H10M2 2v12",
  graph: "M4 3.5a1.5 1.5 0 1 1-.01 0M12 6.5a1.5 1.5 0 1 1-.01 0M4 11a1.5 1.5 0 1 1-.01 0M5.5 5l5 2.6M5.4 12l5.2-3",
  stats: "M2.5 13.5h11M4 11V8M7 11V4M10 11V6.5M13 11V9",
  schedules: "M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.4",
  orders: "M4 2.5h8v11l-2-1.3-2 1.3-2-1.3-2 1.3zM6 5.5h4M6 8h4",
  deliveries: "M2.5 8 13.5 3 10 13.5 7.5 9.5zM7.5 9.5 13.5 3",
  hosts: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  settings: "M2 5h7M12.5 5H14M2 11h1.5M7 11h7M10.7 3.3a1.7 1.7 0 1 1-.01 0M5.2 9.3a1.7 1.7 0 1 1-.01 0",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 1-.01 0M10.4 10.4 13.5 13.5",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5 6.5 12 13 4.5",
  alert: "M8 2.5 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
  info: "M8 2.2a5.8 5.8 0 1 1-.01 0M8 7.3v3.7M8 5v.1",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  chevron: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  left: "M10 4 6 8l4 4",
  sun: "M8 5.2a2.8 2.8 0 1 1-.01 0M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z",
  auto: "M2.5 3.5h11v7.5h-11zM6 13.5h4M8 11v2.5",
  keyboard: "M1.8 4h12.4v8H1.8zM4.2 6.6h.01M6.7 6.6h.01M9.2 6.6h.01M11.7 6.6h.01M5 9.4h6",
  logout: "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
  comment: "M2.5 3h11v8H8l-3 2.5V11H2.5z",
  clip: "M12.5 7 7.6 11.9a2.6 2.6 0 0 1-3.7-3.7l5-5a1.8 1.8 0 0 1 2.5 2.5l-5 5a.9.9 0 0 1-1.2-1.2L9.6 5",
  question: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.6 8 9 8 9.8M8 12.4v.1",
  branch: "M4.5 3a1.4 1.4 0 1 1-.01 0M4.5 10.2a1.4 1.4 0 1 1-.01 0M11.5 4.5a1.4 1.4 0 1 1-.01 0M4.5 5.8v4.4M11.5 7.3c0 2.2-7 1-7 2.9",
  archive: "M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 9h3",
  stop: "M4 4h8v8H4z",
  play: "M5 3v10l8-5z",
  pause: "M5 3v10M11 3v10",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  move: "M3 8h10M9.5 4.5 13 8l-3.5 3.5",
  split: "M3 8h3l4-4.5h3M6 8l4 4.5h3",
  filter: "M2 3.5h12L9.5 8.7v4L6.5 11V8.7z",
  lanes: "M2 3.5h12M2 8h12M2 12.5h12",
  user: "M8 2.5a2.7 2.7 0 1 1-.01 0M2.8 13.5c.5-3 2.5-4.3 5.2-4.3s4.7 1.3 5.2 4.3",
  link: "M6.5 9.5l3-3M7.5 4.5l1-1a2.8 2.8 0 0 1 4 4l-1 1M8.5 11.5l-1 1a2.8 2.8 0 0 1-4-4l1-1",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  edit: "M3 13l.6-2.6 7.7-7.7 2 2-7.7 7.7zM9.8 4.2l2 2",
  external: "M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11 9.5v4H2.5V5h4",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9",
  download: "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3",
};

/** An icon beside words; with a `label` it stands for them. */
export function Icon({ name, label, size = 16 }) {
  return html`<svg class="icon" viewBox="0 0 16 16" width=${size} height=${size} aria-hidden=${label ? null : "true"}
      role=${label ? "img" : null} aria-label=${label ?? null}><path d=${PATHS[name] ?? PATHS.info} /></svg>`;
}

// A status is told by its shape as well as by its colour: how full the circle is, and what is in it.
const MARKS = {
  triage: html`<circle cx="8" cy="8" r="5.5" stroke-dasharray="1.5 2.3" />`,
  todo: html`<circle cx="8" cy="8" r="5.5" />`,
  scheduled: html`<circle cx="8" cy="8" r="5.5" /><path d="M8 4.8V8l2.2 1.4" />`,
  ready: html`<circle cx="8" cy="8" r="5.5" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 0 0 11z" />`,
  running: html`<circle cx="8" cy="8" r="5.5" /><path class="solid" d="M6.5 5.3v5.4L11 8z" />`,
  review: html`<circle cx="8" cy="8" r="5.5" /><circle class="solid" cx="8" cy="8" r="2.2" />`,
  blocked: html`<path d="M5.7 2.5h4.6l3.2 3.2v4.6l-3.2 3.2H5.7l-3.2-3.2V5.7z" /><path d="M5.5 8h5" />`,
  done: html`<circle class="solid" cx="8" cy="8" r="6" /><path class="cut" d="M5.2 8.2 7.2 10.2 10.9 6" />`,
  cancelled: html`<circle cx="8" cy="8" r="5.5" /><path d="M5.8 5.8l4.4 4.4M10.2 5.8 5.8 10.2" />`,
  archived: html`<path d="M2.5 3.5h11v3h-11zM3.5 6.5v6h9v-6M6.5 9h3" />`,
};

/** The mark of a status. */
export function StatusMark({ status, label }) {
  return html`<svg class=${`mark is-${status}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden=${label ? null : "true"}
      role=${label ? "img" : null} aria-label=${label ?? null}>${MARKS[status] ?? MARKS.todo}</svg>`;
}
