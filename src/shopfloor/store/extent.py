"""Whether the database file is still whole, and still the one that was opened.

A torn extension is a file that is shorter than the database in it: the disk or a copy program lost
its end.  SQLite notices when a connection opens the file, but not in one that is open and has the
pages in its cache, so it is looked for after each commit.

What may be compared.  In WAL mode a commit goes to the log and the file stays as it is; it may be
shorter than `PRAGMA page_count` for as long as a checkpoint has not brought the new pages over.  So
what the file must have is known only after a complete checkpoint, and holds from then on, because a
board's file is never made smaller:

1. A file that is shorter than was known is torn.  (Unless page_count is smaller as well: then another
   program has run VACUUM, and nothing is known until the next checkpoint.)  This comes before
   anything else, because the next checkpoint might write behind the hole and hide it.
2. A checkpoint writes the file, so a changed time of modification says that there is more to know:
   page_count, as the connection sees it, is n.  Then `wal_checkpoint(PASSIVE)`, which waits for nobody
   and does nothing when all is brought over, answers how many frames the log has and how many of them
   are in the file.  Only if these are equal and nobody else was checkpointing, the file must have n
   pages by now.  Otherwise, as while somebody reads an older state, the next checkpoint is looked at.
   The time that is remembered is the one after this look, which may itself have written the file.

At the opening nothing is compared, because SQLite itself does it then.  Two checkpoints within one tick
of the file system's clock may look like one; the next one is looked at.  A finding is looked at again
before it is raised, in case another program made the file smaller at this very moment.

The file is never opened for this: closing any descriptor of it would drop SQLite's own locks.
`stat` takes no descriptor.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from shopfloor.domain.errors import Damaged, Unavailable

LOOKS: Final = 3


class Extent:
    """What is known of the file behind one writing connection."""

    __slots__ = ("_inode", "_name", "_page_size", "_path", "_seen_ns", "_size")

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._name = str(path)
        seen = path.stat()
        self._inode = (seen.st_dev, seen.st_ino)
        self._size = 0
        self._seen_ns = seen.st_mtime_ns
        self._page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise if the file is shorter than what was brought into it, or is another file."""
        try:
            seen = os.stat(self._name)  # noqa: PTH116 — after each commit, and half the price
        except FileNotFoundError:
            raise self._replaced("was deleted") from None
        if (seen.st_dev, seen.st_ino) != self._inode:
            raise self._replaced("was replaced by another file")
        if seen.st_size < self._size and self._pages(connection) >= self._size:
            self._compare(self._size)
        if seen.st_mtime_ns == self._seen_ns:
            return
        for _ in range(LOOKS):
            expected = self._checkpointed(connection)
            # Its own writing is seen, too: otherwise each look would be the reason for the next one.
            seen = self._path.stat()
            if expected is None or seen.st_size >= expected:
                self._size, self._seen_ns = expected or self._size, seen.st_mtime_ns
                return
        self._compare(self._pages(connection))

    def _compare(self, expected: int) -> None:
        size = self._path.stat().st_size
        if size < expected:
            raise Damaged(
                f"The board's file {self._path} is damaged: it has {size} bytes and should have"
                f" {expected}; its end is lost.",
                detail={"path": str(self._path)},
            )

    def _pages(self, connection: sqlite3.Connection) -> int:
        """How long the database is, in bytes, wherever its pages are."""
        return int(connection.execute("PRAGMA page_count").fetchone()[0]) * self._page_size

    def _checkpointed(self, connection: sqlite3.Connection) -> int | None:
        """How long the file must be, or None while the log holds some of its pages."""
        expected = self._pages(connection)
        try:
            answer = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.OperationalError:
            # A full or failing disk: the log stays as it is, and with it all that was committed.
            return None
        busy, in_log, in_file = answer
        return expected if not busy and in_log == in_file else None

    def _replaced(self, what: str) -> Unavailable:
        return Unavailable(
            f"The board's file {self._path} {what} while it was open, so what was written last may"
            " not be in it. Stop the programs that use this board, look at the file, and start again."
        )
