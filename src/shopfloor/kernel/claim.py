"""Which tasks start now: one free-slot number, one candidate list, every guard with its reason.

`plan` only reads, so a dry run and the real pass see the same; `take` claims what was planned in the
same transaction.  The caps count runs that are open or whose processes are not gone, over every kind
of start, reviews included.  A task that is skipped is never failed; it comes first again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.lifecycle import By, Status, Verb
from shopfloor.domain.limits import BATCH_PER_TICK
from shopfloor.domain.model import Hold, Task
from shopfloor.domain.settings import Settings
from shopfloor.kernel.apply import Change, Opening, apply, facts_for
from shopfloor.kernel.budget import Reached, before_start
from shopfloor.kernel.decide import decide
from shopfloor.kernel.guards import Guarded, guard_of, note_guard
from shopfloor.kernel.quota import Gate, account_of, begun, gates, keep
from shopfloor.store import holds, notes, runs, tasks
from shopfloor.store.db import Tx
from shopfloor.store.tasks import COMMAND_LANE

UNASSIGNED_LANE = ""
PAUSES = ("paused", "profile_paused")


class Skip(NamedTuple):
    """Tasks that wait, and why: one row a lane for caps, one a task for guards."""

    code: str
    lane: str
    sentence: str
    task_id: int | None = None
    until: int | None = None


class Candidate(NamedTuple):
    """A task that may start now, and the profile that runs it.

    `picked`: the statement that found it has looked at its parents; `held`: there are guards or a bypass
    to forget when it starts; `gate`: it is the one that may start of an account that is waited for.
    """

    task: Task
    role: str
    profile: str | None
    picked: bool = False
    held: bool = False
    gate: Gate | None = None


class Plan(NamedTuple):
    """What a pass would start, and what it leaves; `expired`: some guards are over."""

    start: tuple[Candidate, ...]
    skipped: tuple[Skip, ...]
    expired: bool = False
    gates: dict[str, Gate] = {}  # noqa: RUF012 - read only

    @property
    def writes(self) -> bool:
        """Whether claiming it would change anything."""
        return (
            bool(self.start)
            or any(skip.task_id is not None and skip.until is not None for skip in self.skipped)
            or any(gate.kind in ("spent", "over") for gate in self.gates.values())
        )


class Claimed(NamedTuple):
    """A task that was claimed, with the run that was opened for it."""

    task: Task
    run_id: int
    token: str
    role: str
    profile: str | None


class Room(NamedTuple):
    """How many more may start: on the board, on this host, and per profile.

    `capped`: it is a cap that leaves no more room, and not the size of one pass.
    """

    free: int
    used: int
    by_profile: dict[str, int]
    capped: bool


class Look(NamedTuple):
    """What a pass sees before it looks at tasks."""

    settings: Settings
    space: Room
    paused: dict[tuple[str, str], Hold]
    held: dict[str, set[str]]
    gates: dict[str, Gate]
    limits: dict[str, Reached]

    def gate_of(self, profile: str | None) -> Gate | None:
        """What a profile's account waits for, if it does."""
        if not self.gates:
            return None
        return self.gates.get(account_of(self.settings, profile) or "")

    def room_of(self, profile: str | None) -> int:
        """How many more of a profile may start."""
        known = self.settings.profiles.get(profile) if profile is not None else None
        if known is None or known.cap is None:
            return self.space.free
        return min(known.cap - self.space.by_profile.get(profile or "", 0), self.space.free)


def room(tx: Tx, settings: Settings, *, host: str, host_cap: int | None, most: int) -> Room:
    """The free slots, counted once for all kinds of start."""
    held = runs.slots(tx)
    used = sum(count for _profile, _host, count in held)
    here = sum(count for _profile, where, count in held if where == host)
    caps = []
    if settings.dispatch.cap is not None:
        caps.append(settings.dispatch.cap - used)
    if host_cap is not None:
        caps.append(host_cap - here)
    free = max(min([most, *caps]), 0)
    by_profile: dict[str, int] = {}
    for profile, _where, count in held:
        by_profile[profile] = by_profile.get(profile, 0) + count
    return Room(free, used, by_profile, capped=bool(caps) and min(caps) <= most)


def plan(
    tx: Tx,
    settings: Settings,
    *,
    host: str,
    host_cap: int | None,
    most: int = BATCH_PER_TICK,
    lock: bool = False,
) -> Plan:
    """What may start now on this host, best first, and why the rest waits.

    With `lock` the tasks are this transaction's, to be claimed in it; without it nothing is touched.
    """
    first = tasks.pick if lock else tasks.look
    space = room(tx, settings, host=host, host_cap=host_cap, most=most)
    everything = holds.everything(tx)
    found_gates = gates(tx, settings)
    look = Look(
        settings,
        space,
        _pauses(everything, tx.now),
        _by_task(everything),
        found_gates,
        {name: hit for name in settings.profiles if (hit := before_start(tx, settings, name))},
    )
    paused = look.paused.get(("board", ""))
    if paused is not None:
        return Plan((), (Skip("board_paused", "", f"the board is paused: {paused.reason}"),))
    skipped: list[Skip] = []
    found: list[Candidate] = []
    for status, role in ((Status.REVIEW, "reviewer"), (Status.READY, "worker")):
        for lane in tasks.lanes(tx, status):
            profile = profile_of(lane, role, settings)
            skip = _lane_skip(look, lane, role, profile)
            if skip is not None:
                skipped.append(skip)
                continue
            # One more than there is room for tells whether some are left.
            seen = first(tx, status, lane, look.room_of(profile) + 1)
            gate = look.gate_of(profile)
            found += [Candidate(task, role, profile, picked=True, gate=gate) for task in seen]
    skipped += _held_back(tx, look)
    start = _within_caps(_guarded(tx, look, found, skipped), look, skipped)
    for task_id, run_id in tasks.leaving(tx, BATCH_PER_TICK):
        sentence = f"the last process of run {run_id} is still leaving"
        skipped.append(Skip("previous_worker_leaving", "", sentence, task_id))
    expired = any(hold.until is not None and hold.until <= tx.now for hold in everything)
    return Plan(tuple(start), tuple(skipped), expired, found_gates)


def pauses(tx: Tx) -> dict[tuple[str, str], Hold]:
    """The pauses that hold now, by scope and name."""
    return _pauses(holds.everything(tx), tx.now)


def _pauses(held: list[Hold], now: int) -> dict[tuple[str, str], Hold]:
    return {
        (hold.scope, hold.name): hold
        for hold in held
        if hold.code in PAUSES and (hold.until is None or hold.until > now)
    }


def _by_task(held: list[Hold]) -> dict[str, set[str]]:
    """The codes of the holds of each task, by its number as a text."""
    found: dict[str, set[str]] = {}
    for hold in held:
        if hold.scope == "task":
            found.setdefault(hold.name, set()).add(hold.code)
    return found


def profile_of(lane: str, role: str, settings: Settings) -> str | None:
    """The profile that runs the tasks of a lane; None for plain commands, and for nobody."""
    if role == "reviewer":
        return settings.dispatch.reviewer
    return None if lane in (COMMAND_LANE, UNASSIGNED_LANE) else lane


def _lane_skip(look: Look, lane: str, role: str, profile: str | None) -> Skip | None:
    """Why nothing of a lane starts now, if so."""
    if role == "reviewer" and (profile is None or look.settings.dispatch.review == "person"):
        return Skip("review_by_person", lane, "a person reviews these: approve, or request changes")
    if role == "worker" and lane == UNASSIGNED_LANE:
        sentence = "nobody is assigned and no default assignee is set; use `shop assign`"
        return Skip("unassigned", lane, sentence)
    if profile is not None:
        skip = _profile_skip(look, lane, profile)
        if skip is not None:
            return skip
    if look.space.free <= 0 and look.space.capped:
        return _board_cap(look, lane, 0)
    return None


def _profile_skip(look: Look, lane: str, profile: str) -> Skip | None:
    if profile not in look.settings.profiles:
        sentence = f"there is no profile {profile!r} on this host; add it to the configuration, or reassign"
        return Skip("unknown_profile", lane, sentence)
    hold = look.paused.get(("lane", profile))
    if hold is not None:
        sentence = f"profile {profile!r} is paused: {hold.reason}"
        return Skip("profile_paused", lane, sentence)
    gate = look.gate_of(profile)
    if gate is not None and gate.kind in ("waits", "spent"):
        return Skip("quota", lane, gate.sentence, None, gate.until)
    limit = look.limits.get(profile)
    if limit is not None:
        return Skip("budget", lane, limit.sentence, None, limit.until)
    if _profile_left(look, profile, 0) <= 0:
        return _profile_cap(look, lane, profile, 0)
    return None


def _profile_left(look: Look, profile: str, started: int) -> int:
    cap = look.settings.profiles[profile].cap
    if cap is None:
        return BATCH_PER_TICK
    return cap - look.space.by_profile.get(profile, 0) - started


def _profile_cap(look: Look, lane: str, profile: str, started: int) -> Skip:
    running = look.space.by_profile.get(profile, 0) + started
    cap = look.settings.profiles[profile].cap
    return Skip("profile_cap", lane, f"profile {profile!r} runs {running} of at most {cap}")


def _board_cap(look: Look, lane: str, started: int) -> Skip:
    running = look.space.used + started
    return Skip("board_cap", lane, f"all slots are in use ({running} running)")


def _held_back(tx: Tx, look: Look) -> list[Skip]:
    """The queued tasks that a person paused or a guard holds."""
    if not look.held:
        return []
    return [
        Skip("task_paused" if code == "paused" else code, lane, reason, task_id)
        for task_id, lane, code, reason in tasks.held(tx, BATCH_PER_TICK)
    ]


def _guarded(tx: Tx, look: Look, found: list[Candidate], skipped: list[Skip]) -> list[Candidate]:
    """Leave out what a respawn guard holds back; each guard ends by itself and can be bypassed."""
    allowed = []
    for candidate in found:
        task = candidate.task
        held = look.held.get(str(task.id), set())
        guard = None if "guards_bypassed" in held else guard_of(tx, look.settings, task)
        if guard is None:
            allowed.append(candidate._replace(held=bool(held)) if held else candidate)
        else:
            skipped.append(Skip(guard.code, task.lane, guard.sentence, task.id, guard.until))
    return allowed


def _within_caps(found: list[Candidate], look: Look, skipped: list[Skip]) -> list[Candidate]:
    """The best candidates that fit below every cap together; each lane that is left out says so once."""
    found.sort(key=lambda c: (-c.task.priority, c.task.id))
    started: dict[str, int] = {}
    left_out: dict[tuple[str, str], Skip] = {}
    start: list[Candidate] = []
    tried: set[str] = set()
    for candidate in found:
        lane, profile = candidate.task.lane, candidate.profile
        if profile is not None and _profile_left(look, profile, started.get(profile, 0)) <= 0:
            skip = _profile_cap(look, lane, profile, started.get(profile, 0))
            left_out.setdefault((skip.code, lane), skip)
            continue
        gate = candidate.gate
        if gate is not None and gate.kind == "one" and gate.row.account in tried:
            skip = Skip("quota", lane, gate.sentence)
            left_out.setdefault((skip.code, lane), skip)
            continue
        if len(start) >= look.space.free:
            if look.space.capped:
                left_out.setdefault(("board_cap", lane), _board_cap(look, lane, len(start)))
            continue
        if profile is not None:
            started[profile] = started.get(profile, 0) + 1
        if gate is not None:
            tried.add(gate.row.account)
        start.append(candidate)
    skipped += left_out.values()
    return start


def take(
    tx: Tx,
    caller: Caller,
    planned: Plan,
    *,
    host: str,
    lease_ms: int,
    new_token: Callable[[], str],
    settings: Settings | None = None,
    spread: Callable[[], float] = random.random,
) -> list[Claimed]:
    """Claim what was planned in this transaction, and write down what a guard holds back.

    `spread` gives a number from 0 to 1: tasks of an account that opens again start at uneven times.
    """
    if planned.expired:
        holds.drop_expired(tx)
    for skip in planned.skipped:
        if skip.task_id is not None and skip.until is not None:
            note_guard(tx, skip.task_id, Guarded(skip.code, skip.sentence, skip.until))
    if settings is not None:
        keep(tx, settings, planned.gates)
    claimed = []
    for candidate in planned.start:
        token = new_token()
        one = _claim(tx, caller, candidate, host=host, lease_ms=lease_ms, token=token)
        if candidate.gate is not None and candidate.gate.kind == "one":
            begun(tx, candidate.gate, one.run_id, spread())
        claimed.append(one)
    return claimed


def _claim(
    tx: Tx, caller: Caller, candidate: Candidate, *, host: str, lease_ms: int, token: str
) -> Claimed:
    task = candidate.task
    seen: dict[str, object] = {"open_parents": 0} if candidate.picked else {}
    rule = decide(Verb.CLAIM, By.BOARD, task, facts_for(tx, Verb.CLAIM, By.BOARD, task, **seen))
    if candidate.held:
        holds.drop_all(tx, "task", str(task.id))
    opening = Opening(candidate.role, host, token, tx.now + lease_ms, candidate.profile)
    data: dict[str, object] = {"host": host, "attempt": task.attempts + 1}
    if candidate.profile is not None:
        data["profile"] = candidate.profile
    applied = apply(tx, task, rule, Change(caller, opening=opening, data=data))
    assert applied.run_id is not None
    if task.command is None:
        notes.comment_told_all(tx, task.id, applied.run_id)
    return Claimed(applied.task, applied.run_id, token, candidate.role, candidate.profile)


def new_token() -> str:
    """The secret of a run: 128 random bits."""
    return os.urandom(16).hex()
