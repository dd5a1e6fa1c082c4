"""The statements about hosts: the machines that run a dispatcher against this board."""

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
