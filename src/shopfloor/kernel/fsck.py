"""The invariants of a board that no single constraint can hold, each as a query that must find nothing."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.lifecycle import EDGES
from shopfloor.store import checks, links, migrate
from shopfloor.store.db import Tx


class Finding(NamedTuple):
    """A broken invariant: which, where, and what it means."""

    invariant: str
    task_id: int | None
    run_id: int | None
    sentence: str


def fsck(tx: Tx) -> list[Finding]:
    """Everything that is wrong with the ledger; an empty list is what should come out."""
    found: list[Finding] = []
    for invariant, about_run, sentence in _QUERIES:
        for number in checks.numbers(tx, invariant):
            task_id, run_id = (None, number) if about_run else (number, None)
            name = invariant.removeprefix("fsck_")
            found.append(Finding(name, task_id, run_id, sentence.format(number)))
    found.extend(_circles(tx))
    found.extend(_edges(tx))
    found.extend(Finding("schema_differs", None, None, one) for one in migrate.differences(tx))
    return found


_QUERIES = (
    (
        "fsck_running_without_run",
        False,
        "#{} is running, and its current run is not an open run of it",
    ),
    ("fsck_open_run_without_task", True, "run {} is open, and its task does not name it"),
    ("fsck_open_run_unowned", True, "run {} is open without a host or a lease"),
    ("fsck_several_live_runs", False, "#{} has more than one run that is open or not gone"),
    ("fsck_ready_with_open_parent", False, "#{} is ready, and a parent of it is not done"),
    ("fsck_status_not_told", False, "the events of #{} do not tell its status"),
    ("fsck_forced_not_told", False, "#{} was forced, and no event says so"),
    ("fsck_origin_gone", False, "the origin of #{} is gone"),
    ("fsck_question_of_ended_task", False, "#{} has ended, and a question of it is still open"),
    ("fsck_question_without_run", False, "a question of #{} was asked by no run of it"),
    ("fsck_spend_of_another_task", True, "what run {} used is counted for another task"),
    ("fsck_todo_that_waits_for_nobody", False, "#{} is todo, and waits for nobody"),
)


def _circles(tx: Tx) -> list[Finding]:
    """Tasks that are left when all that wait for nobody are taken away, again and again."""
    waits: dict[int, set[int]] = {}
    children: dict[int, list[int]] = {}
    for link in links.everything(tx):
        waits.setdefault(link.child_id, set()).add(link.parent_id)
        children.setdefault(link.parent_id, []).append(link.child_id)
    free = [number for number in children if number not in waits]
    while free:
        parent = free.pop()
        for child in children.get(parent, ()):
            waits[child].discard(parent)
            if not waits[child]:
                del waits[child]
                free.append(child)
    return [
        Finding(
            "links_form_a_circle", number, None, f"#{number} waits for itself by a circle of links"
        )
        for number in sorted(waits)
    ]


def _edges(tx: Tx) -> list[Finding]:
    stored = checks.edges(tx)
    meant = {(source.value, target.value) for source, target in EDGES}
    if stored == meant:
        return []
    sentence = "the database's table of allowed edges is not the program's"
    return [Finding("edges_differ", None, None, sentence)]
