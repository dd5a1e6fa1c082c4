"""The statements about the user's hooks: how far each has got on a host, and how it went."""

from __future__ import annotations

from collections.abc import Sequence

from shopfloor.domain.model import HookState
from shopfloor.store.db import Tx


def begin(tx: Tx, host: str, name: str, last_event: int) -> None:
    """Note a hook that is new; one that is known stays where it is."""
    tx.run("hook_begin", host=host, name=name, last_event=last_event)


def of_host(tx: Tx, host: str) -> dict[str, HookState]:
    """The hooks that a host has had, by name."""
    found = [HookState._make(row) for row in tx.all("hook_of_host", host=host)]
    return {one.name: one for one in found}


def done(tx: Tx, host: str, name: str, last_event: int) -> None:
    tx.run("hook_done", host=host, name=name, last_event=last_event, now=tx.now)


def failed(tx: Tx, host: str, name: str, last_event: int, *, error: str) -> None:
    tx.run("hook_failed", host=host, name=name, last_event=last_event, error=error, now=tx.now)


def tried(tx: Tx, host: str, name: str, *, error: str) -> None:
    """Note a run that failed and is tried again."""
    tx.run("hook_tried", host=host, name=name, error=error, now=tx.now)


def failing(tx: Tx, host: str) -> list[HookState]:
    """The hooks of a host whose last run failed."""
    return [HookState._make(row) for row in tx.all("hook_failing", host=host)]


def skipped(tx: Tx, host: str, name: str, last_event: int, *, count: int) -> None:
    """Leave out the events up to this one, of which the hook wanted so many."""
    tx.run("hook_skipped", host=host, name=name, last_event=last_event, skipped=count)


def waiting(tx: Tx, after: int, kinds: Sequence[str], limit: int) -> int:
    """How many events of these kinds (any, without one) come after an event; counted up to a limit."""
    row = tx.one("hook_waiting", after=after, kinds=list(kinds) or None, limit=limit)
    assert row is not None
    return int(row[0])


def newest_but(tx: Tx, after: int, kinds: Sequence[str], but: int) -> int | None:
    """The newest event of these kinds, so many left out."""
    row = tx.one("hook_newest_but", after=after, kinds=list(kinds) or None, but=but)
    return None if row is None else int(row[0])
