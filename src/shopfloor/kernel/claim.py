"""Which tasks start now: one free-slot number, one candidate list, every guard with its reason.

`plan` only reads, so a dry run and the real pass see the same; `take` claims what was planned in the
same transaction.  The caps count runs that are open or whose processes are not gone, over every kind
of start, reviews included.  A task that is skipped is never failed; it comes first again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain.caller import BOARD, Caller
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.limits import ACTIVE_PR_MS, BATCH_PER_TICK, GUARD_RECHECK_MS
from shopfloor.domain.model import Hold, Task
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel.apply import Change, Opening, apply, facts_for
from shopfloor.kernel.decide import decide
from shopfloor.store import events, holds, notes, runs, tasks
from shopfloor.store.db import Tx

COMMAND_LANE = "!"
UNASSIGNED_LANE = ""


class Skip(NamedTuple):
    """Tasks that wait, and why: one row a lane for caps, one a task for guards."""

    code: str
    lane: str
    sentence: str
    task_id: int | None = None
    until: int | None = None


class Candidate(NamedTuple):
    """A task that may start now, and the profile that runs it."""

    task: Task
    role: str
    profile: str | None


class Plan(NamedTuple):
    """What a pass would start, and what it leaves."""

    start: tuple[Candidate, ...]
    skipped: tuple[Skip, ...]


class Claimed(NamedTuple):
    """A task that was claimed, with the run that was opened for it."""

    task: Task
    run_id: int
    token: str
    role: str
    profile: str | None


class Room(NamedTuple):
    """How many more may start: on the board, on this host, and per profile."""

    free: int
    used: int
    by_profile: dict[str, int]


def room(tx: Tx, settings: Settings, host: str, host_cap: int | None, most: int) -> Room:
    """The free slots, counted once for all kinds of start."""
    held = runs.slots(tx)
    used = sum(count for _profile, _host, count in held)
    here = sum(count for _profile, where, count in held if where == host)
    free = most
    if settings.dispatch.cap is not None:
        free = min(free, settings.dispatch.cap - used)
    if host_cap is not None:
        free = min(free, host_cap - here)
    by_profile: dict[str, int] = {}
    for profile, _where, count in held:
        by_profile[profile] = by_profile.get(profile, 0) + count
    return Room(max(free, 0), used, by_profile)


def plan(
    tx: Tx,
    settings: Settings,
    *,
    host: str,
    host_cap: int | None,
    most: int = BATCH_PER_TICK,
) -> Plan:
    """What may start now on this host, best first, and why the rest waits."""
    held = {(h.scope, h.name, h.code): h for h in holds.everything(tx)}
    paused = held.get(("board", "", "paused"))
    if paused is not None:
        return Plan((), (Skip("board_paused", "", f"the board is paused: {paused.reason}"),))
    space = room(tx, settings, host, host_cap, most)
    skipped: list[Skip] = []
    found: list[Candidate] = []
    for status, role in ((Status.REVIEW, "reviewer"), (Status.READY, "worker")):
        for lane in tasks.lanes(tx, status):
            profile = _profile_of(lane, role, settings)
            skip = _lane_skip(lane, role, profile, settings, space, held)
            if skip is not None:
                skipped.append(skip)
                continue
            limit = min(space.free, _profile_room(profile, settings, space))
            picked = tasks.pick(tx, status, lane, limit)
            found.extend(Candidate(task, role, profile) for task in picked)
    allowed = _guarded(tx, settings, found, held, skipped)
    start = _within_caps(allowed, settings, space, skipped)
    for task_id, run_id in tasks.leaving(tx, BATCH_PER_TICK):
        sentence = f"the last process of run {run_id} is still leaving"
        skipped.append(Skip("previous_worker_leaving", "", sentence, task_id))
    return Plan(tuple(start), tuple(skipped))


def _profile_of(lane: str, role: str, settings: Settings) -> str | None:
    if role == "reviewer":
        return settings.dispatch.reviewer
    return None if lane in (COMMAND_LANE, UNASSIGNED_LANE) else lane


def _lane_skip(
    lane: str,
    role: str,
    profile: str | None,
    settings: Settings,
    space: Room,
    held: dict[tuple[str, str, str], Hold],
) -> Skip | None:
    """Why nothing of a lane starts now, if so."""
    if role == "reviewer" and (profile is None or settings.dispatch.review == "person"):
        return Skip("review_by_person", lane, "a person reviews these: approve, or request changes")
    if role == "worker" and lane == UNASSIGNED_LANE:
        sentence = "nobody is assigned and no default assignee is set; use `shop assign`"
        return Skip("unassigned", lane, sentence)
    if profile is not None:
        if profile not in settings.profiles:
            sentence = f"there is no profile {profile!r} on this host; add it to the configuration, or reassign"
            return Skip("unknown_profile", lane, sentence)
        for code in ("paused", "profile_paused"):
            hold = held.get(("lane", profile, code))
            if hold is not None:
                sentence = f"profile {profile!r} is paused: {hold.reason}"
                return Skip("profile_paused", lane, sentence, until=hold.until)
        if _profile_room(profile, settings, space) <= 0:
            running = space.by_profile.get(profile, 0)
            cap = settings.profiles[profile].cap
            return Skip("profile_cap", lane, f"profile {profile!r} runs {running} of at most {cap}")
    if space.free <= 0:
        return Skip("board_cap", lane, f"all slots are in use ({space.used} running)")
    return None


def _profile_room(profile: str | None, settings: Settings, space: Room) -> int:
    known = settings.profiles.get(profile) if profile is not None else None
    if known is None or known.cap is None:
        return space.free
    return known.cap - space.by_profile.get(profile or "", 0)


def _guarded(
    tx: Tx,
    settings: Settings,
    found: list[Candidate],
    held: dict[tuple[str, str, str], Hold],
    skipped: list[Skip],
) -> list[Candidate]:
    """Leave out what a respawn guard holds back; each guard ends by itself and can be bypassed."""
    allowed = []
    for candidate in found:
        task = candidate.task
        bypassed = ("task", str(task.id), "guards_bypassed") in held
        skip = None if bypassed else _guard(tx, settings, task)
        if skip is None:
            allowed.append(candidate)
        else:
            skipped.append(skip)
    return allowed


def _guard(tx: Tx, settings: Settings, task: Task) -> Skip | None:
    done = task.succeeded_at
    if done is not None and task.touched_at < done:
        until = done + settings.dispatch.recent_success_ms
        if until > tx.now:
            sentence = "a run of it completed a moment ago; `shop bypass` starts it all the same"
            return Skip("recent_success", task.lane, sentence, task.id, until)
    if settings.dispatch.guard_active_pr:
        since = tx.now - ACTIVE_PR_MS
        if notes.comment_mentions_pull(tx, task.id, since):
            sentence = "a recent comment links a pull request; `shop bypass` starts it all the same"
            return Skip("active_pr", task.lane, sentence, task.id, tx.now + GUARD_RECHECK_MS)
    return None


def _within_caps(
    found: list[Candidate], settings: Settings, space: Room, skipped: list[Skip]
) -> list[Candidate]:
    """The best candidates that fit below every cap together."""
    found.sort(key=lambda c: (-c.task.priority, c.task.id))
    left = dict.fromkeys((c.profile for c in found if c.profile is not None), 0)
    for profile in left:
        left[profile] = _profile_room(profile, settings, space)
    start: list[Candidate] = []
    for candidate in found:
        if len(start) >= space.free:
            sentence = f"all slots are in use ({space.used + len(start)} running)"
            skipped.append(Skip("board_cap", candidate.task.lane, sentence, candidate.task.id))
            continue
        if candidate.profile is not None:
            if left[candidate.profile] <= 0:
                sentence = f"profile {candidate.profile!r} is at its cap"
                skipped.append(
                    Skip("profile_cap", candidate.task.lane, sentence, candidate.task.id)
                )
                continue
            left[candidate.profile] -= 1
        start.append(candidate)
    return start


def take(
    tx: Tx,
    caller: Caller,
    planned: Plan,
    *,
    host: str,
    lease_ms: int,
    new_token: Callable[[], str],
) -> list[Claimed]:
    """Claim what was planned in this transaction, and write down what a guard holds back."""
    for skip in planned.skipped:
        if skip.task_id is not None and skip.until is not None:
            _note_guard(tx, skip)
    return [
        _claim(tx, caller, candidate, host=host, lease_ms=lease_ms, token=new_token())
        for candidate in planned.start
    ]


def _note_guard(tx: Tx, skip: Skip) -> None:
    changed = holds.put(
        tx,
        "task",
        str(skip.task_id),
        skip.code,
        reason=skip.sentence,
        actor=BOARD.name,
        until=skip.until,
    )
    if changed:
        events.append(
            tx,
            "respawn_guarded",
            task_id=skip.task_id,
            actor=BOARD.name,
            data={"guard": skip.code, "until": skip.until},
        )


def _claim(
    tx: Tx, caller: Caller, candidate: Candidate, *, host: str, lease_ms: int, token: str
) -> Claimed:
    task = candidate.task
    rule = decide(Verb.CLAIM, By.BOARD, task, facts_for(tx, Verb.CLAIM, By.BOARD, task))
    opening = Opening(candidate.role, host, token, tx.now + lease_ms, candidate.profile)
    data: dict[str, object] = {"host": host, "attempt": task.attempts + 1}
    if candidate.profile is not None:
        data["profile"] = candidate.profile
    applied = apply(tx, task, rule, Change(caller, opening=opening, data=data))
    assert applied.run_id is not None
    return Claimed(applied.task, applied.run_id, token, candidate.role, candidate.profile)


def assign_default(tx: Tx, settings: Settings, *, dry_run: bool) -> list[int]:
    """Give unassigned ready tasks to the configured default assignee, as a recorded change."""
    default = settings.dispatch.default_assignee
    if not default:
        return []
    assigned = []
    for task in tasks.unassigned(tx, BATCH_PER_TICK):
        assigned.append(task.id)
        if dry_run:
            continue
        tasks.edit(tx, task._replace(assignee=default, changed_at=tx.now))
        data: dict[str, object] = {"assignee": default, "source": "dispatch.default_assignee"}
        events.append(tx, "assigned", task_id=task.id, actor=BOARD.name, data=data)
    return assigned


def new_token() -> str:
    """The secret of a run: 128 random bits."""
    return os.urandom(16).hex()
