"""The statements about links: the child waits for the parent, and links form no circle."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.model import Link, Task
from shopfloor.store.db import Tx


class Neighbour(NamedTuple):
    """A task at the other end of a link."""

    task: Task
    waived_at: int | None


class Node(NamedTuple):
    """A task as a graph shows it, with all its links counted, also those that are not shown."""

    id: int
    title: str
    status: str
    phase: str
    assignee: str | None
    is_order: bool
    block_kind: str | None
    forced_at: int | None
    parents: int
    children: int


def _neighbours(rows: list[tuple[object, ...]]) -> list[Neighbour]:
    return [Neighbour(Task._make(row[:-1]), row[-1]) for row in rows]  # type: ignore[arg-type]


def exclusive(tx: Tx) -> None:
    """Make this transaction the only one that adds links."""
    tx.one("link_exclusive")


def add(tx: Tx, parent_id: int, child_id: int) -> bool:
    """Add a link; false: it was there."""
    return tx.run("link_add", parent_id=parent_id, child_id=child_id, now=tx.now) == 1


def remove(tx: Tx, parent_id: int, child_id: int) -> bool:
    return tx.run("link_remove", parent_id=parent_id, child_id=child_id) == 1


def waive(tx: Tx, parent_id: int) -> int:
    """Let every child go on without this parent."""
    return tx.run("link_waive", parent_id=parent_id, now=tx.now)


def parents(tx: Tx, task_id: int) -> list[Neighbour]:
    return _neighbours(tx.all("link_parents", id=task_id))


def children(tx: Tx, task_id: int) -> list[Neighbour]:
    return _neighbours(tx.all("link_children", id=task_id))


def count(tx: Tx, task_id: int) -> int:
    row = tx.one("link_count", id=task_id)
    assert row is not None
    return int(row[0])


def open_parents(tx: Tx, task_id: int) -> int:
    """How many unfinished parents the task waits for."""
    row = tx.one("link_open_parents", id=task_id)
    assert row is not None
    return int(row[0])


def open_parent_ids(tx: Tx, task_id: int) -> list[int]:
    return [row[0] for row in tx.all("link_open_parent_ids", id=task_id)]


def waiting_children(tx: Tx, task_id: int) -> list[int]:
    """The children whose queue may change when this task does."""
    return [row[0] for row in tx.all("link_waiting_children", id=task_id)]


def held_children(tx: Tx, task_id: int) -> list[int]:
    """The children that wait for this task now, by a link that is neither met nor waived."""
    return [row[0] for row in tx.all("link_held_children", id=task_id)]


def child_ids(tx: Tx, task_id: int) -> list[int]:
    return [row[0] for row in tx.all("link_child_ids", id=task_id)]


def reaches(tx: Tx, from_id: int, to_id: int) -> bool:
    """Whether a way of links leads down from one task to the other."""
    return tx.one("link_reaches", from_id=from_id, to_id=to_id) is not None


def everything(tx: Tx) -> list[Link]:
    return [Link._make(row) for row in tx.all("link_all")]


def above(tx: Tx, ids: list[int]) -> list[Link]:
    """The links from some tasks to what they wait for."""
    return [Link._make(row) for row in tx.all("link_above", ids=ids)]


def below(tx: Tx, ids: list[int]) -> list[Link]:
    """The links from some tasks to what waits for them."""
    return [Link._make(row) for row in tx.all("link_below", ids=ids)]


def among(tx: Tx, ids: list[int]) -> list[Link]:
    """The links that have both their ends among these tasks."""
    return [Link._make(row) for row in tx.all("link_among", ids=ids)]


def nodes(tx: Tx, ids: list[int]) -> list[Node]:
    rows = tx.all("link_nodes", ids=ids)
    return [Node._make(row)._replace(is_order=bool(row[5])) for row in rows]
