"""What to do about a finding: one sentence, and the steps with their exact commands.

Asked only for findings that somebody reads, by the finding's code; when it holds is in `task_rules.py`
and `board_rules.py`.  A step that ends a finding really does: a test carries out each of them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from difflib import get_close_matches

from shopfloor.domain.diagnostics import CYCLE_WINDOW_MS, HOUR, PROFILES_NAMED, Advice, Step
from shopfloor.domain.lifecycle import Status
from shopfloor.kernel.task_rules import Look, cycles, failures, lacking, rounds, stuck
from shopfloor.store.diagnostics import Suspect

Tell = Callable[[Suspect, Look], Advice]


def advise(code: str, task: Suspect, look: Look) -> Advice:
    """What is wrong with the task, and what to do."""
    return _ADVICE[code](task, look)


def _unassigned(task: Suspect, look: Look) -> Advice:
    sentence = "nobody is assigned to it and there is no default assignee, so it will not start"
    return Advice(sentence, _assign(task, look, ""))


def _assign(task: Suspect, look: Look, wanted: str) -> tuple[Step, ...]:
    """Give the task to a profile that is there: those with a similar name first."""
    there = [p.name for p in look.settings.profiles.values() if not p.required_skills]
    near = get_close_matches(wanted, there, PROFILES_NAMED) if wanted else []
    named = list(dict.fromkeys([*near, *there]))[:PROFILES_NAMED]
    steps = tuple(
        Step(
            f"give it to {name}",
            f"shop assign {task.id} {shlex.quote(name)}",
            "task.assign",
            {"id": task.id, "assignee": name},
        )
        for name in named
    )
    asked = Step(
        "give it to a profile of this host",
        f"shop assign {task.id} PROFILE",
        "task.assign",
        {"id": task.id},
        asks="assignee",
    )
    return steps or (asked,)


def _unknown_profile(task: Suspect, look: Look) -> Advice:
    sentence = f"it is for the profile {task.lane!r}, which is not in this host's configuration"
    return Advice(sentence, _assign(task, look, task.lane))


def _missing_skills(task: Suspect, look: Look) -> Advice:
    missing = lacking(task, look)
    skills = [*json.loads(task.skills), *missing]
    flags = " ".join(f"--skill {shlex.quote(skill)}" for skill in skills)
    sentence = (
        f"the profile {task.lane!r} asks for skills that it does not name: {', '.join(missing)}"
    )
    name = Step(
        "name them",
        f"shop edit {task.id} {flags}",
        "task.edit",
        {"id": task.id, "skills": skills},
    )
    return Advice(sentence, (name, *_assign(task, look, "")))


def _dependency_dead(task: Suspect, look: Look) -> Advice:
    dead = look.dead[task.id]
    first, alone = dead[0], len(dead) == 1
    became = "given up" if first.status == Status.BLOCKED else first.status
    more = "" if alone else f", and for {len(dead) - 1} more like it"
    sentence = f"it waits for #{first.id}, which is {became} and will not be done by itself{more}"
    verb = {Status.CANCELLED: "reopen", Status.ARCHIVED: "unarchive"}.get(
        Status(first.status), "unblock"
    )
    revived = alone and not (first.status == Status.ARCHIVED and first.archived_from == "cancelled")
    return Advice(
        sentence,
        (
            _one(f"take #{first.id} up again", verb, first.id, ends=revived),
            Step(
                "go on without it",
                f"shop edit {task.id} --after any",
                "task.edit",
                {"id": task.id, "start_after": "any"},
            ),
            Step(
                f"do not wait for #{first.id}",
                f"shop unlink {first.id} {task.id}",
                "task.unlink",
                {"parent": first.id, "child": task.id},
                ends=alone,
            ),
            _one("give it up, too", "cancel", task.id),
        ),
    )


def _stale_claim(task: Suspect, look: Look) -> Advice:  # noqa: ARG001 - every rule gets both
    whose = f"on {task.host}, where no dispatcher runs" if task.host else "by an outside worker"
    sentence = f"run {task.run_id} {whose}, has kept it without a renewal since its claim ended"
    clear = Step(
        "take it back; its worker is stopped, and an attempt that has ended stays as it was",
        f"shop edit {task.id} --clear-claim",
        "task.edit",
        {"id": task.id, "clear_claim": True},
    )
    adopt = Step(f"look after it again, on {task.host}", "shop up", ends=False)
    return Advice(sentence, (clear, adopt) if task.host else (clear,))


def _repeated_failures(task: Suspect, look: Look) -> Advice:  # noqa: ARG001 - every rule gets both
    last = task.last_error or task.block_reason or "no reason was told"
    if task.status == Status.BLOCKED:
        return Advice(task.block_reason or f"it was given up: {last}", _again(task))
    sentence = f"{failures(task)} attempts in a row failed; the last one: {last}"
    return Advice(sentence, _again(task))


def _again(task: Suspect) -> tuple[Step, ...]:
    """Look at the log, then start the counts anew."""
    look = _look(task, "see what it said", "log", "task.log")
    if task.status == Status.BLOCKED:
        return look, _one("let it try again", "unblock", task.id), _one("end it", "cancel", task.id)
    anew = Step(
        "count anew, because the cause is gone",
        f"shop edit {task.id} --reset-failures",
        "task.edit",
        {"id": task.id, "reset_failures": True},
    )
    return look, anew


def _look(task: Suspect, title: str, command: str, op: str) -> Step:
    return Step(title, f"shop {command} {task.id}", op, {"id": task.id}, ends=False)


def _one(title: str, verb: str, task_id: int, *, ends: bool = True) -> Step:
    """A step that is a verb and a task's number."""
    return Step(title, f"shop {verb} {task_id}", f"task.{verb}", {"id": task_id}, ends=ends)


def _repeated_violations(task: Suspect, look: Look) -> Advice:  # noqa: ARG001 - every rule gets both
    sentence = (
        f"{task.violations} attempts in a row ended without a verdict: the agent never said how the task ended, "
        "so its instructions or its tools do not reach it"
    )
    return Advice(sentence, _again(task))


def _block_cycle(task: Suspect, look: Look) -> Advice:
    times = len(cycles(look.turns[task.id]))
    hours = CYCLE_WINDOW_MS // HOUR
    sentence = f"it was blocked and unblocked {times} times within {hours} hours, and nobody wrote what is different now"
    return Advice(sentence, _have_a_say(task, "tell the next worker what it was missing"))


def _review_cycle(task: Suspect, look: Look) -> Advice:
    times = len(rounds(look.turns[task.id]))
    hours = CYCLE_WINDOW_MS // HOUR
    sentence = f"its reviewer sent it back {times} times within {hours} hours, and each round costs two attempts"
    return Advice(sentence, _have_a_say(task, "tell both what is good enough"))


def _have_a_say(task: Suspect, title: str) -> tuple[Step, ...]:
    """End a circle of attempts by a person's word."""
    say = f"shop comment {task.id} TEXT"
    return (
        Step(title, say, "task.comment", {"id": task.id}, asks="body"),
        _one("park it until somebody has thought about it", "schedule", task.id),
    )


def _stuck(task: Suspect, look: Look) -> Advice:
    hit = stuck(task, look)
    assert hit is not None
    sentence = f"it has been {task.status} for {_span(look.now - hit.since)}"
    if task.status == Status.RUNNING:
        sentence += " without a word of its worker, or a line in its log"
    if task.status == Status.BLOCKED:
        sentence += f" ({task.block_kind}): {task.block_reason}"
    why = _look(task, "see why", "why", "task.why")
    return Advice(sentence, (why, *_OUT[Status(task.status)](task)))


def _span(ms: int) -> str:
    minutes = ms // 60_000
    if minutes < 120:  # noqa: PLR2004 - below two hours minutes say more
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _forced(task: Suspect) -> tuple[Step, ...]:
    force = Step(
        "start it although others are not done",
        f"shop promote {task.id} --force",
        "task.promote",
        {"id": task.id, "force": True},
    )
    return (force,)


def _reviewed(task: Suspect) -> tuple[Step, ...]:
    back = Step(
        "send it back",
        f"shop request-changes {task.id} REASON",
        "task.request_changes",
        {"id": task.id},
        asks="reason",
    )
    return _one("approve it", "complete", task.id), back


_OUT: dict[Status, Callable[[Suspect], tuple[Step, ...]]] = {
    Status.TRIAGE: lambda task: (
        Step(
            "make it a task as it stands",
            f"shop specify {task.id} --by hand",
            "task.specify",
            {"id": task.id, "by": "hand"},
        ),
        _one("end it", "cancel", task.id),
    ),
    Status.TODO: _forced,
    Status.READY: lambda task: (
        Step("make a pass now", "shop dispatch", "dispatch.run", ends=False),
        _one("park it until you want it", "schedule", task.id),
    ),
    Status.RUNNING: lambda task: (
        _one("take it back and try again", "reclaim", task.id),
        Step("stop it", f"shop terminate {task.id}", "run.terminate", {"id": task.id}),
    ),
    Status.REVIEW: _reviewed,
    Status.BLOCKED: lambda task: (
        _one("let it go on", "unblock", task.id),
        _one("end it", "cancel", task.id),
    ),
}

_ADVICE: dict[str, Tell] = {
    "unassigned": _unassigned,
    "unknown_profile": _unknown_profile,
    "missing_skills": _missing_skills,
    "dependency_dead": _dependency_dead,
    "stale_claim": _stale_claim,
    "repeated_failures": _repeated_failures,
    "repeated_violations": _repeated_violations,
    "block_cycle": _block_cycle,
    "review_cycle": _review_cycle,
    "stuck": _stuck,
}
