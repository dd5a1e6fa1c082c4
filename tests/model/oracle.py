"""What must hold of a board at any moment, written by hand from the rows alone.

Nothing here is derived from the lifecycle table or from the program's own queries: it is a second
opinion on readiness, runs and events, so that a wrong row of the table is found and not followed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from shopfloor.domain.model import Event, Link, Run, Task

OPEN = {"triage", "todo", "scheduled", "ready", "running", "review", "blocked"}


class Ledger:
    """All rows that the invariants speak of, read at one moment."""

    def __init__(self, rows: dict[str, list[Any]]) -> None:
        self.tasks = {row[0]: Task._make(row) for row in rows["task"]}
        self.links = [Link._make(row) for row in rows["link"]]
        self.runs: dict[int, list[Run]] = defaultdict(list)
        for row in sorted(rows["run"], key=lambda row: row[0]):
            self.runs[row[1]].append(Run._make(row))
        self.events: dict[int, list[Event]] = defaultdict(list)
        for row in sorted(rows["event"], key=lambda row: row[0]):
            self.events[row[1]].append(Event._make(row))

    def unmet(self, child: Task) -> list[int]:
        """The parents that a task still waits for."""
        found = []
        for link in self.links:
            if link.child_id != child.id or link.waived_at is not None:
                continue
            parent = self.tasks[link.parent_id]
            done = parent.status == "done" or parent.archived_from == "done"
            ended = parent.status in ("cancelled", "archived") or (
                parent.status == "blocked" and parent.block_kind == "gave_up"
            )
            if not done and not (child.start_after == "any" and ended):
                found.append(parent.id)
        return found

    def check(self) -> None:
        """Fail with the first thing that is wrong."""
        self._links()
        for task in self.tasks.values():
            self._queues(task)
            self._runs(task)
            self._events(task)

    def _links(self) -> None:
        below = defaultdict(set)
        for link in self.links:
            assert {link.parent_id, link.child_id} <= self.tasks.keys(), f"{link} leads nowhere"
            below[link.parent_id].add(link.child_id)

        def reaches(start: int, goal: int, seen: set[int]) -> bool:
            return any(
                child == goal or (child not in seen and reaches(child, goal, seen | {child}))
                for child in below[start]
            )

        for number in list(below):
            assert not reaches(number, number, set()), f"#{number} waits for itself"

    def _queues(self, task: Task) -> None:
        unmet = self.unmet(task)
        if task.status == "ready" and task.forced_at is None:
            assert not unmet, f"#{task.id} is ready and waits for {unmet}"
        if task.status == "todo":
            assert unmet, f"#{task.id} is todo and waits for nobody"
            assert task.forced_at is None, f"#{task.id} was forced and waits all the same"
        if task.status == "blocked":
            assert task.block_reason and task.block_kind
        if task.status in OPEN:
            assert task.ended_at is None
        if task.origin_id is not None:
            assert task.origin_id in self.tasks

    def _runs(self, task: Task) -> None:
        own = self.runs[task.id]
        still_open = [run.id for run in own if run.ended_at is None]
        live = [run.id for run in own if run.gone_at is None]
        assert still_open == ([task.current_run] if task.status == "running" else [])
        assert len(live) <= 1, f"#{task.id} has the living runs {live}"
        for run in own:
            assert (run.outcome is None) == (run.ended_at is None)
            assert run.gone_at is None or run.ended_at is not None
        worked = [run.attempt for run in own if run.role != "person"]
        assert worked == list(range(1, task.attempts + 1)), f"#{task.id} miscounts its attempts"

    def _events(self, task: Task) -> None:
        status = None
        for event in self.events[task.id]:
            if event.status is None:
                continue
            if event.kind != "created":
                assert f'"from":"{status}"' in event.data, f"{event} does not follow {status}"
            status = event.status
        assert status == task.status, f"the events of #{task.id} end at {status}"
