"""Which row of the lifecycle table applies: pure, no database, no clock.

`decide` tries the rows of (verb, caller, status) in order and answers with the first whose guards all
hold.  No row for the status is `WrongStatus`; rows whose guards fail are `GuardFailed`, in the words
of the guard that failed in the row that came nearest.  A write with an old run's credentials is `Stale`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from shopfloor.domain.errors import BoardError, GuardFailed, Stale, WrongStatus
from shopfloor.domain.lifecycle import By, Guard, Rule, Status, Verb, rules_for, sources_of
from shopfloor.domain.model import Task


class Facts(NamedTuple):
    """What the guards need to know beside the task's own row."""

    now: int = 0
    open_parents: int = 0
    holds_run: bool = False
    role: str | None = None
    key_free: bool = True
    block_kind: str | None = None
    recurrence_limit: int = 2
    force: bool = False
    wants: str | None = None
    answered: bool = False
    quota_spent: bool = False
    rounds_spent: bool = False


NEEDS_PARENTS = frozenset({Guard.PARENTS_MET, Guard.PARENTS_OPEN})


def _met(task: Task | None, facts: Facts) -> bool:
    return facts.open_parents == 0 or (task is not None and task.forced_at is not None)


def _loop_spent(task: Task | None, facts: Facts) -> bool:
    return (
        task is not None
        and task.loop_kind == facts.block_kind
        and task.loop_count >= facts.recurrence_limit
    )


def _was(status: Status) -> Callable[[Task | None, Facts], bool]:
    return lambda task, _facts: task is not None and task.archived_from == status


_HOLDS: dict[Guard, Callable[[Task | None, Facts], bool]] = {
    Guard.PARENTS_MET: _met,
    Guard.PARENTS_OPEN: lambda _t, f: f.open_parents > 0,
    Guard.HOLDS_RUN: lambda _t, f: f.holds_run,
    Guard.ROLE_WORKER: lambda _t, f: f.role == "worker",
    Guard.ROLE_REVIEWER: lambda _t, f: f.role == "reviewer",
    Guard.PHASE_REVIEW: lambda t, _f: t is not None and t.phase == "review",
    Guard.DUE: lambda t, f: t is not None and t.not_before is not None and t.not_before <= f.now,
    Guard.WAITS_FOR_TASK: lambda _t, f: f.block_kind == "dependency",
    Guard.WAITS_FOR_PERSON: lambda _t, f: f.block_kind != "dependency",
    Guard.LOOP_SPENT: _loop_spent,
    Guard.FORCED: lambda _t, f: f.force,
    Guard.NOT_FORCED: lambda t, _f: t is not None and t.forced_at is None,
    Guard.UNDECOMPOSED: lambda t, _f: t is not None and t.decomposed_at is None,
    Guard.ANSWERED: lambda _t, f: f.answered,
    Guard.QUOTA_SPENT: lambda _t, f: f.quota_spent,
    Guard.ROUNDS_SPENT: lambda _t, f: f.rounds_spent,
    Guard.KEY_FREE: lambda _t, f: f.key_free,
    Guard.WANTS_TRIAGE: lambda _t, f: f.wants == Status.TRIAGE,
    Guard.WANTS_SCHEDULED: lambda _t, f: f.wants == Status.SCHEDULED,
    Guard.WANTS_BLOCKED: lambda _t, f: f.wants == Status.BLOCKED,
    Guard.WAS_TRIAGE: _was(Status.TRIAGE),
    Guard.WAS_SCHEDULED: _was(Status.SCHEDULED),
    Guard.WAS_REVIEW: _was(Status.REVIEW),
    Guard.WAS_BLOCKED: _was(Status.BLOCKED),
    Guard.WAS_DONE: _was(Status.DONE),
    Guard.WAS_CANCELLED: _was(Status.CANCELLED),
}

_SENTENCES: dict[Guard, str] = {
    Guard.PARENTS_MET: "it still waits for {open_parents} unfinished parent(s); finish them, or use "
    "`promote --force`",
    Guard.PARENTS_OPEN: "it waits for no unfinished task; name one with `--on ID`, or block for another reason",
    Guard.ROLE_WORKER: "only the implementing worker may do that, and this run reviews",
    Guard.ROLE_REVIEWER: "only a reviewer's run may do that, and this run implements",
    Guard.PHASE_REVIEW: "it is not under review",
    Guard.DUE: "its time has not come",
    Guard.WAITS_FOR_PERSON: "a task that is not running waits for another by a link: `link PARENT CHILD`",
    Guard.WAITS_FOR_TASK: "it does not wait for another task",
    Guard.UNDECOMPOSED: "it was decomposed before; add sub-tasks with `create --origin`",
    Guard.ANSWERED: "a person has to let it go on, for no default of its worker's own does",
    Guard.QUOTA_SPENT: "its provider account is not used up",
    Guard.ROUNDS_SPENT: "its reviewer has not sent it back too often",
    Guard.KEY_FREE: "another task holds its idempotency key; archive that one first",
    Guard.NOT_FORCED: "a person promoted it by force",
}


_WORDS = {Verb.PROMOTE_MANUAL: "promote", Verb.RELEASE: "take back"}


@cache
def words_of(verb: Verb) -> str:
    """The verb as a sentence has it."""
    return _WORDS.get(verb, verb.value.replace("_", " "))


def holds(guard: Guard, task: Task | None, facts: Facts) -> bool:
    """Whether one guard holds."""
    return _HOLDS[guard](task, facts)


def decide(verb: Verb, by: By, task: Task | None, facts: Facts) -> Rule:
    """The row that applies; raises WrongStatus, Stale or GuardFailed where none does."""
    rows = rules_for(verb, by, None if task is None else task.status)
    for rule in rows:
        for guard in rule.guards:
            if not _HOLDS[guard](task, facts):
                break
        else:
            return rule
    assert task is not None, "a creation always has a row"
    raise _refusal(verb, by, task, facts)


def _nearest(rows: tuple[Rule, ...], task: Task, facts: Facts) -> Guard:
    """The guard that failed in the row that came furthest; of several such rows, in the last."""
    failed: Guard | None = None
    furthest = 0
    for rule in rows:
        for passed, guard in enumerate(rule.guards):
            if not _HOLDS[guard](task, facts):
                if passed >= furthest:
                    failed, furthest = guard, passed
                break
    assert failed is not None, "rows that all hold are no refusal"
    return failed


def _refusal(verb: Verb, by: By, task: Task, facts: Facts) -> BoardError:
    rows = rules_for(verb, by, task.status)
    detail: dict[str, object] = {"task": task.id, "status": task.status, "verb": verb.value}
    words = words_of(verb)
    if not rows:
        sources = sources_of(verb, by) or sources_of(verb, By.PERSON)
        where = f"works from {', '.join(sources)} only" if sources else "is its worker's to do"
        return WrongStatus(
            f"cannot {words} #{task.id}: it is {task.status}, and that {where}", detail=detail
        )
    failed = _nearest(rows, task, facts)
    if failed is Guard.HOLDS_RUN:
        return Stale(
            f"cannot {words} #{task.id}: this run is not the task's open run any more, "
            "so the write is refused; stop working on it",
            detail=detail,
        )
    why = _SENTENCES[failed].format(open_parents=facts.open_parents)
    return GuardFailed(
        f"cannot {words} #{task.id}: {why}", detail={**detail, "guard": failed.value}
    )
