// Runs dealt to lanes: one for each host and profile, with as many rows as ran at once, and how much waited when.
// Pure functions; times are milliseconds.

/** A run as the picture needs it. */
export function asBar(run, now) {
  return {
    run,
    from: Date.parse(run.claimed_at),
    to: run.ended_at ? Date.parse(run.ended_at) : now,
    queued: run.queued_at ? Date.parse(run.queued_at) : null,
    before: run.previous_ended_at ? Date.parse(run.previous_ended_at) : null,
  };
}

/** Who works in a run. */
export function whoOf(run) {
  return run.profile ?? (run.order ? "commands" : "outside workers");
}

/** The lanes in the order of their names: {key, host, who, rows: [[bar]], depth: [[at, many]], most}. */
export function lanesOf(bars) {
  const lanes = new Map();
  for (const bar of [...bars].sort((one, other) => one.from - other.from || one.run.run - other.run.run)) {
    const host = bar.run.host || "elsewhere";
    const who = whoOf(bar.run);
    const key = `${host}\n${who}`;
    if (!lanes.has(key)) lanes.set(key, { key, host, who, rows: [], bars: [] });
    const lane = lanes.get(key);
    lane.bars.push(bar);
    const row = lane.rows.find((one) => one.at(-1).to <= bar.from);
    if (row) row.push(bar);
    else lane.rows.push([bar]);
  }
  return [...lanes.values()].sort((one, other) => one.key.localeCompare(other.key)).map((lane) => ({ ...lane, ...depthOf(lane.bars) }));
}

/** How many waited for this lane at each moment: steps [at, many], and the most at once. */
function depthOf(bars) {
  const changes = [];
  for (const { queued, from } of bars) if (queued !== null && queued < from) changes.push([queued, 1], [from, -1]);
  changes.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const depth = [];
  let many = 0;
  let most = 0;
  for (const [at, by] of changes) {
    many += by;
    most = Math.max(most, many);
    if (depth.length && depth.at(-1)[0] === at) depth.at(-1)[1] = many;
    else depth.push([at, many]);
  }
  return { depth, most };
}

/** The kind of an end, for colour and pattern. */
export function kindOf(run) {
  if (!run.outcome) return "running";
  if (run.outcome === "completed") return "done";
  if (run.outcome === "review_requested" || run.outcome === "changes_requested") return "review";
  if (["reclaimed", "superseded", "cancelled", "dependency_wait", "rate_limited", "stale"].includes(run.outcome)) return "other";
  return run.outcome === "blocked" ? "asked" : "failed";
}
