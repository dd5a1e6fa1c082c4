"""The statements about hosts and the board's own few facts."""

from __future__ import annotations

from shopfloor.domain.model import Host
from shopfloor.store.db import Tx


def arrive(
    tx: Tx, *, name: str, boot_id: str, pid: int, pid_start: int, version: str, labels: str
) -> None:
    tx.run(
        "host_arrive",
        name=name,
        boot_id=boot_id,
        pid=pid,
        pid_start=pid_start,
        version=version,
        labels=labels,
        now=tx.now,
    )


def seen(tx: Tx, name: str) -> None:
    tx.run("host_seen", name=name, now=tx.now)


def leave(tx: Tx, name: str) -> None:
    tx.run("host_leave", name=name, now=tx.now)


def everyone(tx: Tx) -> list[Host]:
    return [Host._make(row) for row in tx.all("host_all")]


def meta_get(tx: Tx, key: str) -> str | None:
    row = tx.one("meta_get", key=key)
    return None if row is None else str(row[0])


def meta_set(tx: Tx, key: str, value: str) -> None:
    tx.run("meta_set", key=key, value=value)
