"""What may be used: by a run, by all attempts of a task, by a profile and by the board in a day.

A limit is looked at before a task starts and at each progress of its runner; what is not limited is not
counted.  A day is one of UTC; a run counts to the day in which it was heard of last.  The tokens that
count are those that were sent, answered or written to a cache; reading from a cache does not.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.caller import Caller
from shopfloor.domain.lifecycle import By, Verb
from shopfloor.domain.model import Budget, Run, Task
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel.apply import Change
from shopfloor.kernel.load import Held
from shopfloor.kernel.verbs import act_on
from shopfloor.store import budgets, events, spend
from shopfloor.store.db import Tx
from shopfloor.store.spend import Used

DAY_MS = 86_400_000
MICROS = 1_000_000


class Reached(NamedTuple):
    """A limit that was reached: in a sentence, until when, and what would move it."""

    sentence: str
    until: int | None
    step: str


class Bound(NamedTuple):
    """How much may be used; None is no limit."""

    tokens: int | None
    cost_micros: int | None

    @property
    def is_set(self) -> bool:
        return self.tokens is not None or self.cost_micros is not None


def micros(dollars: float | None) -> int | None:
    """US dollars as they are stored."""
    return None if dollars is None else round(dollars * MICROS)


def dollars(amount: int) -> str:
    """An amount as a sentence has it: to the cent, and more exactly below a dollar."""
    digits = 2 if amount >= MICROS or not amount else 4
    return f"${amount / MICROS:.{digits}f}"


def before_start(tx: Tx, settings: Settings, profile: str | None) -> Reached | None:
    """The limit of the day that keeps a profile's tasks from starting, if one does."""
    known = settings.profiles.get(profile or "")
    if known is None or not known.is_agent:
        return None
    return _of_profile_today(tx, known) or _of_board_today(tx, settings)


def of_task(tx: Tx, task: Task) -> Reached | None:
    """The task's own limit, where all its attempts together have reached it."""
    limit = budgets.get(tx, task.id)
    if limit is None:
        return None
    bound = Bound(limit.tokens, limit.cost_micros)
    words = _reached(spend.of_task(tx, task.id), bound)
    step = f"shop edit {task.id} --max-{'cost' if limit.tokens is None else 'tokens'} N"
    return None if words is None else Reached(f"#{task.id} has used {words}", None, step)


def reached(tx: Tx, settings: Settings, task: Task, run: Run) -> Reached | None:
    """The first limit that an attempt has reached, the narrowest first."""
    profile = settings.profiles.get(run.profile or "")
    if profile is None:
        return of_task(tx, task)
    return (
        _of_run(tx, profile, run)
        or of_task(tx, task)
        or _of_profile_today(tx, profile)
        or _of_board_today(tx, settings)
    )


def stop(tx: Tx, held: Held, caller: Caller, found: Reached, *, recurrence_limit: int) -> None:
    """Block a running task at its limit; its run ends as blocked, with the figures."""
    who = Caller(By.WORKER, "budget", caller.run_id, caller.token)
    change = Change(who, reason=found.sentence, block_kind="needs_input", data={"budget": True})
    act_on(tx, Verb.BLOCK, held, change, recurrence_limit=recurrence_limit)


def set_limits(
    tx: Tx, caller: Caller, task_id: int, *, tokens: int | None, cost_micros: int | None
) -> Budget | None:
    """Set the limits of a task; None leaves one as it is, and 0 takes it away."""
    before = budgets.get(tx, task_id) or Budget(task_id, None, None)
    after = Budget(task_id, _new(tokens, before.tokens), _new(cost_micros, before.cost_micros))
    if after == before:
        return before if Bound(*before[1:]).is_set else None
    if after.tokens is None and after.cost_micros is None:
        budgets.drop(tx, task_id)
    else:
        budgets.put(tx, after)
    data: dict[str, object] = {"max_tokens": after.tokens, "max_cost_micros": after.cost_micros}
    events.append(tx, "edited", task_id=task_id, run_id=caller.run_id, actor=caller.name, data=data)
    return after if Bound(*after[1:]).is_set else None


def _new(given: int | None, before: int | None) -> int | None:
    return before if given is None else given or None


def _of_run(tx: Tx, profile: Profile, run: Run) -> Reached | None:
    bound = Bound(profile.tokens_per_run, micros(profile.cost_per_run))
    row = spend.of_run(tx, run.id) if bound.is_set else None
    if row is None:
        return None
    tokens = row.input_tokens + row.output_tokens + row.cache_write_tokens
    words = _reached(Used(tokens, row.cost_micros or 0), bound)
    step = f"the limits of [profiles.{profile.name}] in the configuration"
    return None if words is None else Reached(f"run {run.id} has used {words}", None, step)


def _of_profile_today(tx: Tx, profile: Profile) -> Reached | None:
    bound = Bound(profile.tokens_per_day, micros(profile.cost_per_day))
    if not bound.is_set:
        return None
    words = _reached(spend.of_profile(tx, profile.name, today(tx)), bound)
    sentence = f"profile {profile.name!r} has used {words} today"
    return None if words is None else Reached(sentence, today(tx) + DAY_MS, _step(profile.name))


def _of_board_today(tx: Tx, settings: Settings) -> Reached | None:
    bound = Bound(settings.dispatch.tokens_per_day, micros(settings.dispatch.cost_per_day))
    if not bound.is_set:
        return None
    words = _reached(spend.of_board(tx, today(tx)), bound)
    sentence = f"the board has used {words} today"
    step = "the limits of [dispatch] in the configuration"
    return None if words is None else Reached(sentence, today(tx) + DAY_MS, step)


def _step(profile: str) -> str:
    return f"the limits of [profiles.{profile}] in the configuration"


def today(tx: Tx) -> int:
    """When this day began, in UTC."""
    return tx.now - tx.now % DAY_MS


def _reached(used: Used, bound: Bound) -> str | None:
    """The figures of the limit that was reached."""
    if bound.tokens is not None and used.tokens >= bound.tokens:
        return f"{used.tokens:,} of {bound.tokens:,} tokens"
    if bound.cost_micros is not None and used.cost_micros >= bound.cost_micros:
        return f"{dollars(used.cost_micros)} of {dollars(bound.cost_micros)}"
    return None
