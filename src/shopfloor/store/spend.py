"""The statements about what runs use, and about what agents reported of their ends."""

from __future__ import annotations

from shopfloor.domain.model import LastWords
from shopfloor.domain.outcomes import Report, Usage
from shopfloor.store.db import Tx


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
