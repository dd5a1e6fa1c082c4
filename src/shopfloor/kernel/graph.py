"""Links between tasks: the child waits for the parent, and no circle is ever closed."""

from __future__ import annotations

from shopfloor.domain import limits
from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import GuardFailed, Invalid, LimitReached, NotFound, WrongStatus
from shopfloor.domain.lifecycle import ENDED, Status
from shopfloor.kernel.apply import settle_queue
from shopfloor.kernel.load import load
from shopfloor.store import events, links, tasks
from shopfloor.store.db import Tx


def connect(tx: Tx, caller: Caller, parent_id: int, child_id: int) -> bool:
    """Let the child wait for the parent; false: it did already.

    A ready child with an unfinished parent goes back to todo.  Refused if it would close a circle (the
    message shows the way), or if the child has ended.
    """
    if parent_id == child_id:
        raise Invalid(f"#{child_id} cannot wait for itself; name another task")
    links.exclusive(tx)
    load(tx, parent_id)
    child = load(tx, child_id)
    if child.status in (*ENDED, Status.ARCHIVED):
        raise WrongStatus(
            f"cannot let #{child_id} wait for #{parent_id}: it is {child.status}; reopen it first"
        )
    if links.reaches(tx, child_id, parent_id):
        way = _way(tx, child_id, parent_id)
        shown = " → ".join(f"#{number}" for number in way)
        raise GuardFailed(
            f"cannot let #{child_id} wait for #{parent_id}: that closes a circle, for #{parent_id} waits "
            f"already for #{child_id}: {shown}; take one of these links away first",
            detail={"cycle": way},
        )
    for number in (parent_id, child_id):
        check_links(tx, number)
    if not links.add(tx, parent_id, child_id):
        return False
    if child.forced_at is not None:
        tasks.edit(tx, child._replace(forced_at=None, changed_at=tx.now))
    _say(tx, caller, "linked", parent_id=parent_id, child_id=child_id)
    settle_queue(tx, child_id)
    return True


def check_links(tx: Tx, task_id: int) -> None:
    """Refuse one more link of a task that has as many as there may be."""
    if links.count(tx, task_id) >= limits.LINKS_MAX:
        raise LimitReached(
            f"#{task_id} has {limits.LINKS_MAX} links, which is the most there may be; put a task in between"
        )


def disconnect(tx: Tx, caller: Caller, parent_id: int, child_id: int) -> None:
    """Take a link away; a child that then waits for nobody becomes ready."""
    load(tx, parent_id)
    load(tx, child_id)
    if not links.remove(tx, parent_id, child_id):
        raise NotFound(f"#{child_id} does not wait for #{parent_id}, so there is no link to remove")
    _say(tx, caller, "unlinked", parent_id=parent_id, child_id=child_id)
    settle_queue(tx, child_id)


def _say(tx: Tx, caller: Caller, kind: str, *, parent_id: int, child_id: int) -> None:
    data: dict[str, object] = {"parent": parent_id, "child": child_id}
    for number in (child_id, parent_id):
        events.append(tx, kind, task_id=number, run_id=caller.run_id, actor=caller.name, data=data)


def _way(tx: Tx, from_id: int, to_id: int) -> list[int]:
    """The shortest way of links from one task down to another; there is one."""
    came_from: dict[int, int] = {from_id: from_id}
    frontier = [from_id]
    while to_id not in came_from:
        reached = []
        for number in frontier:
            for child in links.child_ids(tx, number):
                if child not in came_from:
                    came_from[child] = number
                    reached.append(child)
        frontier = reached
    way = [to_id]
    while way[-1] != from_id:
        way.append(came_from[way[-1]])
    return way[::-1]
