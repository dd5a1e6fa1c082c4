"""Being the door oneself for the moment of one request: the board's lock, the database, the answer.

Who is the door answers those too who wait to be it (`together.py`): who waits leaves its request beside the
lock, and does not open the board when it is answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext

from shopfloor.app.boards import BoardFolder, HomeBoards, private
from shopfloor.app.service import BoardService, open_database, open_file, without_ledger
from shopfloor.app.together import answer_those_who_come, answer_together
from shopfloor.config import Home
from shopfloor.domain.errors import Conflict, Unavailable
from shopfloor.ops.call import Envelope, call, may_be_left, of_home
from shopfloor.ops.schema import decode
from shopfloor.store import runs
from shopfloor.store.db import Database
from shopfloor.store.lock import BoardLock
from shopfloor.store.sqlite import SqliteDatabase

LOCK_TRY_S = 0.2


def answer(
    home: Home, request: bytes, deadline: float, give_way: Callable[[], bool] | None = None
) -> bytes:
    """Carry out a request; raises Unavailable while somebody else has the board.

    `give_way` is asked now and then whether the waiting is in vain.  A shared board has no lock: its
    database arbitrates between the commands of all hosts.
    """
    private(home.root)
    envelope = decode(request, Envelope)
    boards = HomeBoards(home, prepare=prepare_board, release=release_board)
    # What the operation needs is loaded while the board is not kept from others yet.
    if of_home(envelope):
        return call(without_ledger(home, boards, envelope.board), envelope)
    folder = boards.resolve(envelope.board)
    if folder.url is not None:
        with closing(BoardService(home, folder, open_database(folder), boards)) as service:
            return call(service, envelope)
    left_s = max(deadline - time.monotonic(), 0.0)
    left = request if may_be_left(envelope) else None
    with BoardLock(folder.lock, wait_s=left_s, give_way=give_way, request=left) as lock:
        if lock.answer is not None:
            return lock.answer
        with closing(OpenedBoard(home, folder, boards, lock)) as board:
            answered = board.answer(envelope)
        board.let_go()
    if board.lost is not None:
        raise board.lost
    return answered


class OpenedBoard:
    """A board that is a file, open under its lock for one request, which may let others have it meanwhile.

    `lost` says why it was not had again after that: who asked may ask the next door.
    """

    def __init__(
        self, home: Home, folder: BoardFolder, boards: HomeBoards, lock: BoardLock
    ) -> None:
        self.lost: Unavailable | None = None
        self._lock = lock
        self._folder = folder
        self._database = self._opened()
        self._has_it = True
        self._service = BoardService(home, folder, self._database, boards)
        self._service.away = self._away

    def answer(self, envelope: Envelope) -> bytes:
        """Carry out a request, and those of who waits for the lock."""
        letters = self._lock.collect()
        answered = answer_together(self._service, self._database, envelope, letters)
        if self._has_it:
            answer_those_who_come(self._service, self._database, self._lock)
        return answered

    def close(self) -> None:
        """Close the ledger; the lock is still held."""
        if self._has_it:
            self._database.close()

    def let_go(self) -> None:
        """Let go of the lock after the closing, with a word for the next holder."""
        if self._has_it:
            self._has_it = False
            self._lock.note(self._database.left())
            self._lock.release()

    @contextmanager
    def _away(self) -> Iterator[None]:
        """Let others have the board; it is taken and opened again after, unless what was done failed."""
        self.close()
        self.let_go()
        yield
        try:
            self._lock.acquire()
        except Unavailable as lost:
            self.lost = lost
            raise
        self._database = self._service.database = self._opened()
        self._has_it = True

    def _opened(self) -> SqliteDatabase:
        return open_file(self._folder, brief=True, noted=self._lock.noted)


def prepare_board(folder: BoardFolder) -> None:
    """Make a new board's ledger, or join one that other hosts made."""
    with lock_of(folder):
        open_database(folder, create=True).close()


def release_board(folder: BoardFolder) -> None:
    """Let go of a board that is about to be removed.

    Raises Unavailable while another process has it open, Conflict while workers of it live.
    """
    with lock_of(folder) as lock:
        database = open_database(folder, noted=lock.noted if lock else "")
        try:
            refuse_if_held(folder, database)
        finally:
            database.close()


def refuse_if_held(folder: BoardFolder, database: Database) -> None:
    """Raise Conflict while a worker of the board lives."""
    if database.read(runs.slots):
        raise Conflict(
            f"board {folder.slug!r} has running workers; stop them first: "
            f"`shop --board {folder.slug} pause --stop`"
        )


def lock_of(folder: BoardFolder) -> AbstractContextManager[BoardLock | None]:
    """The lock of who has a board open; a shared board has none."""
    return BoardLock(folder.lock, wait_s=LOCK_TRY_S) if folder.url is None else nullcontext()
