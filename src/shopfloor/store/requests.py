"""The statements about requests: a write sent twice has one effect and one answer."""

from __future__ import annotations

from shopfloor.store.db import Tx


def seen(tx: Tx, request_id: str) -> tuple[str, str] | None:
    """The digest and the answer of a request that was carried out, if it was."""
    row = tx.one("request_seen", id=request_id)
    return None if row is None else (row[0], row[1])


def keep(tx: Tx, request_id: str, digest: str, answer: str) -> None:
    tx.run("request_keep", id=request_id, digest=digest, answer=answer, now=tx.now)


def prune(tx: Tx, before: int, limit: int) -> int:
    return tx.run("request_prune", before=before, limit=limit)
