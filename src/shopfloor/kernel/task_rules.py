"""What can be wrong with a task: when each rule holds, how bad it is, and since when.

Pure functions over rows that were fetched for all suspects at once; what to do about a finding is in
`advice.py`, under the same code.  A rule answers with a severity and a time, or with None.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shopfloor.domain.diagnostics import CYCLES, REPEATED, STUCK_MS, Severity
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.model import Hold
from shopfloor.domain.settings import Settings
from shopfloor.kernel.claim import UNASSIGNED_LANE
from shopfloor.kernel.why import Surroundings
from shopfloor.store.diagnostics import DeadParent, Said, Suspect
from shopfloor.store.tasks import COMMAND_LANE

WAITING = (Status.TODO, Status.SCHEDULED, Status.READY)
TURNING = (Status.TODO, Status.READY, Status.RUNNING, Status.REVIEW, Status.BLOCKED)
STUCK: Final = "stuck"


class Look(NamedTuple):
    """What the rules see beside the task."""

    now: int
    settings: Settings
    around: Surroundings
    paused: Mapping[tuple[str, str], Hold]
    blocks: Mapping[int, list[Said]]
    dead: Mapping[int, list[DeadParent]]


class Hit(NamedTuple):
    """That a rule holds: how bad it is, and since when."""

    severity: Severity
    since: int


Rule = Callable[[Suspect, Look], Hit | None]


def sound_lanes(settings: Settings) -> list[str]:
    """The lanes whose tasks can be started, whatever they ask for."""
    sound = [p.name for p in settings.profiles.values() if not p.required_skills]
    sound.append(COMMAND_LANE)
    if settings.dispatch.default_assignee:
        sound.append(UNASSIGNED_LANE)
    return sound


def found_in(task: Suspect, look: Look) -> list[tuple[str, Hit]]:
    """What is wrong with a task; that it is stuck is said only where nothing says why."""
    held = [(code, hit) for code, rule in RULES.items() if (hit := rule(task, look)) is not None]
    if not held and (hit := stuck(task, look)) is not None:
        held.append((STUCK, hit))
    return held


def _unassigned(task: Suspect, look: Look) -> Hit | None:
    if task.status != Status.READY or task.lane != UNASSIGNED_LANE:
        return None
    return None if look.settings.dispatch.default_assignee else Hit("warning", task.changed_at)


def _unknown_profile(task: Suspect, look: Look) -> Hit | None:
    if task.status not in WAITING or task.lane in (UNASSIGNED_LANE, COMMAND_LANE):
        return None
    if task.lane in look.settings.profiles:
        return None
    return Hit("error" if task.status == Status.READY else "warning", task.changed_at)


def lacking(task: Suspect, look: Look) -> list[str]:
    """The skills that the task's profile asks for and the task does not name."""
    profile = look.settings.profiles.get(task.lane)
    if profile is None or not profile.required_skills or task.status not in WAITING:
        return []
    named = json.loads(task.skills)
    return [skill for skill in profile.required_skills if skill not in named]


def _missing_skills(task: Suspect, look: Look) -> Hit | None:
    return Hit("warning", task.changed_at) if lacking(task, look) else None


def _dependency_dead(task: Suspect, look: Look) -> Hit | None:
    if task.status not in (Status.TODO, Status.SCHEDULED) or task.id not in look.dead:
        return None
    return Hit("error" if task.status == Status.TODO else "warning", task.changed_at)


def _stale_claim(task: Suspect, look: Look) -> Hit | None:
    if task.status != Status.RUNNING or task.lease_until is None or task.lease_until >= look.now:
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
        else:
            found, blocked_at = [], None
    return found


def _block_cycle(task: Suspect, look: Look) -> Hit | None:
    if task.status not in TURNING:
        return None
    found = cycles(look.blocks.get(task.id, []))
    return Hit("warning", found[0]) if len(found) >= CYCLES else None


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


RULES: dict[str, Rule] = {
    "unassigned": _unassigned,
    "unknown_profile": _unknown_profile,
    "missing_skills": _missing_skills,
    "dependency_dead": _dependency_dead,
    "stale_claim": _stale_claim,
    "repeated_failures": _repeated_failures,
    "repeated_violations": _repeated_violations,
    "block_cycle": _block_cycle,
}
