// The graph of a task: what it waits for on the left, what waits for it on the right, with the statuses.
//
// Arrow keys go along the links; the same graph is there as a table for who cannot see the picture.

import { html, useLayoutEffect, useMemo, useRef, useState } from "../core/dom.js";
import { call } from "../core/api.js";
import { useCommands } from "../core/keys.js";
import { useReading } from "../core/reader.js";
import { go, inBoard } from "../core/route.js";
import { sheet } from "../core/sheet.js";
import { Busy, Empty, Icon, IconButton, Status, StatusMark, useLatest } from "../core/ui.js";
import { words } from "../task/parts.js";
import { layout, NODE, pathOf } from "./layout.js";
import { useView } from "./view.js";

await sheet("graph");

const GROUP = "Graph";
const TOGETHER_MS = 250;
// What tells of one end of a link concerns the other, too.
const LINKS = new Set(["created", "linked", "unlinked", "decomposed", "deleted"]);
const LINE_CHARS = 25;

export function GraphPage({ params }) {
  const root = Number(params.task);
  const { graph, refused } = useGraph(root);
  if (refused) return html`<${Empty} title="The graph cannot be shown" icon="alert">${refused.message}<//>`;
  if (!graph) return html`<${Busy} label="Drawing the graph" />`;
  return html`<${Graph} graph=${graph} />`;
}

function useGraph(root) {
  const { value, refused } = useReading(() => call("task.graph", { id: root }), [root], {
    pauseMs: TOGETHER_MS,
    wants: (event, graph) => event.kind !== "heartbeat" && (!graph || LINKS.has(event.kind) || graph.nodes.some((node) => node.id === event.task)),
  });
  return { graph: value, refused };
}

function Graph({ graph }) {
  const shape = graph.nodes.map((node) => node.id).join() + graph.edges.map((edge) => `${edge.parent}-${edge.child}`).join();
  const tall = matchMedia("(max-width: 640px)").matches;
  const drawn = useMemo(() => layout(graph.nodes, graph.edges, tall), [shape, tall]);
  const { ref, view, zoom, pan, fit, show, stay } = useView(drawn);
  const [chosen, setChosen] = useState(graph.root);
  const picture = useRef(null);
  const here = drawn.places.has(chosen) ? chosen : graph.root;
  const before = useRef({ root: null, places: new Map() });
  useLayoutEffect(() => {
    const { root: of, places } = before.current;
    before.current = { root: graph.root, places: drawn.places };
    if (of === graph.root && places.has(here)) stay(places.get(here), drawn.places.get(here));
    else fit();
  }, [shape, graph.root]);
  // Keys come faster than what they change is registered anew, so they look at what is chosen now.
  const now = useLatest(here);
  const goTo = (id) => {
    if (id === null || id === undefined) return;
    setChosen(id);
    show({ ...drawn.places.get(id), ...NODE });
    picture.current?.querySelector(`[data-id="${id}"]`)?.focus({ preventScroll: true });
  };
  useCommands(() => [
    ...steps(tall).map(({ id, title, keys, to }) => ({ id, title, group: GROUP, keys, run: () => goTo(to(drawn, graph, now.current)) })),
    { id: "graph.open", title: "Open the task", group: GROUP, keys: ["Enter", "o"], run: () => go(inBoard(`/t/${now.current}`)) },
    { id: "graph.root", title: "Draw the graph of this task", group: GROUP, keys: ["Shift+G"], run: () => go(inBoard(`/graph/${now.current}`)) },
    { id: "graph.in", title: "Zoom in", group: GROUP, keys: ["+", "="], run: () => zoom(1) },
    { id: "graph.out", title: "Zoom out", group: GROUP, keys: ["-"], run: () => zoom(-1) },
    { id: "graph.fit", title: "Show all", group: GROUP, keys: ["0"], run: fit },
    ...[["Left", 80, 0], ["Right", -80, 0], ["Up", 0, 80], ["Down", 0, -80]].map(([side, dx, dy]) => (
      { id: `graph.pan.${side}`, title: `Move the picture: ${side.toLowerCase()}`, group: GROUP, keys: [`Shift+Arrow${side}`], run: () => pan(dx, dy) })),
  ], [drawn, graph]);
  const root = graph.nodes.find((node) => node.id === graph.root);
  return html`<div class="graph">
    <header class="graph-head">
      <h1><a class="number" href=${inBoard(`/t/${graph.root}`)}>#${graph.root}</a> ${root?.title}</h1>
      <span class="graph-count">${graph.nodes.length} ${graph.nodes.length === 1 ? "task" : "tasks"}${graph.cut ? ", and more that are not shown" : ""}</span>
      <span class="graph-tools"><${IconButton} icon="plus" label="Zoom in (+)" onClick=${() => zoom(1)} />
        <button type="button" class="button is-quiet is-icon" aria-label="Zoom out (-)" title="Zoom out (-)" onClick=${() => zoom(-1)}>−</button>
        <button type="button" class="button is-quiet" title="Show all (0)" onClick=${fit}>All</button></span>
    </header>
    <div ref=${ref} class="graph-window">
      <svg ref=${picture} class="graph-picture" role="group" aria-label=${`Graph of #${graph.root}: ${graph.nodes.length} tasks`}>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0.8 7 4 0 7.2z" /></marker></defs>
        <g transform=${`translate(${view.x} ${view.y}) scale(${view.k})`}>
          <${Edges} ways=${drawn.ways} tall=${drawn.tall} nodes=${graph.nodes} chosen=${here} />
          ${graph.nodes.map((node) => html`<${Node} key=${node.id} node=${node} tall=${drawn.tall} at=${drawn.places.get(node.id)} root=${node.id === graph.root} chosen=${node.id === here}
            shown=${shownLinks(graph, node.id)} onChoose=${() => setChosen(node.id)} />`)}
        </g>
      </svg>
      ${graph.nodes.length === 1 && html`<p class="graph-alone">It waits for nothing, and nothing waits for it. Links are added on the task's page.</p>`}
    </div>
    <${Table} graph=${graph} />
  </div>`;
}

/** The arrow keys: along the links, which lead to the right or downwards, and beside them. */
function steps(tall) {
  const [back, on, up, down] = tall ? ["Up k", "Down j", "Left h", "Right l"] : ["Left h", "Right l", "Up k", "Down j"];
  const keys = (names) => [`Arrow${names.split(" ")[0]}`, names.split(" ")[1]];
  return [
    { id: "graph.back", title: "To what it waits for", keys: keys(back), to: (drawn, graph, id) => along(drawn, graph, id, "parent") },
    { id: "graph.on", title: "To what waits for it", keys: keys(on), to: (drawn, graph, id) => along(drawn, graph, id, "child") },
    { id: "graph.before", title: "To the one beside it, before", keys: keys(up), to: (drawn, _graph, id) => beside(drawn, id, -1) },
    { id: "graph.after", title: "To the one beside it, after", keys: keys(down), to: (drawn, _graph, id) => beside(drawn, id, 1) },
  ];
}

const side = (drawn, id) => drawn.places.get(id)[drawn.tall ? "x" : "y"];

/** The one that stands nearest at the other end of the links of a task. */
function along(drawn, graph, id, end) {
  const other = end === "parent" ? "child" : "parent";
  const near = graph.edges.filter((edge) => edge[other] === id).map((edge) => edge[end]);
  const far = (one) => Math.abs(side(drawn, one) - side(drawn, id));
  return near.sort((one, two) => far(one) - far(two))[0] ?? null;
}

function beside(drawn, id, by) {
  const { layer } = drawn.places.get(id);
  const row = [...drawn.places.keys()].filter((one) => drawn.places.get(one).layer === layer).sort((one, two) => side(drawn, one) - side(drawn, two));
  return row[row.indexOf(id) + by] ?? null;
}

function shownLinks(graph, id) {
  return { parents: graph.edges.filter((edge) => edge.child === id).length, children: graph.edges.filter((edge) => edge.parent === id).length };
}

function Edges({ ways, tall, nodes, chosen }) {
  const done = new Set(nodes.filter((node) => node.status === "done").map((node) => node.id));
  return html`<g class="graph-edges" aria-hidden="true">${ways.map(({ edge, points }) => {
    const kind = edge.waived ? "is-waived" : done.has(edge.parent) ? "is-met" : "is-open";
    const near = edge.parent === chosen || edge.child === chosen;
    return html`<path key=${`${edge.parent}-${edge.child}`} class=${`graph-edge ${kind}${near ? " is-near" : ""}`} d=${pathOf(points, tall)} marker-end="url(#arrow)" />`;
  })}</g>`;
}

function Node({ node, tall, at, root, chosen, shown, onChoose }) {
  const hidden = { parents: node.parents - shown.parents, children: node.children - shown.children };
  const label = `#${node.id} ${node.title}, ${words(node.status)}${node.assignee ? `, ${node.assignee}` : ""}, waits for ${node.parents}, ${node.children} wait for it`;
  const open = () => go(inBoard(`/t/${node.id}`));
  const lines = broken(node.title);
  return html`<g class=${`graph-node is-${node.status}${root ? " is-root" : ""}${chosen ? " is-chosen" : ""}`} data-id=${node.id} transform=${`translate(${at.x} ${at.y})`}
      role="link" tabindex=${chosen ? "0" : "-1"} aria-label=${label} onFocus=${onChoose} onClick=${open}>
    <title>${label}</title>
    <rect class="graph-box" width=${NODE.width} height=${NODE.height} rx=${node.order ? 3 : 9} />
    <rect class="graph-stripe" width="4" height=${NODE.height - 16} x="0" y="8" rx="2" />
    <g transform="translate(13 9)"><${StatusMark} status=${node.status} /></g>
    <text class="graph-number" x="35" y="21">#${node.id} ${node.assignee ?? (node.order ? "command" : "")}</text>
    ${lines.map((line, row) => html`<text key=${row} class="graph-title" x="14" y=${lines.length === 1 ? 42 : 37 + row * 13}>${line}</text>`)}
    ${hidden.parents > 0 && html`<g class="graph-more" transform=${tall ? `translate(${NODE.width / 2} -12)` : "translate(-12 28)"}><circle r="10" /><text y="3.5">+${hidden.parents}</text></g>`}
    ${hidden.children > 0 && html`<g class="graph-more" transform=${tall ? `translate(${NODE.width / 2} ${NODE.height + 12})` : `translate(${NODE.width + 12} 28)`}><circle r="10" /><text y="3.5">+${hidden.children}</text></g>`}
  </g>`;
}

/** A title as one line, or two with an ellipsis; a picture cannot wrap by itself. */
function broken(title) {
  if (title.length <= LINE_CHARS) return [title];
  const space = title.lastIndexOf(" ", LINE_CHARS);
  const cut = space > LINE_CHARS / 2 ? space : LINE_CHARS;
  const rest = title.slice(cut).trim();
  return [title.slice(0, cut), rest.length > LINE_CHARS ? `${rest.slice(0, LINE_CHARS - 1)}…` : rest];
}

function Table({ graph }) {
  const parents = (id) => graph.edges.filter((edge) => edge.child === id);
  return html`<details class="as-table"><summary><${Icon} name="lanes" size="14" />As a table</summary>
    <table><thead><tr><th scope="col">Task</th><th scope="col">Status</th><th scope="col">Waits for</th><th scope="col">Assignee</th></tr></thead>
      <tbody>${graph.nodes.map((node) => html`<tr key=${node.id}>
        <td><a href=${inBoard(`/t/${node.id}`)}>#${node.id} ${node.title}</a></td><td><${Status} status=${node.status} /></td>
        <td>${parents(node.id).map((edge) => `#${edge.parent}${edge.waived ? " (waived)" : ""}`).join(", ") || "nothing"}</td><td>${node.assignee ?? (node.order ? "command" : "nobody")}</td></tr>`)}</tbody></table>
  </details>`;
}
