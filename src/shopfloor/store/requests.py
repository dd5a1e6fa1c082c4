"""The statements about requests: a write sent twice has one effect and one answer."""

from __future__ import annotations

from shopfloor.store.db import Tx


def seen(tx: Tx, request_id: str) -> tuple[str, str] | None:
    """The digest and the answer of a request that was carried out, if it was."""
    row = tx.one("request_seen", id=request_id)
    return None if row is None else (row[0], row[1])


def begin(tx: Tx, request_id: str, digest: str) -> bool:
    """Take a request on; false: it was carried out before, and `seen` has its answer."""
    return tx.run("request_begin", id=request_id, digest=digest, now=tx.now) == 1


def keep(tx: Tx, request_id: str, answer: str) -> None:
    """Keep the answer of a request that was begun in this transaction."""
    tx.run("request_keep", id=request_id, answer=answer)


def prune(tx: Tx, before: int, limit: int) -> int:
    return tx.run("request_prune", before=before, limit=limit)
