"""Lead a task to any status by real verbs, on the shortest way through the lifecycle table.

`at` makes a task in a status; `lead` takes one that is there.  Each edge of the way is walked by the
operation, or by the sweep or settling, that it has in the program; no row is made by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shopfloor.domain.lifecycle import RULES, By, Guard, Rule, Status, Verb
from shopfloor.domain.outcomes import Exit
from tests.support.board import BoardHandle

# Guards that an ordinary task meets, or that the steps below can bring about.
EASY = frozenset(
    {
        Guard.PARENTS_MET,
        Guard.PARENTS_OPEN,
        Guard.NOT_FORCED,
        Guard.HOLDS_RUN,
        Guard.ROLE_WORKER,
        Guard.WAITS_FOR_PERSON,
        Guard.LOOP_SPENT,
        Guard.WANTS_TRIAGE,
        Guard.WANTS_BLOCKED,
        Guard.WANTS_SCHEDULED,
        Guard.UNDECOMPOSED,
        Guard.KEY_FREE,
    }
)


def at(board: BoardHandle, status: Status, **args: Any) -> int:
    """A new task in this status; `args` are given to its creation."""
    way = shortest_way(None, status)
    task_id = _created(board, way[0], **args)
    for rule in way[1:]:
        walk(board, rule, task_id)
    assert board.status(task_id) == status
    return task_id


def lead(board: BoardHandle, task_id: int, status: Status) -> int:
    """Take a task to this status from where it is."""
    for rule in shortest_way(Status(board.status(task_id)), status):
        walk(board, rule, task_id)
    assert board.status(task_id) == status
    return task_id


def shortest_way(source: Status | None, target: Status) -> list[Rule]:
    """The rules of the table that lead from one status to the other, as few as possible."""
    ways: dict[Status | None, list[Rule]] = {source: []}
    frontier: list[Status | None] = [source]
    while target not in ways:
        assert frontier, f"there is no way from {source} to {target}"
        reached: list[Status | None] = []
        for place in frontier:
            for rule in RULES:
                if rule.source is place and rule.target not in ways and _is_easy(rule):
                    ways[rule.target] = [*ways[place], rule]
                    reached.append(rule.target)
        frontier = reached
    return ways[target]


def _is_easy(rule: Rule) -> bool:
    known = rule.source is None or (rule.verb, rule.by) in STEPS
    return known and EASY.issuperset(rule.guards)


def walk(board: BoardHandle, rule: Rule, task_id: int) -> None:
    """Walk one edge of the table."""
    STEPS[rule.verb, rule.by](board, task_id, rule)
    assert board.status(task_id) == rule.target, f"{rule.verb} should lead to {rule.target}"


def credentials(board: BoardHandle, task_id: int) -> tuple[int, str]:
    """The run and the token of the task's open run."""
    task = board.task(task_id)
    assert task.current_run is not None
    return task.current_run, board.run(task.current_run).token


def _created(board: BoardHandle, rule: Rule, **args: Any) -> int:
    parked = {
        Status.TRIAGE: {"initial_status": "triage"},
        Status.BLOCKED: {"initial_status": "blocked"},
        Status.SCHEDULED: {"initial_status": "scheduled"},
    }
    if rule.target is Status.TODO:
        args = {"parents": [board.create("its parent")], **args}
    assert rule.target is not None
    return board.create("a task", **parked.get(rule.target, {}), **args)


def _ask(op: str, **args: Any) -> Callable[[BoardHandle, int, Rule], object]:
    return lambda board, task_id, _rule: board.ask(op, id=task_id, **args)


def _as_worker(op: str, **args: Any) -> Callable[[BoardHandle, int, Rule], object]:
    def step(board: BoardHandle, task_id: int, _rule: Rule) -> object:
        return board.ask_as(*credentials(board, task_id), op, id=task_id, **args)

    return step


def _promote(board: BoardHandle, task_id: int, _rule: Rule) -> None:
    """Finish every parent that is open."""
    for parent in board.ask("task.show", id=task_id).parents:
        if parent.status not in (Status.DONE, Status.ARCHIVED):
            board.ask("task.complete", id=parent.id)


def _demote(board: BoardHandle, task_id: int, _rule: Rule) -> None:
    board.ask("task.link", parent=board.create("one more parent"), child=task_id)


def _claim(board: BoardHandle, task_id: int, _rule: Rule) -> None:
    board.claim(task_id)


def _block_again(board: BoardHandle, task_id: int, rule: Rule) -> None:
    """Block until it is where the rule leads: at once, or after the same block again and again."""
    for _ in range(10):
        board.ask_as(*credentials(board, task_id), "task.block", id=task_id, reason="stuck")
        if board.status(task_id) == rule.target:
            return
        board.ask("task.unblock", id=task_id)
        board.claim(task_id)


def _settle(seen: Exit) -> Callable[[BoardHandle, int, Rule], object]:
    return lambda board, task_id, _rule: board.settle(credentials(board, task_id)[0], seen)


def _give_up(board: BoardHandle, task_id: int, _rule: Rule) -> None:
    while board.status(task_id) != Status.BLOCKED:
        if board.status(task_id) != Status.RUNNING:
            board.claim(task_id)
        board.settle(credentials(board, task_id)[0], Exit(exit_code=1))


STEPS: dict[tuple[Verb, By], Callable[[BoardHandle, int, Rule], object]] = {
    (Verb.SPECIFY, By.PERSON): _ask("task.specify"),
    (Verb.DECOMPOSE, By.PERSON): _ask("task.decompose", pieces=[{"title": "a piece"}]),
    (Verb.PROMOTE, By.BOARD): _promote,
    (Verb.PROMOTE_MANUAL, By.PERSON): _ask("task.promote"),
    (Verb.DEMOTE, By.BOARD): _demote,
    (Verb.SCHEDULE, By.PERSON): _ask("task.schedule"),
    (Verb.CLAIM, By.BOARD): _claim,
    (Verb.COMPLETE, By.WORKER): _as_worker("task.complete"),
    (Verb.COMPLETE, By.PERSON): _ask("task.complete"),
    (Verb.REQUEST_REVIEW, By.WORKER): _as_worker("task.request_review", summary="look at it"),
    (Verb.REQUEST_CHANGES, By.WORKER): _as_worker("task.request_changes", reason="not yet"),
    (Verb.REQUEST_CHANGES, By.PERSON): _ask("task.request_changes", reason="not yet"),
    (Verb.BLOCK, By.WORKER): _block_again,
    (Verb.BLOCK, By.PERSON): _ask("task.block", reason="wait"),
    (Verb.UNBLOCK, By.PERSON): _ask("task.unblock"),
    (Verb.RELEASE, By.PERSON): _ask("task.reclaim"),
    (Verb.RELEASE, By.BOARD): _settle(Exit(never_started=True)),
    (Verb.GIVE_UP, By.BOARD): _give_up,
    (Verb.CANCEL, By.PERSON): _ask("task.cancel"),
    (Verb.REOPEN, By.PERSON): _ask("task.reopen"),
    (Verb.ARCHIVE, By.PERSON): _ask("task.archive"),
    (Verb.UNARCHIVE, By.PERSON): _ask("task.unarchive"),
}
