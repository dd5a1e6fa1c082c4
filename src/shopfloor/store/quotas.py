"""The statements about provider accounts that reached their limits: one row an account."""

from __future__ import annotations

from shopfloor.domain.model import Quota
from shopfloor.store.db import Tx


def everything(tx: Tx) -> list[Quota]:
    """All rows, nobody else's to change until a writing transaction ends."""
    return [Quota._make(row) for row in tx.all("quota_all")]


def lock(tx: Tx, account: str) -> Quota | None:
    row = tx.one("quota_lock", account=account)
    return None if row is None else Quota._make(row)


def add(tx: Tx, quota: Quota) -> bool:
    """Add a row; false: there is one."""
    return tx.run("quota_add", **quota._asdict()) == 1


def put(tx: Tx, quota: Quota) -> None:
    tx.run("quota_put", **quota._asdict())


def drop(tx: Tx, account: str) -> bool:
    return tx.run("quota_drop", account=account) == 1


def next_at(tx: Tx) -> int | None:
    """When the next account may be tried."""
    row = tx.one("quota_next", now=tx.now)
    return None if row is None else row[0]
