"""A dispatcher of the real parts that dies between the fork of a supervisor and its *go*.

    python -m tests.support.dying_dispatcher HOME MOMENT

It makes one pass over the default board and kills itself at the named moment: `identify` before the
supervisor's identity is written, `commit` when it is written and not on the disk, `go` when it is on
the disk and nobody was told to go.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from shopfloor.app.boards import DEFAULT, HomeBoards
from shopfloor.app.own_door import prepare_board, release_board
from shopfloor.app.service import BoardService, clock
from shopfloor.config import Home
from shopfloor.daemon.dispatcher import Dispatcher
from shopfloor.daemon.lane import Lane
from shopfloor.process.launch import Launcher
from shopfloor.store.lock import BoardLock
from shopfloor.store.migrate import open_sqlite
from shopfloor.store.owner import Owner
from shopfloor.store.wake import Wake


class Death:
    """Ends this process at a moment of the first start."""

    def __init__(self, moment: str) -> None:
        self._moment = moment
        self._identified = False

    def statement(self, name: str) -> None:
        """Called before each statement with its name."""
        if name == "run_identify":
            self._identified = True
            self._die_at("identify")
        elif name == "commit" and self._identified:
            self._die_at("commit")

    def committed(self) -> None:
        """Called after each commit, before anybody is answered."""
        if self._identified:
            self._die_at("go")

    def _die_at(self, moment: str) -> None:
        if moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


def main(root: Path, moment: str) -> None:
    """Make one pass and die in it."""
    home = Home(root)
    boards = HomeBoards(home, prepare=prepare_board, release=release_board)
    folder = boards.folder(DEFAULT)
    death = Death(moment)
    with BoardLock(folder.lock):
        database = open_sqlite(folder.database, create=False, clock=clock, probe=death.statement)
        owner = Owner(database, on_commit=death.committed)
        service = BoardService(home, folder, owner, boards)
        wake = Wake()
        dispatcher = Dispatcher(service, Launcher(), Lane(wake.ring))
        dispatcher.begin()
        dispatcher.run_pass()
    raise AssertionError("the pass came to its end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
