"""What can be wrong with a task: when each rule holds, how bad it is, and since when.

Pure functions over rows that were fetched for all suspects at once; what to do about a finding is in
`advice.py`, under the same code.  A rule answers with a severity and a time, or with None.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shopfloor.domain.diagnostics import CYCLES, REPEATED, REVIEW_ROUNDS, STUCK_MS, Severity
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.model import Hold
from shopfloor.domain.settings import Settings
from shopfloor.kernel.claim import UNASSIGNED_LANE
from shopfloor.kernel.why import Surroundings
from shopfloor.store.diagnostics import DeadParent, Said, Suspect
from shopfloor.store.tasks import COMMAND_LANE

WAITING = (Status.TODO, Status.SCHEDULED, Status.READY)
TURNING = (Status.TODO, Status.READY, Status.RUNNING, Status.REVIEW, Status.BLOCKED)
ENDED = (Status.DONE, Status.CANCELLED, Status.ARCHIVED)
STUCK: Final = "stuck"
SENT_BACK: Final = "changes_requested"


class Look(NamedTuple):
    """What the rules see beside the task.

    `written_at` says when a task's log was written last, where this host has it; it is asked for few tasks.
    """

    now: int
    settings: Settings
    around: Surroundings
    paused: Mapping[tuple[str, str], Hold]
    turns: Mapping[int, list[Said]]
    dead: Mapping[int, list[DeadParent]]
    written_at: Callable[[int], int | None]


class Hit(NamedTuple):
    """That a rule holds: how bad it is, and since when."""

    severity: Severity
    since: int


class Rule(NamedTuple):
    """One thing that can be wrong with a task in one of these statuses."""

    code: str
    statuses: tuple[Status, ...]
    when: Callable[[Suspect, Look], Hit | None]


def sound_lanes(settings: Settings) -> list[str]:
    """The lanes whose tasks can be started, whatever they ask for."""
    sound = [p.name for p in settings.profiles.values() if not p.required_skills]
    sound.append(COMMAND_LANE)
    if settings.dispatch.default_assignee:
        sound.append(UNASSIGNED_LANE)
    return sound


def found_in(task: Suspect, look: Look) -> list[tuple[str, Hit]]:
    """What is wrong with a task; that it is stuck is said only where nothing says why."""
    held = [
        (rule.code, hit)
        for rule in _BY_STATUS[task.status]
        if (hit := rule.when(task, look)) is not None
    ]
    if not held and (hit := stuck(task, look)) is not None:
        held.append((STUCK, hit))
    return held


def _unassigned(task: Suspect, look: Look) -> Hit | None:
    if task.lane != UNASSIGNED_LANE or look.settings.dispatch.default_assignee:
        return None
    return Hit("warning", task.changed_at)


def _unknown_profile(task: Suspect, look: Look) -> Hit | None:
    if task.lane in (UNASSIGNED_LANE, COMMAND_LANE) or task.lane in look.settings.profiles:
        return None
    return Hit("error" if task.status == Status.READY else "warning", task.changed_at)


def lacking(task: Suspect, look: Look) -> list[str]:
    """The skills that the task's profile asks for and the task does not name."""
    profile = look.settings.profiles.get(task.lane)
    if profile is None or not profile.required_skills:
        return []
    named = json.loads(task.skills)
    return [skill for skill in profile.required_skills if skill not in named]


def _missing_skills(task: Suspect, look: Look) -> Hit | None:
    return Hit("warning", task.changed_at) if lacking(task, look) else None


def _dependency_dead(task: Suspect, look: Look) -> Hit | None:
    if task.id not in look.dead:
        return None
    return Hit("error" if task.status == Status.TODO else "warning", task.changed_at)


def _stale_claim(task: Suspect, look: Look) -> Hit | None:
    if task.lease_until is None or task.lease_until >= look.now:
        return None
    return None if task.host in look.around.dispatchers else Hit("error", task.lease_until)


def failures(task: Suspect) -> int:
    """The failures in a row of the phase that the task is in."""
    return task.failures_review if task.phase == "review" else task.failures_work


def _repeated_failures(task: Suspect, look: Look) -> Hit | None:  # noqa: ARG001 - every rule gets both
    given_up = task.block_kind == "gave_up" and task.violations < REPEATED
    if not given_up and failures(task) < REPEATED:
        return None
    return Hit("error" if given_up else "warning", task.changed_at)


def _repeated_violations(task: Suspect, look: Look) -> Hit | None:  # noqa: ARG001 - every rule gets both
    if task.violations < REPEATED:
        return None
    return Hit("error" if task.status == Status.BLOCKED else "warning", task.changed_at)


def cycles(said: list[Said]) -> list[int]:
    """When each block that was followed by an unblock came, since a person last wrote something."""
    found: list[int] = []
    blocked_at: int | None = None
    for one in said:
        if one.kind == "blocked":
            blocked_at = one.at
        elif one.kind == "unblocked":
            found += [] if blocked_at is None else [blocked_at]
            blocked_at = None
        elif one.kind != SENT_BACK:
            found, blocked_at = [], None
    return found


def _block_cycle(task: Suspect, look: Look) -> Hit | None:
    found = cycles(look.turns.get(task.id, []))
    return Hit("warning", found[0]) if len(found) >= CYCLES else None


def rounds(said: list[Said]) -> list[int]:
    """When reviewers sent it back, since a person last wrote something."""
    found: list[int] = []
    for one in said:
        if one.kind == SENT_BACK:
            found.append(one.at)
        elif one.kind not in ("blocked", "unblocked"):
            found = []
    return found


def _review_cycle(task: Suspect, look: Look) -> Hit | None:
    found = rounds(look.turns.get(task.id, []))
    return Hit("warning", found[0]) if len(found) >= REVIEW_ROUNDS else None


def stuck(task: Suspect, look: Look) -> Hit | None:
    """Whether nothing has happened to a task for too long."""
    bounds = STUCK_MS.get(Status(task.status))
    if bounds is None or _held(task, look):
        return None
    since = task.changed_at
    if task.status == Status.RUNNING:
        since = max(task.run_since or since, task.heartbeat_at or 0)
        if look.now - since < (_max_runtime(task, look) or 0):
            return None
    age = look.now - since
    if task.status == Status.RUNNING and age >= bounds[0]:
        # A plain command tells nobody that it lives, but by what it prints.
        since = max(since, look.written_at(task.id) or 0)
        age = look.now - since
    return Hit("error" if age >= bounds[1] else "warning", since) if age >= bounds[0] else None


def _held(task: Suspect, look: Look) -> bool:
    """Whether a person paused it: then it waits as it should."""
    if task.status not in (Status.READY, Status.REVIEW):
        return False
    places = (("board", ""), ("lane", task.lane), ("task", str(task.id)))
    return any(place in look.paused for place in places)


def _max_runtime(task: Suspect, look: Look) -> int | None:
    """How long its run may take before its supervisor ends it."""
    profile = look.settings.profiles.get(task.profile or "")
    return task.max_runtime_ms or (None if profile is None else profile.max_runtime_ms)


OPEN = tuple(status for status in Status if status not in ENDED)
RULES = (
    Rule("unassigned", (Status.READY,), _unassigned),
    Rule("unknown_profile", WAITING, _unknown_profile),
    Rule("missing_skills", WAITING, _missing_skills),
    Rule("dependency_dead", (Status.TODO, Status.SCHEDULED), _dependency_dead),
    Rule("stale_claim", (Status.RUNNING,), _stale_claim),
    Rule("repeated_failures", OPEN, _repeated_failures),
    Rule("repeated_violations", OPEN, _repeated_violations),
    Rule("block_cycle", TURNING, _block_cycle),
    Rule("review_cycle", TURNING, _review_cycle),
)
_BY_STATUS = {status.value: [rule for rule in RULES if status in rule.statuses] for status in OPEN}
