"""The statements about what runs use, and about what agents reported of their ends."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.model import LastWords, Spend
from shopfloor.domain.outcomes import Report, Usage
from shopfloor.store.db import Row, Tx


def put(
    tx: Tx,
    *,
    run_id: int,
    task_id: int,
    profile: str | None,
    account: str | None,
    model: str | None,
    usage: Usage,
) -> None:
    """Write down what a run has used so far, as a whole."""
    tx.run(
        "spend_put",
        run_id=run_id,
        task_id=task_id,
        profile=profile,
        account=account,
        model=model,
        now=tx.now,
        **usage._asdict(),
    )


def report(tx: Tx, run_id: int, told: Report) -> None:
    """Keep what an agent's runner reported of the end."""
    tx.run(
        "spend_report",
        run_id=run_id,
        ending=told.ending,
        sentence=told.sentence,
        next_step=told.next,
        text=told.text,
        turns=told.turns,
        reminders=told.reminders,
    )


def reports_of_task(tx: Tx, task_id: int) -> dict[int, LastWords]:
    """The last words of a task's attempts, by run."""
    rows = tx.all("spend_reports_of_task", task_id=task_id)
    return {row[0]: LastWords._make(row) for row in rows}


def report_of_run(tx: Tx, run_id: int) -> LastWords | None:
    row = tx.one("spend_report_of_run", run_id=run_id)
    return None if row is None else LastWords._make(row)


class Used(NamedTuple):
    """Tokens that count to a limit, and the cost as far as it is known."""

    tokens: int
    cost_micros: int


class Group(NamedTuple):
    """What the runs of one task, profile, model or day used; `unpriced` told no cost."""

    name: str
    runs: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_micros: int | None
    unpriced: int


def of_run(tx: Tx, run_id: int) -> Spend | None:
    row = tx.one("spend_of_run", run_id=run_id)
    return None if row is None else Spend._make(row)


def of_task(tx: Tx, task_id: int) -> Used:
    """What all attempts of a task have used."""
    return _used(tx.one("spend_of_task", task_id=task_id))


def of_profile(tx: Tx, profile: str, since: int) -> Used:
    """What a profile's runs used that were heard of since a moment."""
    return _used(tx.one("spend_of_profile", profile=profile, since=since))


def of_board(tx: Tx, since: int) -> Used:
    return _used(tx.one("spend_of_board", since=since))


def grouped(tx: Tx, by: str, *, since: int, limit: int) -> list[Group]:
    """What was used since a moment by task, profile, model or day, the dearest first."""
    rows = tx.all("spend_grouped", by=by, since=since, limit=limit)
    return [Group._make(row) for row in rows]


def _used(row: Row | None) -> Used:
    assert row is not None, "a sum is always there"
    return Used._make(row)
