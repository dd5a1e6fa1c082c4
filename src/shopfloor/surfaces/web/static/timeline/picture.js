// The timeline drawn: a grid of moments, lanes with their names, bars, and the wait of the one that is chosen.

import { html, useEffect, useRef } from "../core/dom.js";
import { useCommands } from "../core/keys.js";
import { moments, useWidth } from "../charts/scale.js";
import { useLatest } from "../core/ui.js";
import { words } from "../task/parts.js";
import { kindOf } from "./lanes.js";

const HEAD = 24;
const BAR = 15;
const GAP = 3;
const DEPTH = 20;
const PAD = 8;
const NARROW = 600;
const PX_PER_LINE = 90;

export function Picture({ lanes, window, now, chosen, onChoose, onOpen }) {
  const [ref, width] = useWidth();
  const side = width < NARROW ? 0 : 148;
  const scale = (at) => side + ((at - window.from) / (window.to - window.from)) * (width - side);
  const tall = placed(lanes, side === 0 ? 18 : 0);
  const height = tall.at(-1)?.end ?? HEAD;
  const bars = lanes.map((lane) => lane.bars);
  const svg = useRef(null);
  const all = bars.flat();
  const here = all.find((bar) => bar.run.run === chosen) ?? all.at(-1);
  useSteps(bars, here, onChoose, svg, onOpen);
  return html`<div ref=${ref} class="timeline-picture">
    <svg ref=${svg} width=${width} height=${height} role="group" aria-label=${`Timeline: ${all.length} runs in ${lanes.length} lanes`}>
      <defs>
        <pattern id="failed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="run-failed-a" width="6" height="6" /><rect class="run-failed-b" width="2.4" height="6" /></pattern>
        <clipPath id="lanes"><rect x=${side} y="0" width=${Math.max(0, width - side)} height=${height} /></clipPath>
      </defs>
      ${moments(window.from, window.to, Math.max(2, (width - side) / PX_PER_LINE)).map((one) => html`<g key=${one.at} class=${`moment${one.strong ? " is-strong" : ""}`} aria-hidden="true">
        <line x1=${scale(one.at)} x2=${scale(one.at)} y1=${HEAD - 6} y2=${height} />${scale(one.at) < width - 40 && html`<text x=${scale(one.at) + 4} y=${HEAD - 9}>${one.label}</text>`}</g>`)}
      ${tall.map(({ lane, top, end, bars: from }) => html`<g key=${lane.key} class="lane">
        <line class="lane-line" x1="0" x2=${width} y1=${end} y2=${end} />
        <text class="lane-who" x="2" y=${top + (side ? 19 : 14)}>${cut(lane.who, side ? 19 : 40)}</text>
        <text class="lane-host" x=${side ? 2 : width - 4} y=${top + (side ? 33 : 14)} text-anchor=${side ? "start" : "end"}>${cut(lane.host, 22)}${lane.most > 0 ? ` · ${lane.most} waited` : ""}</text>
        <g clip-path="url(#lanes)">
          ${lane.most > 0 && html`<path class="lane-depth" d=${depthPath(lane, scale, from - 2, window)} aria-hidden="true" />`}
          ${lane.rows.map((row, at) => row.filter((bar) => bar.to >= window.from && bar.from <= window.to).map((bar) => html`<${Bar} key=${bar.run.run} bar=${bar} y=${from + at * (BAR + GAP)} scale=${scale} now=${now}
              chosen=${bar === here} shown=${bar.run.run === chosen} onChoose=${onChoose} onOpen=${onOpen} />`))}
        </g></g>`)}
      <line class="timeline-now" x1=${scale(now)} x2=${scale(now)} y1=${HEAD - 6} y2=${height} aria-hidden="true" />
    </svg>
  </div>`;
}

/** Where each lane stands: its top, where its bars begin, its end. */
function placed(lanes, name) {
  let top = HEAD;
  return lanes.map((lane) => {
    const bars = top + PAD + name + (lane.most > 0 ? DEPTH : 0);
    const end = Math.max(bars + lane.rows.length * (BAR + GAP) + PAD - GAP, top + 42);
    const one = { lane, top, bars, end };
    top = end;
    return one;
  });
}

/** How much waited as an area of steps that stands on the bars. */
function depthPath(lane, scale, base, window) {
  const up = (many) => base - (many / lane.most) * (DEPTH - 4);
  let path = `M${scale(window.from)} ${base}`;
  let many = 0;
  for (const [at, next] of lane.depth) {
    const x = scale(Math.max(window.from, Math.min(window.to, at)));
    path += ` L${x} ${up(many)} L${x} ${up(next)}`;
    many = next;
  }
  return `${path} L${scale(window.to)} ${up(many)} L${scale(window.to)} ${base} Z`;
}

function Bar({ bar, y, scale, now, chosen, shown, onChoose, onOpen }) {
  const { run, from, to, queued, before } = bar;
  const x = scale(from);
  const wide = Math.max(2.5, scale(to) - x);
  const label = `#${run.task} ${run.title}: ${words(run.outcome ?? run.state)}, attempt ${run.attempt}`;
  const middle = y + BAR / 2;
  return html`<g class="run" role="link" tabindex=${chosen ? "0" : "-1"} data-run=${run.run} aria-label=${label}
      onFocus=${() => onChoose(run.run)} onMouseEnter=${() => onChoose(run.run)} onClick=${() => onOpen(run)}>
    ${shown && before !== null && html`<line class="run-wait is-before" x1=${scale(before)} x2=${scale(queued ?? from)} y1=${middle} y2=${middle} />`}
    ${shown && queued !== null && html`<line class="run-wait" x1=${scale(queued)} x2=${x} y1=${middle} y2=${middle} />`}
    <rect class=${`run-bar is-${kindOf(run)}${shown ? " is-here" : ""}`} x=${x} y=${y} width=${run.ended_at ? wide : Math.max(wide, scale(now) - x)} height=${BAR} rx=${Math.min(2.5, wide / 3)} />
    ${run.attempt > 1 && wide > 26 && html`<text class="run-text" x=${x + 5} y=${y + 11}>${run.attempt}.</text>`}
    ${wide > 60 && html`<text class="run-text" x=${x + (run.attempt > 1 ? 19 : 5)} y=${y + 11}>${cut(`#${run.task} ${run.title}`, Math.floor((wide - 22) / 6.2))}</text>`}
  </g>`;
}

function cut(text, most) {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

/** Arrow keys: along a lane, and to the run nearest in time of the next one. */
function useSteps(lanes, here, onChoose, svg, onOpen) {
  const wanted = useRef(null);
  useEffect(() => {
    if (wanted.current === null) return;
    svg.current?.querySelector(`[data-run="${wanted.current}"]`)?.focus({ preventScroll: false });
    wanted.current = null;
  });
  const go = (bar) => {
    if (!bar) return;
    wanted.current = bar.run.run;
    onChoose(bar.run.run);
  };
  // Keys come faster than what they change is registered anew, so they look at what is chosen now.
  const now = useLatest({ lanes, here });
  const inLane = (by) => {
    const lane = now.current.lanes.find((one) => one.includes(now.current.here));
    go(lane?.[lane.indexOf(now.current.here) + by]);
  };
  const toLane = (by) => {
    const { lanes: all, here: bar } = now.current;
    const next = all[all.findIndex((one) => one.includes(bar)) + by];
    go(next && [...next].sort((one, other) => Math.abs(one.from - bar.from) - Math.abs(other.from - bar.from))[0]);
  };
  const group = "Timeline";
  useCommands(() => [
    { id: "timeline.left", title: "The run before", group, keys: ["ArrowLeft", "h"], run: () => inLane(-1) },
    { id: "timeline.right", title: "The run after", group, keys: ["ArrowRight", "l"], run: () => inLane(1) },
    { id: "timeline.up", title: "The lane above", group, keys: ["ArrowUp", "k"], run: () => toLane(-1) },
    { id: "timeline.down", title: "The lane below", group, keys: ["ArrowDown", "j"], run: () => toLane(1) },
    { id: "timeline.open", title: "Open the task", group, keys: ["Enter", "o"], run: () => now.current.here && onOpen(now.current.here.run) },
  ], []);
}
