"""The statements behind `shop fsck`: each looks for rows that must not be."""

from __future__ import annotations

from shopfloor.store.db import Tx


def numbers(tx: Tx, name: str) -> list[int]:
    """The numbers of the tasks or runs that a query named `fsck_…` finds wrong."""
    assert name.startswith("fsck_")
    return [row[0] for row in tx.all(name)]


def edges(tx: Tx) -> set[tuple[str, str]]:
    """The status edges that the trigger allows."""
    return {(row[0], row[1]) for row in tx.all("fsck_edges")}
