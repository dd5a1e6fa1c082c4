"""What is wrong on a board, the worst first: rules over rows that a handful of statements fetch.

However many tasks are open, the number of statements stays the same; a test counts them.  The sentence
and the steps of a finding are made when it is told, because a page shows few of many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from shopfloor.domain.diagnostics import (
    CYCLE_WINDOW_MS,
    CYCLES,
    REPEATED,
    STUCK_MS,
    Advice,
    Circumstances,
    Severity,
)
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.settings import Settings
from shopfloor.kernel.advice import advise
from shopfloor.kernel.board_rules import BOARD_RULES, BoardLook
from shopfloor.kernel.claim import pauses
from shopfloor.kernel.task_rules import Look, found_in, sound_lanes
from shopfloor.kernel.why import Surroundings
from shopfloor.store import diagnostics, hooks
from shopfloor.store.db import Tx
from shopfloor.store.diagnostics import Suspect


class Finding(NamedTuple):
    """One thing that is wrong; `tell` says it in words, with what to do."""

    code: str
    severity: Severity
    task_id: int | None
    title: str | None
    since: int
    tell: Callable[[], Advice]


class Sight(NamedTuple):
    """What a diagnosis sees beside the board: settings, hosts, and when a task's log was written last."""

    settings: Settings
    around: Surroundings
    written_at: Callable[[int], int | None]


def diagnose(tx: Tx, sight: Sight, here: Circumstances) -> list[Finding]:
    """Everything that is wrong on the board and with this host, the worst and oldest first."""
    found = _of_board(tx, sight, here)
    suspects = diagnostics.suspects(
        tx,
        sound=sound_lanes(sight.settings),
        ready_before=tx.now - STUCK_MS[Status.READY][0],
        todo_before=tx.now - STUCK_MS[Status.TODO][0],
        repeated=REPEATED,
        changes=2 * CYCLES,
        since=tx.now - CYCLE_WINDOW_MS,
    )
    found += _of_suspects(tx, sight, suspects)
    found.sort(key=_order)
    return found


def diagnose_tasks(tx: Tx, sight: Sight, task_ids: Collection[int]) -> list[Finding]:
    """What is wrong with these tasks, the worst and oldest first; one that has ended is well."""
    found = list(_of_suspects(tx, sight, diagnostics.of_tasks(tx, task_ids)))
    found.sort(key=_order)
    return found


def counts(tx: Tx, sight: Sight, task_ids: Collection[int]) -> dict[int, int]:
    """How many things are wrong with each of these tasks; those that are well are left out."""
    counted: dict[int, int] = {}
    for one in diagnose_tasks(tx, sight, task_ids):
        assert one.task_id is not None
        counted[one.task_id] = counted.get(one.task_id, 0) + 1
    return counted


def _order(finding: Finding) -> tuple[bool, bool, int, int]:
    """Errors before warnings, the board before its tasks, the oldest first."""
    about_task = finding.task_id is not None
    return finding.severity != "error", about_task, finding.since, finding.task_id or 0


def _of_board(tx: Tx, sight: Sight, here: Circumstances) -> list[Finding]:
    waiting, since = diagnostics.waiting_work(tx)
    newest = diagnostics.newest_time(tx)
    failing = [
        one for one in hooks.failing(tx, sight.around.host) if one.name in sight.settings.hooks
    ]
    troubled = diagnostics.troubled(tx)
    look = BoardLook(tx.now, sight.around, here, waiting, since, newest, troubled, failing)
    return [
        Finding(code, hit.severity, None, None, hit.since, _always(advice))
        for code, rule in BOARD_RULES.items()
        for hit, advice in rule(look)
    ]


def _always(advice: Advice) -> Callable[[], Advice]:
    return lambda: advice


def _of_suspects(tx: Tx, sight: Sight, suspects: Collection[Suspect]) -> Iterable[Finding]:
    if not suspects:
        return
    waiting = [task.id for task in suspects if task.status in (Status.TODO, Status.SCHEDULED)]
    turned = [task.id for task in suspects if task.rev > 2 * CYCLES]
    look = Look(
        tx.now,
        sight.settings,
        sight.around,
        pauses(tx),
        diagnostics.turns(tx, turned, tx.now - CYCLE_WINDOW_MS) if turned else {},
        diagnostics.dead_parents(tx, waiting) if waiting else {},
        sight.written_at,
    )
    for task in suspects:
        for code, hit in found_in(task, look):
            yield Finding(
                code, hit.severity, task.id, task.title, hit.since, _lazily(code, task, look)
            )


def _lazily(code: str, task: Suspect, look: Look) -> Callable[[], Advice]:
    return lambda: advise(code, task, look)
