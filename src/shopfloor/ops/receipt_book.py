"""Keep the receipts of a board: write what is missing, in the ledger and then in the files.

A `Bookkeeper` first finds what earlier processes left out, then follows the board's events.  It remembers
nothing that the ledger does not have, so it may be killed anywhere and another one goes on.  An errand of
`shop up` has one; where nothing runs, what asks for receipts makes one and brings everything up first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain.errors import Conflict
from shopfloor.domain.settings import Settings
from shopfloor.kernel import receipts as making
from shopfloor.kernel.receipts import Maker
from shopfloor.ops.context import Service
from shopfloor.store import events, receipts
from shopfloor.store.db import Tx

BATCH = 200
EVENTS_MAX = 500


def maker(service: Service, settings: Settings) -> Maker:
    """What receipts of this board have beside the ledger's rows."""
    signer = service.signer()
    return Maker(service.slug, service.secrets(settings), None if signer is None else signer.sign)


def before_deletion(service: Service, settings: Settings) -> Callable[[Tx, int], None]:
    """What writes the missing receipts of a task: they outlive it, and are made of its rows."""
    made = maker(service, settings)
    return lambda tx, task_id: making.write_for_task(tx, made, task_id)


class _Seen(NamedTuple):
    """What a look found, all of one moment: attempts without receipts, and where the chain ends.

    Of those that have ended, `ready` are gone, and `leaving` still have processes.  `cursor` is the last
    event that was looked at, `full` says that more may follow it.
    """

    ready: list[int]
    leaving: set[int]
    cursor: int
    floor: int
    head: int
    full: bool = False


class Bookkeeper:
    """Writes the receipts of one board, a step at a time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._cursor: int | None = None
        self._leaving: set[int] = set()
        self._filed = -1
        self._files_are_whole = False

    def bring_up(self, *, files: bool = True) -> None:
        """Write everything that is missing now, without `files` in the ledger alone."""
        while self.step(files=files):
            pass

    def step(self, *, files: bool = True) -> bool:
        """Write some of what is missing; answers whether there may be more."""
        begins = self._cursor is None
        seen = self._service.database.read(self._left_out if begins else self._ended)
        if seen.ready:
            made = maker(self._service, self._service.settings())
            self._service.database.write(lambda tx: making.write(tx, made, seen.ready))
        if begins and seen.ready:
            return True
        if begins and seen.floor:
            self._service.database.write(lambda tx: receipts.raise_floor(tx, seen.floor))
        self._cursor, self._leaving = seen.cursor, seen.leaving
        if files and (seen.ready or seen.head != self._filed or not self._files_are_whole):
            return self._write_files() or seen.full
        return seen.full

    def _left_out(self, tx: Tx) -> _Seen:
        """What no process before has written.  Without any, all up to `floor` have their receipts."""
        head = receipts.head(tx)
        ready = receipts.missing(tx, head.floor, BATCH)
        floor = receipts.run_floor(tx)
        return _Seen(
            ready,
            set(receipts.leaving(tx)),
            events.last_id(tx),
            floor if floor > head.floor else 0,
            head.seq,
        )

    def _ended(self, tx: Tx) -> _Seen:
        """What has ended since the last look, by the events, or was leaving then."""
        assert self._cursor is not None
        told = receipts.ended_after(tx, self._cursor, EVENTS_MAX)
        full = len(told) == EVENTS_MAX
        cursor = told[-1][0] if full else events.last_id(tx)
        asked = list(self._leaving.union(run_id for _, run_id in told))
        ready, leaving = receipts.without(tx, asked) if asked else ([], [])
        return _Seen(ready, set(leaving), cursor, 0, receipts.head(tx).seq, full)

    def _write_files(self) -> bool:
        """Bring the files up to the ledger; answers whether there may be more to write."""
        files, database = self._service.files.receipts, self._service.database
        head = database.read(receipts.head).seq
        last = files.last()
        if last > head:
            raise Conflict(
                f"the files in {files.folder} tell of {last} receipts and the ledger of {head}; see what "
                "`shop receipt verify` says, then `shop receipt rebuild` writes the files anew"
            )
        if not self._files_are_whole:
            for first in files.missing(last):
                fill(self._service, first)
            self._files_are_whole = True
        behind = []
        if last < head:
            behind = database.read(lambda tx: receipts.page(tx, after=last, limit=BATCH))
            files.append(last + 1, [one.body for one in behind])
        self._filed = last + len(behind)
        return self._filed < head


def fill(service: Service, first: int) -> int:
    """Write the file that begins with a receipt anew from the ledger; answers how many lines it has."""
    files = service.files.receipts
    found = service.database.read(
        lambda tx: receipts.page(tx, after=first - 1, limit=files.lines_per_file)
    )
    files.replace(first, [one.body for one in found])
    return len(found)
