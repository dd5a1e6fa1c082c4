"""Being the door oneself for the moment of one request: the board's lock, the database, the answer.

Who is the door answers those too who wait to be it (`together.py`): who waits leaves its request beside the
lock, and does not open the board when it is answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext

from shopfloor.app.boards import BoardFolder, HomeBoards, private
from shopfloor.app.service import BoardService, open_database, open_file, without_ledger
from shopfloor.app.together import answer_those_who_come, answer_together
from shopfloor.config import Home
from shopfloor.domain.errors import Conflict
from shopfloor.ops.call import Envelope, call, may_be_left, of_home
from shopfloor.ops.schema import decode
from shopfloor.store import runs
from shopfloor.store.db import Database
from shopfloor.store.lock import BoardLock

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
        database = open_file(folder, brief=True, noted=lock.noted)
        with closing(BoardService(home, folder, database, boards)) as service:
            answered = answer_together(service, database, envelope, lock.collect())
            answer_those_who_come(service, database, lock)
        lock.note(database.left())
        return answered


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
