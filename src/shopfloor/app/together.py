"""The requests of one moment: one's own, and those that were left by who waits for the board's lock.

They share one transaction, each in a savepoint of its own, and are answered after its commit, so one's own
answer waits for no second one.  Others are answered what their own transaction would have
told them: its result, or its refusal.  Everything else is left to its author, who finds no answer
and carries the request out when it has the lock: what has to happen outside a transaction, what this
program does not understand, and all of them where the commit failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from shopfloor.app.service import BoardService
from shopfloor.domain.errors import BoardError, Unavailable
from shopfloor.ops.call import Call, Envelope, call, error_bytes
from shopfloor.ops.schema import decode
from shopfloor.store.db import Tx
from shopfloor.store.lock import BoardLock
from shopfloor.store.spool import Collected
from shopfloor.store.sqlite import SqliteDatabase

Work = Callable[[Tx], bytes]
GO_ON_S = 0.02


def answer_together(
    service: BoardService, database: SqliteDatabase, envelope: Envelope, letters: list[Collected]
) -> bytes:
    """The answer to one's own request; the letters are sent back.  The lock is held meanwhile."""
    if not letters:
        return call(service, envelope)
    own = _answer_letters(service, database, letters, _work_of(service, envelope))
    return _words(own) or call(service, envelope)


def answer_those_who_come(service: BoardService, database: SqliteDatabase, lock: BoardLock) -> None:
    """Answer who has come meanwhile, for as long as somebody does and no longer than `GO_ON_S`.

    To close the board and have the next one open it costs more than their answers.  One's own request is
    done, and its caller waits.
    """
    until = time.monotonic() + GO_ON_S
    while time.monotonic() < until and (letters := lock.collect()):
        _answer_letters(service, database, letters)


def _answer_letters(
    service: BoardService,
    database: SqliteDatabase,
    letters: list[Collected],
    own: Work | None = None,
) -> object:
    """Carry out the letters and send them back; what `own` came to, which shares their commit."""
    outcomes: list[object] = [None] * (len(letters) + 1)
    try:
        works = [_work_left(service, letter) for letter in letters]
        outcomes = _outcomes(database, [*works, own])
    finally:
        for letter, outcome in zip(letters, outcomes, strict=False):
            letter.send_back(_words(outcome))
    return outcomes[-1]


def _outcomes(database: SqliteDatabase, works: list[Work | None]) -> list[object]:
    """What each came to, when it is on the disk; None where it is not to be done here, or that failed."""
    feasible = [work for work in works if work is not None]
    try:
        ends = iter(database.write_together(feasible)[0] if feasible else ())
    except Exception:  # noqa: BLE001 - alone, each meets the failure that is its own
        return [None] * len(works)
    return [None if work is None else next(ends) for work in works]


def _work_left(service: BoardService, letter: Collected) -> Work | None:
    try:
        return _work_of(service, decode(letter.request, Envelope))
    except BoardError:
        return None


def _work_of(service: BoardService, envelope: Envelope) -> Work | None:
    """The request as the work of one transaction; None where it is not, or is refused before."""
    try:
        return Call(service, envelope).work
    except BoardError:
        return None


def _words(outcome: object) -> bytes:
    """The answer that an outcome is; empty where the request is to be carried out by itself."""
    if isinstance(outcome, bytes):
        return outcome
    if isinstance(outcome, BoardError) and not isinstance(outcome, Unavailable):
        return error_bytes(outcome)
    return b""
