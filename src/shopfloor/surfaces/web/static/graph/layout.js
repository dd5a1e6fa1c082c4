// A layered picture of a graph without circles: what is waited for stands before what waits, to its left where the
// picture is wide and above it where it is tall.  Pure functions.
//
// Four steps, as Sugiyama described them: a layer for each task (one further than the last it waits for), a row of
// points for each link that passes layers, an order in each layer with few crossings, and then heights that
// keep links straight.  The heights of a layer are the closest to where each of its nodes would like to be, with
// the distances kept: neighbours that want the same place share it as a block.

export const NODE = { width: 204, height: 56 };
const GAP = 18;
const PASS = 22;
const LAYERS_APART = { wide: 84, tall: 58 };
const SWEEPS = 12;

/** Places of nodes [{id}] and links [{parent, child}]: {places: Map, ways: [{edge, points}], width, height, tall}. */
export function layout(nodes, edges, tall = false) {
  const layers = layersOf(nodes, edges);
  const { rows, chains } = withPasses(nodes, edges, layers);
  order(rows);
  heights(rows, tall ? NODE.width : NODE.height);
  return picture(rows, chains, tall);
}

function layersOf(nodes, edges) {
  const children = new Map(nodes.map((node) => [node.id, []]));
  const waits = new Map(nodes.map((node) => [node.id, 0]));
  for (const { parent, child } of edges) {
    children.get(parent).push(child);
    waits.set(child, waits.get(child) + 1);
  }
  const layer = new Map();
  const roots = nodes.filter((node) => waits.get(node.id) === 0).map((node) => node.id);
  roots.forEach((id) => layer.set(id, 0));
  const queue = [...roots];
  for (let at = 0; at < queue.length; at += 1) {
    for (const child of children.get(queue[at])) {
      layer.set(child, Math.max(layer.get(child) ?? 0, layer.get(queue[at]) + 1));
      waits.set(child, waits.get(child) - 1);
      if (waits.get(child) === 0) queue.push(child);
    }
  }
  // What waits for nobody stands right before the first that waits for it, and not far away on the left.
  for (const id of roots) {
    const next = children.get(id).map((child) => layer.get(child));
    if (next.length) layer.set(id, Math.min(...next) - 1);
  }
  return layer;
}

function withPasses(nodes, edges, layer) {
  const rows = [];
  const put = (at, point) => {
    (rows[at] ??= []).push(point);
    return point;
  };
  const points = new Map(nodes.map((node) => [node.id, put(layer.get(node.id), { id: node.id, before: [], after: [], y: 0 })]));
  const chains = edges.map((edge) => {
    const chain = [points.get(edge.parent)];
    for (let at = layer.get(edge.parent) + 1; at < layer.get(edge.child); at += 1) chain.push(put(at, { id: null, before: [], after: [], y: 0 }));
    chain.push(points.get(edge.child));
    for (let at = 1; at < chain.length; at += 1) {
      chain[at - 1].after.push(chain[at]);
      chain[at].before.push(chain[at - 1]);
    }
    return { edge, chain };
  });
  for (let at = 0; at < rows.length; at += 1) rows[at] ??= [];
  return { rows, chains };
}

/** Order each layer by the mean place of its neighbours, forwards and backwards in turn. */
function order(rows) {
  const number = (row) => row.forEach((point, at) => { point.at = at; });
  rows.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forwards = sweep % 2 === 0;
    const towards = forwards ? "before" : "after";
    for (const row of forwards ? rows : [...rows].reverse()) {
      for (const point of row) {
        const near = point[towards];
        point.wish = near.length ? near.reduce((sum, other) => sum + other.at, 0) / near.length : point.at;
      }
      row.sort((one, other) => one.wish - other.wish || one.at - other.at);
      number(row);
    }
  }
}

function heights(rows, node) {
  for (const row of rows) place(row, row.map(() => 0), node);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const row of sweep % 2 === 0 ? rows : [...rows].reverse()) {
      place(row, row.map((point) => {
        const near = [...point.before, ...point.after];
        return near.length ? near.reduce((sum, other) => sum + other.y, 0) / near.length : point.y;
      }), node);
    }
  }
}

/** Give a layer's points the heights nearest to what they wish, none closer to the next than it may be. */
function place(row, wishes, node) {
  const size = (point) => (point.id === null ? PASS : node + GAP);
  const offsets = [];
  let offset = 0;
  row.forEach((point, at) => {
    if (at > 0) offset += (size(row[at - 1]) + size(point)) / 2;
    offsets.push(offset);
  });
  const blocks = [];
  row.forEach((point, at) => {
    blocks.push({ sum: wishes[at] - offsets[at], many: 1 });
    while (blocks.length > 1 && mean(blocks.at(-2)) > mean(blocks.at(-1))) {
      const last = blocks.pop();
      blocks.at(-1).sum += last.sum;
      blocks.at(-1).many += last.many;
    }
  });
  let at = 0;
  for (const block of blocks) for (let left = block.many; left > 0; left -= 1, at += 1) row[at].y = mean(block) + offsets[at];
}

const mean = (block) => block.sum / block.many;

function picture(rows, chains, tall) {
  const [across, along] = tall ? [NODE.width, NODE.height] : [NODE.height, NODE.width];
  const apart = along + (tall ? LAYERS_APART.tall : LAYERS_APART.wide);
  const ys = rows.flat().map((point) => point.y);
  const top = Math.min(0, ...ys) - across / 2;
  const turned = (x, y) => (tall ? [y, x] : [x, y]);
  const places = new Map();
  rows.forEach((row, layer) => row.forEach((point) => {
    point.x = layer * apart;
    point.y -= top;
    if (point.id === null) return;
    const [x, y] = turned(point.x, point.y - across / 2);
    places.set(point.id, { x, y, layer });
  }));
  const ways = chains.map(({ edge, chain }) => ({
    edge,
    points: chain.flatMap((point, at) => [
      ...(at > 0 ? [turned(point.x, point.y)] : []),
      ...(at < chain.length - 1 ? [turned(point.x + along, point.y)] : []),
    ]),
  }));
  const [width, height] = turned(Math.max(1, rows.length) * apart - apart + along, Math.max(...ys, 0) - top + across / 2);
  return { places, ways, width, height, tall };
}

/** The way of a link as an SVG path: straight across the layers that it passes, curved between them. */
export function pathOf(points, tall) {
  let path = `M${points[0].join(" ")}`;
  for (let at = 1; at < points.length; at += 1) {
    const [x0, y0] = points[at - 1];
    const [x, y] = points[at];
    if (at % 2 === 0) path += ` L${x} ${y}`;
    else if (tall) path += ` C${x0} ${(y0 + y) / 2} ${x} ${(y0 + y) / 2} ${x} ${y}`;
    else path += ` C${(x0 + x) / 2} ${y0} ${(x0 + x) / 2} ${y} ${x} ${y}`;
  }
  return path;
}
