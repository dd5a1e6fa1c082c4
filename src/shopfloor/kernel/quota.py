"""Provider accounts that reached their limits: all tasks of an account wait, then one probe goes first.

    (no row) ──hit──► parked ──until, first claim──► probing ──answer──► opening ──a minute──► (no row)
                        ▲                              │                    │
                        └── hit of the probe: a round ─┴──── hit ───────────┘

A row says since when and until when an account waits.  Hits of runs that were at work already are the
same round.  The probe is an ordinary task, the first that may start; `progress` with output, or its verdict,
opens the account, and a probe that ended otherwise leaves the place to the next.  While it opens, one
task starts at a time, spread over seconds.  What a probe has come to is read from its run, so nothing has
to be told when it dies.  After `quota_rounds_limit` rounds without an answer the queued tasks are blocked.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from shopfloor.domain.caller import BOARD, Caller
from shopfloor.domain.durations import words
from shopfloor.domain.errors import NotFound
from shopfloor.domain.lifecycle import By, Outcome, Status, Verb
from shopfloor.domain.limits import BATCH_PER_TICK, QUOTA_OPENING_MS, QUOTA_SPREAD_MS
from shopfloor.domain.model import Quota, Run, Task
from shopfloor.domain.outcomes import WORKERS_OWN
from shopfloor.domain.settings import Settings
from shopfloor.kernel.apply import Change, apply, facts_for
from shopfloor.kernel.decide import decide
from shopfloor.store import events, quotas, runs, tasks
from shopfloor.store.db import Tx

Kind = Literal["waits", "one", "spent", "over"]


class Gate(NamedTuple):
    """What an account's row means now: `one` may start, none (`waits`), or the row has had its time."""

    row: Quota
    kind: Kind
    sentence: str
    until: int | None = None


def account_of(settings: Settings, profile: str | None) -> str | None:
    """The account that a profile's runs use; None for plain commands that name none."""
    known = settings.profiles.get(profile or "")
    if known is None:
        return None
    return known.account or (known.name if known.is_agent else None)


def account_of_run(settings: Settings, task: Task, run: Run) -> str | None:
    """The account that a run uses; an inline command uses none."""
    if task.command is not None and run.role == "worker":
        return None
    return account_of(settings, run.profile)


def next_try(tx: Tx, settings: Settings) -> int | None:
    """When the next account may be tried; where no profile has one, nothing is looked up."""
    return quotas.next_at(tx) if _has_accounts(settings) else None


def _has_accounts(settings: Settings) -> bool:
    return any(one.is_agent or one.account for one in settings.profiles.values())


def gates(tx: Tx, settings: Settings) -> dict[str, Gate]:
    """The accounts that are not simply open, locked in a writing transaction."""
    if not _has_accounts(settings):
        return {}
    return {row.account: gate(tx, settings, row) for row in quotas.everything(tx)}


def gate(tx: Tx, settings: Settings, stored: Quota) -> Gate:
    """What a row means now."""
    row = _as_it_is(tx, stored)
    name = repr(row.account)
    rounds = f"round {row.rounds} of {settings.dispatch.quota_rounds_limit}"
    if row.state == "probing":
        sentence = (
            f"account {name} reached its limit, and run {row.probe_run} tries it first ({rounds})"
        )
        return Gate(row, "waits", sentence)
    if row.opened_at is not None:
        if row.opened_at + QUOTA_OPENING_MS <= tx.now:
            return Gate(row, "over", f"account {name} is open")
        sentence = f"account {name} is open again, and its tasks start one after the other"
        return Gate(row, "waits" if row.until > tx.now else "one", sentence, row.until)
    if row.rounds >= settings.dispatch.quota_rounds_limit:
        return Gate(row, "spent", _spent_sentence(tx, row))
    if row.until > tx.now:
        left = words(row.until - tx.now)
        sentence = f"account {name} reached its limit ({row.reason}); it is tried again in {left} ({rounds})"
        return Gate(row, "waits", sentence, row.until)
    sentence = f"account {name} reached its limit, and one task tries it first ({rounds})"
    return Gate(row, "one", sentence, row.until)


def _as_it_is(tx: Tx, row: Quota) -> Quota:
    """The row with what has become of its probe."""
    if row.probe_run is None:
        return row
    run = runs.get(tx, row.probe_run)
    if run is not None and run.outcome is None:
        return row
    if run is not None and Outcome(run.outcome or "") in WORKERS_OWN:
        return _opened(row, run.ended_at or tx.now)
    return row._replace(state="parked", probe_run=None, until=tx.now)


def _opened(row: Quota, at: int) -> Quota:
    return row._replace(state="opening", probe_run=None, rounds=0, until=at, opened_at=at)


def hit(tx: Tx, run: Run, account: str, *, until: int, reason: str) -> None:
    """A run of the account ended at its limit: park it, or count one more round."""
    fresh = Quota(account, "parked", tx.now, until, 1, None, reason, None)
    row = quotas.lock(tx, account)
    if row is None:
        if quotas.add(tx, fresh):
            _say(tx, "quota_parked", BOARD, account, until=until, rounds=1, reason=reason)
            return
        row = quotas.lock(tx, account)
        assert row is not None, "a row that could not be added is there"
    if row.state == "opening":
        after = fresh
    elif row.probe_run == run.id:
        after = fresh._replace(since=row.since, rounds=row.rounds + 1)
    elif row.state == "parked" and until > row.until:
        # One that was at work already: the same round, and a better knowledge of its end.
        quotas.put(tx, row._replace(until=until, reason=reason))
        return
    else:
        return
    quotas.put(tx, after)
    _say(tx, "quota_parked", BOARD, account, until=until, rounds=after.rounds, reason=reason)


def answered(tx: Tx, run: Run, account: str) -> None:
    """The provider has answered a run: if that is the probe, the account opens."""
    row = quotas.lock(tx, account)
    if row is not None and row.probe_run == run.id:
        quotas.put(tx, _opened(row, tx.now))
        _say(tx, "quota_opened", BOARD, account, run=run.id)


def begun(tx: Tx, found: Gate, run_id: int, spread: float) -> None:
    """A task of an account that was waited for has started; `spread` is a random share of the usual gap."""
    if found.row.opened_at is None:
        quotas.put(tx, found.row._replace(state="probing", probe_run=run_id))
        return
    gap = round(QUOTA_SPREAD_MS * (0.5 + spread))
    quotas.put(tx, found.row._replace(until=tx.now + gap))


def keep(tx: Tx, settings: Settings, found: dict[str, Gate]) -> None:
    """Do what the rows are due for: forget what is over, block what waits in vain."""
    for account, one in found.items():
        if one.kind == "over":
            quotas.drop(tx, account)
        elif one.kind == "spent":
            _block_queued(tx, settings, one)


def _block_queued(tx: Tx, settings: Settings, found: Gate) -> None:
    account = found.row.account
    blocked = 0
    for status, lane in lanes_of(settings, account, tasks.lanes(tx, Status.REVIEW)):
        for task in tasks.queued(tx, status, lane, BATCH_PER_TICK):
            facts = facts_for(tx, Verb.BLOCK, By.BOARD, task, quota_spent=True)
            change = Change(BOARD, reason=found.sentence, block_kind="capability")
            apply(tx, task, decide(Verb.BLOCK, By.BOARD, task, facts), change)
            blocked += 1
        if blocked >= BATCH_PER_TICK:
            return
    quotas.drop(tx, account)
    rounds = found.row.rounds
    _say(tx, "quota_spent", BOARD, account, rounds=rounds, blocked=blocked, reason=found.row.reason)


def lanes_of(settings: Settings, account: str, in_review: list[str]) -> list[tuple[Status, str]]:
    """The queues whose tasks use an account."""
    found = [
        (Status.READY, name) for name in settings.profiles if account_of(settings, name) == account
    ]
    if account_of(settings, settings.dispatch.reviewer) == account:
        found += [(Status.REVIEW, lane) for lane in in_review]
    return found


def clear(tx: Tx, settings: Settings, caller: Caller, account: str) -> None:
    """Let an account's tasks start now, as a person says; raises NotFound where none waits."""
    if not quotas.drop(tx, account):
        raise NotFound(f"account {account!r} waits for nothing; `shop quota` shows those that do")
    for status, lane in lanes_of(settings, account, tasks.lanes(tx, Status.REVIEW)):
        for task in tasks.queued(tx, status, lane, BATCH_PER_TICK):
            if task.quota_rounds and task.not_before is not None:
                tasks.edit(tx, task._replace(not_before=None, changed_at=tx.now))
    _say(tx, "quota_cleared", caller, account)


def _spent_sentence(tx: Tx, row: Quota) -> str:
    waited = words(max(tx.now - row.since, 0))
    return (
        f"account {row.account!r} was tried {row.rounds} times in {waited} without an answer; "
        f"the last time: {row.reason}"
    )


def _say(tx: Tx, kind: str, caller: Caller, account: str, **data: object) -> None:
    events.append(tx, kind, task_id=None, actor=caller.name, data={"account": account, **data})
