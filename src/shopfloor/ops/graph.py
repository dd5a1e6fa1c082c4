"""The graph around one task: what it waits for and what waits for it, level by level and bounded.

The nearest tasks are taken first, so that a graph that is too large to be shown is cut at its rim; each
task tells how many links it has in all, and what is missing from the picture can be said on it.
"""

from __future__ import annotations

from typing import Annotated

from shopfloor.domain.errors import NotFound
from shopfloor.domain.limits import GRAPH_DEPTH_MAX, GRAPH_TASKS, GRAPH_TASKS_MAX
from shopfloor.kernel.load import load
from shopfloor.ops.context import Context
from shopfloor.ops.fields import Id
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result
from shopfloor.store import links
from shopfloor.store.db import Tx
from shopfloor.store.links import Node


class ShowGraph(Request, frozen=True, kw_only=True):
    """Around which task, and how much of it."""

    id: Id
    depth: Annotated[
        int, Arg("At most so many links away from the task.", ge=1, le=GRAPH_DEPTH_MAX)
    ] = GRAPH_DEPTH_MAX
    limit: Annotated[int, Arg("At most so many tasks.", ge=1, le=GRAPH_TASKS_MAX)] = GRAPH_TASKS


class GraphNode(Result, frozen=True):
    """One task; `level` is negative above the asked one, `parents` and `children` count all its links."""

    id: int
    level: int
    title: str
    status: str
    phase: str
    assignee: str | None
    order: bool
    block_kind: str | None
    forced: bool
    parents: int
    children: int


class GraphEdge(Result, frozen=True):
    """The child waits for the parent, unless the link is waived."""

    parent: int
    child: int
    waived: bool


class GraphView(Result, frozen=True):
    """The tasks above and below one task, and the links among them; `cut`: there are more."""

    root: int
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    cut: bool


@operation(
    "task.graph",
    "GET /api/v1/tasks/{id}/graph",
    command="graph",
    kind="read",
    role="anyone",
    errors=(NotFound,),
    tools=("orchestrator",),
    when="Use it to see what a task waits for, and what waits for it, as a whole.",
)
def graph(ctx: Context, req: ShowGraph) -> GraphView:
    """Show all that a task waits for and all that waits for it, with the statuses: the nearest first."""
    load(ctx.tx, req.id)
    levels, cut = _levels(ctx.tx, req.id, req.depth, req.limit)
    found = list(levels)
    nodes = [_node(one, levels[one.id]) for one in links.nodes(ctx.tx, found)]
    edges = [
        GraphEdge(link.parent_id, link.child_id, link.waived_at is not None)
        for link in links.among(ctx.tx, found)
    ]
    return GraphView(req.id, sorted(nodes, key=lambda one: (one.level, one.id)), edges, cut)


def _levels(tx: Tx, root: int, depth: int, limit: int) -> tuple[dict[int, int], bool]:
    """The tasks around the root with their distance, and whether some were left out."""
    levels = {root: 0}
    above, below = _next(tx, [root], [root], levels)
    for distance in range(1, depth + 1):
        for number, level in [(n, -distance) for n in above] + [(n, distance) for n in below]:
            if len(levels) == limit:
                return levels, True
            levels[number] = level
        above, below = _next(tx, above, below, levels)
    return levels, bool(above or below)


def _next(
    tx: Tx, above: list[int], below: list[int], known: dict[int, int]
) -> tuple[list[int], list[int]]:
    """One step further up and down, without the tasks that are known."""
    up = {link.parent_id for link in links.above(tx, above)} if above else set()
    down = {link.child_id for link in links.below(tx, below)} if below else set()
    return sorted(up - known.keys()), sorted(down - known.keys())


def _node(node: Node, level: int) -> GraphNode:
    return GraphNode(
        node.id,
        level,
        node.title,
        node.status,
        node.phase,
        node.assignee,
        node.is_order,
        node.block_kind,
        node.forced_at is not None,
        node.parents,
        node.children,
    )
