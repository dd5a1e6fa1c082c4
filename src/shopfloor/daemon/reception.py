"""Which way a request goes: at the desk with its board's next commit, or through other hands.

What is one bounded transaction on an SQLite board goes with the next group, and so do the reads named
in `QUICK`: in the group they cost no connection of their own, and they see every commit that was
answered.  Longer reads have a few threads of their own, so that many of them do not take Python's
lock from the desk in turns; what may wait (followers, files, other boards, a network) has as many
threads as there are visitors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from shopfloor.daemon.desk import Desk
from shopfloor.daemon.hands import Hands
from shopfloor.domain.errors import BoardError
from shopfloor.ops.call import Call, Envelope, call, error_bytes, of_home
from shopfloor.ops.context import Detour, Service
from shopfloor.ops.schema import decode
from shopfloor.store.owner import Owner

VISITORS_MAX: Final = 512
READING_HANDS: Final = 3
QUICK: Final = frozenset({"task.why", "run.show"})
UNAVAILABLE: Final = b'{"error":{"code":"unavailable"'
MISTAKE: Final = "the request failed by a mistake of the program; its log says more"

Told = Callable[[bytes | None], None]


class OpenBoards(Protocol):
    """The boards that are open here, and the way to open one."""

    def known(self, named: str | None) -> Service | None:
        """The board that a request names, if it is open; waits for nothing."""

    def find(self, named: str | None) -> Service:
        """The board that a request names, opened where it was not; raises NotFound."""

    def closed(self, named: str | None) -> Service:
        """The same, not opened, for what needs no ledger; there may be no such board."""


class Reception:
    """Has requests carried out.  `take` is called in the desk's thread, and so is who is told."""

    def __init__(self, boards: OpenBoards, desk: Desk, report: Callable[[str], None]) -> None:
        self._boards = boards
        self._desk = desk
        self._report = report
        self._readers = Hands("reader", READING_HANDS)
        self._errands = Hands("errand", VISITORS_MAX)
        self.closing = False

    def take(self, line: bytes, told: Told) -> None:
        """Carry a request out; `told` gets the answer, or None if there will be none."""
        try:
            envelope = decode(line, Envelope)
            service = self._boards.known(envelope.board)
            if service is None:
                self._send(self._errands, lambda: self._elsewhere(envelope), told)
            else:
                self._carry_out(service, envelope, told)
        except Exception as failed:  # noqa: BLE001 - one visitor's trouble is not another's
            self._tell(failed, told)

    def _carry_out(self, service: Service, envelope: Envelope, told: Told) -> None:
        begun = Call(service, envelope)
        database, work = service.database, begun.work
        assert isinstance(database, Owner), "a board that is served has an owner"
        # A board that writes in a thread of its own may make who reads in its group wait long.
        grouped = database.summons and begun.op.name in QUICK
        readers = self._readers if database.dialect == "sqlite" else self._errands

        def around() -> bytes:
            return call(service, envelope)

        def done(outcome: object) -> None:
            if isinstance(outcome, Detour):
                self._send(self._errands, around, told)
            else:
                self._tell(outcome, told)

        if work is None:
            self._send(self._errands, around, told)
        elif begun.op.kind == "read" and not grouped:
            self._send(readers, around, told)
        else:
            database.submit(work, lambda outcome: self._desk.tell(partial(done, outcome)))

    def _elsewhere(self, envelope: Envelope) -> bytes:
        boards = self._boards
        board = (boards.closed if of_home(envelope) else boards.find)(envelope.board)
        return call(board, envelope)

    def _send(self, hands: Hands, work: Callable[[], bytes], told: Told) -> None:
        """Have other hands do it, and tell the answer at the desk."""

        def errand() -> None:
            outcome: object
            try:
                outcome = work()
            except Exception as failed:  # noqa: BLE001 - as above, in another thread
                outcome = failed
            self._desk.soon(partial(self._tell, outcome, told))

        hands.put(errand)

    def _tell(self, outcome: object, told: Told) -> None:
        """Tell an answer, or the words for the exception that came instead.

        While the door closes, what did not happen is told to nobody: the visitor finds himself parted
        from and asks the next door, or becomes it.
        """
        if isinstance(outcome, BoardError):
            outcome = error_bytes(outcome)
        if isinstance(outcome, bytes):
            told(None if self.closing and outcome.startswith(UNAVAILABLE) else outcome)
        elif self.closing:
            told(None)
        else:
            self._report(f"a request failed by a mistake of ours: {outcome!r}")
            told(error_bytes(BoardError(MISTAKE)))
