"""Why tasks are not moving, for many of them at once: the code that `why` gives for each, with what it names.

`why` reads one task's surroundings statement by statement and puts them into a sentence.  A board shows
hundreds, so everything is read in sets here, once for all, and no sentence is made.  The two must agree;
a test leads tasks into every kind of wait and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shopfloor.domain.lifecycle import Status
from shopfloor.domain.limits import PAGE_MAX
from shopfloor.domain.model import Hold
from shopfloor.domain.settings import Settings
from shopfloor.kernel.budget import before_start, of_task
from shopfloor.kernel.claim import UNASSIGNED_LANE, Room, profile_of, room
from shopfloor.kernel.load import load
from shopfloor.kernel.quota import account_of, gates
from shopfloor.kernel.why import Surroundings
from shopfloor.store import cards
from shopfloor.store.cards import CardRow
from shopfloor.store.db import Tx


class Wait(NamedTuple):
    """One reason: its code, until when, the words that belong to it, and the tasks that are waited for."""

    code: str
    until: int | None = None
    words: str | None = None
    on: tuple[int, ...] = ()


def waits(
    tx: Tx, settings: Settings, around: Surroundings, rows: Iterable[CardRow]
) -> dict[int, Wait]:
    """Why each of these tasks is where it is."""
    every = list(rows)
    seen = _Seen(tx, settings, around, every)
    return {row.id: seen.why(row) for row in every}


class _Seen:
    """What is known of the board beside the tasks themselves, each thing read once and only if asked for."""

    def __init__(
        self, tx: Tx, settings: Settings, around: Surroundings, rows: list[CardRow]
    ) -> None:
        self._tx = tx
        self._settings = settings
        self._around = around
        by_status: dict[str, list[int]] = {}
        for row in rows:
            by_status.setdefault(row.status, []).append(row.id)
        queued = by_status.get(Status.READY, []) + by_status.get(Status.REVIEW, [])
        self._parents: dict[int, list[tuple[int, bool]]] = {}
        if todo := by_status.get(Status.TODO):
            for child, parent, dead in cards.open_parents(tx, todo):
                self._parents.setdefault(child, []).append((parent, dead))
        self._holds: dict[tuple[str, str], list[Hold]] = {}
        if queued:
            for hold in cards.holds(tx, queued):
                self._holds.setdefault((hold.scope, hold.name), []).append(hold)
        triage = by_status.get(Status.TRIAGE)
        self._asked = {} if not triage else {one.task_id: one for one in cards.planned(tx, triage)}
        self._gates = gates(tx, settings) if queued else {}
        self._lanes: dict[str | None, Wait | None] = {}
        self._space: Room | None = None

    def why(self, row: CardRow) -> Wait:
        """The one reason that a person should know first."""
        status = Status(row.status)
        if status in (Status.READY, Status.REVIEW):
            return self._queued(row, review=status is Status.REVIEW)
        match status:
            case Status.TRIAGE:
                found = self._triage(row)
            case Status.TODO:
                found = self._todo(row)
            case Status.SCHEDULED:
                found = _scheduled(row)
            case Status.RUNNING:
                found = self._running(row)
            case Status.BLOCKED:
                found = _blocked(row)
            case _:
                found = Wait(f"is_{row.status}")
        return found

    def _triage(self, row: CardRow) -> Wait:
        if row.loop_count:
            return Wait("block_loop", words=row.block_reason)
        asked = self._asked.get(row.id)
        if asked is not None and asked.outcome is None:
            return Wait("planning")
        if asked is not None and asked.error is not None:
            return Wait("planning_failed", words=asked.error)
        return Wait("in_triage")

    def _todo(self, row: CardRow) -> Wait:
        parents = self._parents.get(row.id)
        if not parents:
            return Wait("promotes_next")
        dead = [parent for parent, is_dead in parents if is_dead]
        code = "parent_failed" if dead else "waits_for_parents"
        return Wait(code, on=tuple(dead[:1]) or tuple(parent for parent, _dead in parents))

    def _running(self, row: CardRow) -> Wait:
        live = row.live
        assert live is not None, "a running task has an open run"
        if row.questions:
            return Wait("question")
        if live.checking:
            return Wait("check_runs")
        if live.host and live.host not in self._around.dispatchers:
            return Wait("no_dispatcher")
        return Wait("starting" if live.host and live.pid is None else "running")

    def _queued(self, row: CardRow, *, review: bool) -> Wait:
        if row.live is not None:
            return Wait("previous_worker_leaving")
        dispatch = self._settings.dispatch
        if review and (dispatch.review == "person" or dispatch.reviewer is None):
            return Wait("waits_for_review")
        held = self._held(row, dispatch.reviewer if review else row.assignee)
        if held is not None:
            return held
        profile = profile_of(row.lane, "reviewer" if review else "worker", self._settings)
        limited = self._limited(row, profile)
        if limited is not None:
            return limited
        if row.not_before is not None and row.not_before > self._tx.now:
            return Wait("cooldown", row.not_before)
        return self._no_slot(row, profile, review=review)

    def _held(self, row: CardRow, profile: str | None) -> Wait | None:
        places = [("board", ""), ("task", str(row.id))]
        if profile is not None:
            places.insert(1, ("lane", profile))
        for place in places:
            for hold in self._holds.get(place, ()):
                over = hold.until is not None and hold.until <= self._tx.now
                if hold.code == "guards_bypassed" or over:
                    continue
                if hold.code in ("paused", "profile_paused"):
                    code = "profile_paused" if place[0] == "lane" else f"{place[0]}_paused"
                    return Wait(code, words=hold.reason)
                return Wait(hold.code, hold.until, hold.reason)
        return None

    def _limited(self, row: CardRow, profile: str | None) -> Wait | None:
        if profile not in self._lanes:
            self._lanes[profile] = self._of_profile(profile)
        found = self._lanes[profile]
        if found is not None or not row.limited or row.is_order:
            return found
        spent = of_task(self._tx, load(self._tx, row.id))
        return None if spent is None else Wait("budget", spent.until, spent.sentence)

    def _of_profile(self, profile: str | None) -> Wait | None:
        """The account or the day's limit that all tasks of a profile wait for."""
        gate = self._gates.get(account_of(self._settings, profile) or "")
        if gate is not None and gate.kind != "over":
            return Wait("quota", gate.until, gate.sentence)
        spent = before_start(self._tx, self._settings, profile)
        return None if spent is None else Wait("budget", spent.until, spent.sentence)

    def _no_slot(self, row: CardRow, name: str | None, *, review: bool) -> Wait:
        settings, around = self._settings, self._around
        unassigned = row.lane == UNASSIGNED_LANE and not settings.dispatch.default_assignee
        if not review and unassigned:
            return Wait("unassigned")
        if name is not None and name not in settings.profiles:
            return Wait("unknown_profile", words=name)
        if not around.dispatchers:
            return Wait("no_dispatcher")
        if self._space is None:
            self._space = room(
                self._tx, settings, host=around.host, host_cap=around.host_cap, most=PAGE_MAX
            )
        cap = None if name is None else settings.profiles[name].cap
        if cap is not None and self._space.by_profile.get(name or "", 0) >= cap:
            return Wait("profile_cap", words=name)
        return Wait("board_cap" if self._space.free <= 0 else "starts_next")


def _scheduled(row: CardRow) -> Wait:
    if row.not_before is None:
        return Wait("parked")
    retry = row.attempts > 0 and row.last_error is not None
    return Wait("waits_for_retry" if retry else "waits_for_time", row.not_before)


def _blocked(row: CardRow) -> Wait:
    if row.questions:
        return Wait("question", words=row.block_reason)
    if row.block_kind == "gave_up":
        return Wait("gave_up", words=row.block_reason)
    return Wait(f"blocked_{row.block_kind}", words=row.block_reason)
