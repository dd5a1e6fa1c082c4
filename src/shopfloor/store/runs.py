"""The statements about runs, one function each: rows come out as `Run`.

The invariant kept here: a run is closed once (`close` answers whether this call did it), and it is
identified only while it is open, so that a run taken back before its start never starts.
"""

from __future__ import annotations

from shopfloor.domain.model import Holder, Run
from shopfloor.store.db import Tx


def open_run(
    tx: Tx,
    *,
    task_id: int,
    role: str,
    attempt: int,
    profile: str | None,
    host: str,
    token: str,
    lease_until: int,
) -> int:
    row = {
        "task_id": task_id,
        "role": role,
        "attempt": attempt,
        "profile": profile,
        "host": host,
        "token": token,
        "lease_until": lease_until,
        "now": tx.now,
    }
    run_id = tx.insert("run_open", row)
    assert run_id is not None
    return run_id


def synthetic(
    tx: Tx,
    *,
    task_id: int,
    attempt: int,
    outcome: str,
    error: str | None,
    summary: str | None,
    result: str | None,
    metadata: str | None,
) -> int:
    row = {
        "task_id": task_id,
        "attempt": attempt,
        "outcome": outcome,
        "error": error,
        "summary": summary,
        "result": result,
        "metadata": metadata,
        "now": tx.now,
    }
    run_id = tx.insert("run_synthetic", row)
    assert run_id is not None
    return run_id


def get(tx: Tx, run_id: int) -> Run | None:
    row = tx.one("run_get", id=run_id)
    return None if row is None else Run._make(row)


def holder(tx: Tx, run_id: int) -> Holder | None:
    """The few columns of a run that verbs ask for."""
    row = tx.one("run_holder", id=run_id)
    return None if row is None else Holder._make(row)


def of_task(tx: Tx, task_id: int, limit: int, *, before: int = 2**62) -> list[Run]:
    """The newest runs of a task first, or those older than one."""
    rows = tx.all("run_of_task", task_id=task_id, before=before, limit=limit)
    return [Run._make(row) for row in rows]


def live_of_task(tx: Tx, task_id: int) -> Run | None:
    """The task's run that is open or whose processes have not all gone."""
    row = tx.one("run_live_of_task", task_id=task_id)
    return None if row is None else Run._make(row)


def identify(
    tx: Tx, *, run_id: int, token: str, boot_id: str, pid: int, pid_start: int, workspace: str
) -> bool:
    """Write down who supervises the run; false: it was closed meanwhile and must not start."""
    return (
        tx.run(
            "run_identify",
            id=run_id,
            token=token,
            boot_id=boot_id,
            pid=pid,
            pid_start=pid_start,
            workspace=workspace,
            now=tx.now,
        )
        == 1
    )


def close(
    tx: Tx,
    *,
    run_id: int,
    outcome: str,
    error: str | None = None,
    summary: str | None = None,
    result: str | None = None,
    metadata: str | None = None,
    gone: bool = False,
) -> bool:
    """End a run; false: it had ended already, and stays as it was."""
    return (
        tx.run(
            "run_close",
            id=run_id,
            outcome=outcome,
            error=error,
            summary=summary,
            result=result,
            metadata=metadata,
            gone=int(gone),
            now=tx.now,
        )
        == 1
    )


def gone(
    tx: Tx, *, run_id: int, exit_code: int | None, exit_signal: int | None, exit_record: str | None
) -> bool:
    """No process of a closed run lives any more; false: that was known."""
    return (
        tx.run(
            "run_gone",
            id=run_id,
            exit_code=exit_code,
            exit_signal=exit_signal,
            exit_record=exit_record,
            now=tx.now,
        )
        == 1
    )


def exited(
    tx: Tx, *, run_id: int, exit_code: int | None, exit_signal: int | None, exit_record: str | None
) -> None:
    """Keep how the worker of an open run left, before its check starts."""
    tx.run(
        "run_exited",
        id=run_id,
        exit_code=exit_code,
        exit_signal=exit_signal,
        exit_record=exit_record,
    )


def pending(tx: Tx, run_id: int, verdict: str | None) -> None:
    tx.run("run_pending", id=run_id, pending=verdict)


def beat(tx: Tx, run_id: int, note: str | None, lease_until: int) -> bool:
    return tx.run("run_beat", id=run_id, note=note, lease_until=lease_until, now=tx.now) == 1


def reported(tx: Tx, run_id: int, *, session_id: str | None, usage: str | None) -> None:
    """Keep what an agent told of itself; what is None stays as it was."""
    tx.run("run_reported", id=run_id, session_id=session_id, usage=usage)


def renew(tx: Tx, host: str, lease_until: int) -> int:
    """Renew the leases of all open runs of a host."""
    return tx.run("run_renew", host=host, lease_until=lease_until)


def live(tx: Tx) -> list[Run]:
    return [Run._make(row) for row in tx.all("run_live")]


def live_of_host(tx: Tx, host: str) -> list[Run]:
    return [Run._make(row) for row in tx.all("run_live_of_host", host=host)]


def slots(tx: Tx) -> list[tuple[str, str, int]]:
    """(profile, host, count) of all slots that are held now."""
    return [(row[0], row[1], row[2]) for row in tx.all("run_slots")]


def expired(tx: Tx, host: str, *, shared: bool, limit: int) -> list[Run]:
    """Runs past their lease that this host may take back."""
    rows = tx.all("run_expired", host=host, shared=int(shared), now=tx.now, limit=limit)
    return [Run._make(row) for row in rows]


def totals(tx: Tx) -> dict[str, int]:
    return {row[0]: row[1] for row in tx.all("run_totals")}


def listed(tx: Tx, *, live_only: bool, outcome: str | None, before: int, limit: int) -> list[Run]:
    rows = tx.all("run_list", live=int(live_only), outcome=outcome, before=before, limit=limit)
    return [Run._make(row) for row in rows]
