"""Being the door oneself for the moment of one request: the board's lock, the database, the answer."""

from __future__ import annotations

import time

from shopfloor.app.boards import BoardFolder, HomeBoards, private
from shopfloor.app.service import BoardService, open_database
from shopfloor.config import Home
from shopfloor.ops.call import Envelope, call
from shopfloor.ops.schema import decode
from shopfloor.store.owner import BoardLock

LOCK_TRY_S = 0.2


def answer(home: Home, request: bytes, deadline: float) -> bytes:
    """Carry out a request; raises Unavailable while somebody else has the board.

    A shared board has no lock: its database arbitrates between the commands of all hosts.
    """
    private(home.root)
    boards = HomeBoards(home, prepare=prepare_board, release=release_board)
    envelope = decode(request, Envelope)
    folder = boards.resolve(envelope.board)
    if folder.url is not None:
        return _answer(home, folder, boards, envelope)
    left_s = max(deadline - time.monotonic(), 0.0)
    with BoardLock(folder.lock, wait_s=min(LOCK_TRY_S, left_s)):
        return _answer(home, folder, boards, envelope)


def _answer(home: Home, folder: BoardFolder, boards: HomeBoards, envelope: Envelope) -> bytes:
    service = BoardService(home, folder, open_database(folder), boards)
    try:
        return call(service, envelope)
    finally:
        service.close()


def prepare_board(folder: BoardFolder) -> None:
    """Make a new board's ledger, or join one that other hosts made."""
    open_database(folder, create=True).close()


def release_board(folder: BoardFolder) -> None:
    """Let go of a board that is about to be removed; raises Unavailable while somebody has it open."""
    if folder.url is None:
        with BoardLock(folder.lock, wait_s=LOCK_TRY_S):
            pass
