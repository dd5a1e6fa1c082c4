"""What an agent tells of itself, written down: its session, its model, what it used, its last words.

It comes while the agent works and once more when it has left, also when its run was closed before by a
verdict: money that was spent is counted, whatever became of the work.
"""

from __future__ import annotations

import json

from shopfloor.domain.model import Run
from shopfloor.domain.outcomes import Report, Usage
from shopfloor.store import runs, spend
from shopfloor.store.db import Tx


def keep_usage(
    tx: Tx,
    run: Run,
    usage: Usage | None,
    *,
    account: str | None,
    session_id: str | None,
    model: str | None,
) -> None:
    """Write down the session, and what the run has used so far as a whole; None is nothing new."""
    if usage is None and session_id is None and model is None:
        return
    text = None
    if usage is not None or model is not None:
        counted = Usage() if usage is None else usage
        spend.put(
            tx,
            run_id=run.id,
            task_id=run.task_id,
            profile=run.profile,
            account=account,
            model=model,
            usage=counted,
        )
        text = _told(run, usage, model)
    runs.reported(tx, run.id, session_id=session_id, usage=text)


def keep_report(tx: Tx, run: Run, report: Report | None, account: str | None) -> None:
    """Keep all that an agent's runner reported of its run, the last words among it."""
    if report is None:
        return
    usage = None if report.usage == Usage() else report.usage
    keep_usage(tx, run, usage, account=account, session_id=report.session_id, model=report.model)
    spend.report(tx, run.id, report)


def _told(run: Run, usage: Usage | None, model: str | None) -> str:
    """The run's own words on what it used; a report that is older than the last one changes no figure."""
    before: dict[str, object] = {} if run.usage is None else json.loads(run.usage)
    after = dict(before)
    if usage is not None and _total(usage._asdict()) >= _total(before):
        after.update({name: value for name, value in usage._asdict().items() if value is not None})
    if model is not None:
        after["model"] = model
    return json.dumps(after)


def _total(told: dict[str, object]) -> int:
    return sum(
        value for name, value in told.items() if name.endswith("_tokens") and isinstance(value, int)
    )
