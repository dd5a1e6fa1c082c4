// Columns over time, one stack a slot, with a grid, hints and a table of the same figures beside.

import { html, useState } from "../core/dom.js";
import { Icon } from "../core/ui.js";
import { figures, useWidth } from "./scale.js";

const LEFT = 46;
const BOTTOM = 20;
const TOP = 8;

/** A chart of `slots` [{label, title, values: {name: number}}]; `series` are [{name, label, tone}], bottom first. */
export function Bars({ title, note = null, slots, series, format = String, height = 190 }) {
  const [ref, width] = useWidth(520);
  const [at, setAt] = useState(null);
  const shown = series.filter(({ name }) => slots.some((slot) => slot.values[name]));
  const sums = slots.map((slot) => shown.reduce((sum, { name }) => sum + (slot.values[name] ?? 0), 0));
  const grid = figures(Math.max(...sums, 0));
  const most = grid.at(-1);
  const inner = height - TOP - BOTTOM;
  const y = (value) => TOP + inner - (value / most) * inner;
  const step = (width - LEFT) / Math.max(1, slots.length);
  const every = Math.max(1, Math.ceil(58 / step));
  const total = sums.reduce((sum, one) => sum + one, 0);
  const told = at === null ? null : slots[at];
  return html`<figure class="chart">
    <figcaption><h2>${title}</h2><span class="chart-total">${format(total)}${note && html` <small>${note}</small>`}</span></figcaption>
    <div ref=${ref} class="chart-picture" onMouseLeave=${() => setAt(null)}>
      <svg width=${width} height=${height} role="img" aria-label=${`${title}: ${format(total)} in all. The figures are in the table below.`}>
        ${total === 0 && html`<text class="chart-none" x=${LEFT + (width - LEFT) / 2} y=${TOP + inner / 2}>nothing in this time</text>`}
        ${(total === 0 ? [0] : grid).map((value) => html`<g key=${value} class="chart-grid"><line x1=${LEFT} x2=${width} y1=${y(value)} y2=${y(value)} /><text x=${LEFT - 7} y=${y(value) + 3.5}>${value === 0 ? "0" : format(value)}</text></g>`)}
        ${slots.map((slot, place) => {
          const x = LEFT + place * step;
          let base = 0;
          return html`<g key=${slot.title} class=${place === at ? "is-here" : ""} onMouseEnter=${() => setAt(place)}>
            <rect class="chart-hit" x=${x} y=${TOP} width=${step} height=${inner} />
            ${shown.map(({ name, tone }) => {
              const value = slot.values[name] ?? 0;
              if (!value) return null;
              const from = base;
              base += value;
              const tall = Math.max(1, y(from) - y(base));
              return html`<rect key=${name} class=${`chart-bar is-${tone}`} x=${x + step * 0.12} y=${y(from) - tall} width=${Math.max(1, step * 0.76)} height=${tall} rx=${Math.min(2, step / 6)} />`;
            })}
            ${place % every === 0 && html`<text class="chart-label" x=${x + step / 2} y=${height - 5}>${slot.label}</text>`}
          </g>`;
        })}
      </svg>
      <p class="chart-told" aria-hidden="true">${told ? html`<b>${told.title}</b>${shown.filter(({ name }) => told.values[name]).map(({ name, label, tone }) => html`<span><i class=${`is-${tone}`} />${label} ${format(told.values[name])}</span>`)}`
        : shown.map(({ name, label, tone }) => html`<span key=${name}><i class=${`is-${tone}`} />${label}</span>`)}</p>
    </div>
    <${Table} title=${title} slots=${slots} series=${shown} format=${format} />
  </figure>`;
}

function Table({ title, slots, series, format }) {
  const filled = slots.filter((slot) => series.some(({ name }) => slot.values[name]));
  return html`<details class="as-table"><summary><${Icon} name="lanes" size="14" />As a table</summary>
    ${filled.length ? html`<table><caption class="spoken">${title}</caption><thead><tr><th scope="col">When</th>${series.map(({ name, label }) => html`<th key=${name} scope="col" class="is-figure">${label}</th>`)}</tr></thead>
      <tbody>${filled.map((slot) => html`<tr key=${slot.title}><th scope="row">${slot.title}</th>${series.map(({ name }) => html`<td key=${name} class="is-figure">${slot.values[name] ? format(slot.values[name]) : ""}</td>`)}</tr>`)}</tbody></table>`
      : html`<p class="part-none">There is nothing in this time.</p>`}
  </details>`;
}
