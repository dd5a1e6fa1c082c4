"""The file of a board, as this process has it open: one writing connection and a few reading ones.

Kept here:

- Every connection gets its settings when it is opened, or is closed again: write-ahead log, synchronous
  FULL (a commit is on the disk when it returns), foreign keys, secure delete, cell size check.  Only the
  writing connection moves the log into the file, every 1,000 pages (decision 0013).
- A file is looked at first by a connection that may only read, because closing one that may write would
  move the log of a damaged file into it.  For the same reason the writing connection of a damaged file
  is closed while a reading one is still open.
- No code opens the file, its log or its index by other means while it may be open in this process
  (`health.py` says why), and nothing here does at all but through `health.keep_copy`.
- A file that was found damaged or replaced is not used again by this object.
- Who has a board for one request only (`brief`) leaves the log where it is, unless it has grown: to bring
  it into the file and to make the next one waits for the disk four times, and the commit itself once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shopfloor.domain.errors import Damaged, NotFound, Unavailable
from shopfloor.store import faults, health
from shopfloor.store.extent import Extent

BUSY_S: Final = 10.0
BUSY_PAUSE_S: Final = 0.01
READERS_MAX: Final = 8
STATEMENTS_CACHED: Final = 512
# Each opening reads the log that was left; a longer one takes longer than to bring it over now and then.
LOG_KEPT_BYTES: Final = 100 * 4096
ALWAYS: Final = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON; "
WRITING: Final = ALWAYS + "PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=1000;"
READING: Final = (
    ALWAYS + "PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0; PRAGMA query_only=ON;"
)
# A step that rebuilds a table must not delete what refers to it; the references are checked after.
ALTERING: Final = ALWAYS + "PRAGMA foreign_keys=OFF; PRAGMA wal_autocheckpoint=1000;"


class SqliteFile:
    """The connections of this process to one file, safe to use from several threads.

    Whoever writes holds `writing`, and says `inside` while its transaction is open.
    """

    def __init__(self, path: Path, *, readonly: bool, brief: bool = False) -> None:
        self.path = path
        self._name = str(path)
        self._address = path.as_uri()
        self.readonly = readonly
        self._brief = brief
        self.writing = threading.RLock()
        self.inside = False
        self._writer: sqlite3.Connection | None = None
        self._extent: Extent | None = None
        self._readers: list[sqlite3.Connection] = []
        self._places = threading.BoundedSemaphore(READERS_MAX)
        self._looked = False
        self._shaken = False
        self._closed = False
        self._unusable: Unavailable | None = None

    @property
    def unusable(self) -> bool:
        """Whether the file was found damaged or replaced."""
        return self._unusable is not None

    def create(self) -> None:
        """Make an empty database where there is no file or an empty one; leave any other alone."""
        if self._size() > 0:
            return
        self._refuse_orphaned_log()
        self._shut(self._open("rwc", WRITING))
        self.path.chmod(0o600)

    def writer(self, settings: str) -> sqlite3.Connection:
        """The writing connection, opened with these settings unless it is open."""
        return self._writer or self._open_writer(settings)

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A reading connection, for one at a time."""
        if not self._places.acquire(timeout=BUSY_S):
            raise Unavailable(f"{self.path} is read by too many at once; send this again.")
        try:
            connection = self._take_reader()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def check_extent(self, connection: sqlite3.Connection) -> None:
        """Raise if the file lost its end, or is not the file any more that was opened."""
        assert self._extent is not None
        try:
            self._extent.check(connection)
        except Unavailable as finding:
            self._unusable = finding
            raise
        except sqlite3.Error as error:
            raise self.explained(error, "checking the file's size", connection) from error

    def explained(
        self, error: Exception, statement: str, connection: sqlite3.Connection | None = None
    ) -> Exception:
        """The exception to raise for the driver's; remembers what it says about the file."""
        failure = faults.explained(
            error, statement=statement, path=self.path, connection=connection
        )
        if isinstance(failure, Damaged):
            self._unusable = failure
        self._shaken |= faults.primary_code(error) in faults.SHAKEN
        return failure

    def distrust(self) -> None:
        """Have the writing connection opened anew for the next transaction."""
        self._shaken = True

    def transaction_ended(self) -> None:
        """Close what the transaction has shown to be unfit for the next one."""
        if self._unusable is not None:
            self._abandon()
        elif self._shaken:
            self._shaken = False
            self.close_writer()

    def close(self) -> None:
        """Let go of the file; the log is brought into it and removed, unless it is damaged."""
        with self.writing:
            assert not self.inside, "A database is not closed from inside its own transaction."
            self._closed = True
            if self._unusable is not None:
                self._abandon()
                return
            self._await_readers()
            if self._brief and self._size("-wal") < LOG_KEPT_BYTES:
                # While a reading connection is open, closing this one does not bring the log into the file.
                self.close_writer()
            self.close_connections()

    def close_connections(self) -> None:
        """Close what is not in use; the writing connection last, which brings the log into the file."""
        self._close_readers()
        self.close_writer()

    def close_writer(self) -> None:
        if self._writer is not None:
            self._shut(self._writer)
            self._writer = None

    def _take_reader(self) -> sqlite3.Connection:
        self._refuse_unusable()
        try:
            return self._readers.pop()
        except IndexError:
            return self._open_reader()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._unusable is None and self._closed:
            # `close` waits for this with the lock in its hand that `_abandon` would wait for.
            self._shut(connection)
        elif self._unusable is None and not connection.in_transaction:
            self._readers.append(connection)
        else:
            self._abandon(connection)

    def _open_reader(self) -> sqlite3.Connection:
        if self._size() == 0:
            self._refuse_orphaned_log()
            raise self._missing()
        try:
            self._recover_journal()
            connection = self._open("ro", READING)
        except Damaged:
            self._abandon()
            raise
        if not self._looked:
            self._looked = True
            # A file that another program took out of WAL mode; only a writing connection brings it back.
            if (
                connection.execute("PRAGMA journal_mode").fetchone() != ("wal",)
                and not self.readonly
            ):
                with self.writing:
                    self._writer = self._writer or self._open_writer(WRITING)
        return connection

    def _open_writer(self, settings: str) -> sqlite3.Connection:
        self._refuse_unusable()
        if not self._readers:
            with self.reader():
                pass
        connection = self._open("rw", settings)
        self._extent = Extent(self.path, connection)
        self._writer = connection
        return connection

    def _open(self, mode: str, settings: str) -> sqlite3.Connection:
        """A connection with all its settings; none at all if one of them cannot be made."""
        assert not self._closed, f"{self.path} was closed."
        connection: sqlite3.Connection | None = None
        health.OPEN_FILES.opened(self.path)
        try:
            connection = sqlite3.connect(
                f"{self._address}?mode={mode}",
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=STATEMENTS_CACHED,
            )
            connection.executescript(settings)
            if mode != "ro":
                self._log_ahead(connection)
            connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except BaseException as error:
            if connection is None:
                health.OPEN_FILES.closed(self.path)
            else:
                self._shut(connection)
            if isinstance(error, faults.DRIVER_ERRORS):
                self._refuse_other_kinds()
                raise self.explained(error, "opening") from error
            raise
        return connection

    def _refuse_other_kinds(self) -> None:
        """Say so where a folder, or what else is no file, stands in the board's place."""
        if self.path.exists() and not self.path.is_file():
            raise Damaged(
                f"{self.path} is no file, and a board's database is one; put a backup in its place.",
                detail={"path": str(self.path)},
            )

    def _log_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch to the write-ahead log, which is the one thing that SQLite does not wait for."""
        deadline = time.monotonic() + BUSY_S
        mode = ""
        while not mode:
            try:
                mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            except sqlite3.OperationalError as error:
                busy = faults.primary_code(error) == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(BUSY_PAUSE_S * (1 + os.urandom(1)[0]) / 256)
        if mode != "wal":
            raise Unavailable(
                f"{self.path} cannot have a write-ahead log here (its journal mode stays {mode});"
                " a board's file must be on a local disk."
            )

    def _shut(self, connection: sqlite3.Connection) -> None:
        connection.close()
        health.OPEN_FILES.closed(self.path)

    def _abandon(self, connection: sqlite3.Connection | None = None) -> None:
        """Close everything without touching the file, and keep a copy of it if it is damaged."""
        with self.writing:
            if self.inside:
                return
            # As in `close`: the log stays as it is.
            self.close_writer()
            self._close_readers()
            if connection is not None:
                self._shut(connection)
            if isinstance(self._unusable, Damaged) and "copy" not in self._unusable.detail:
                self._keep_copy(self._unusable)

    def _keep_copy(self, finding: Damaged) -> None:
        try:
            copy = health.keep_copy(self.path)
        except OSError as error:
            finding.message += f" It was left as it is, and could not be copied: {error}."
            copy = None
        if copy is not None:
            finding.detail["copy"] = str(copy)
            finding.message += f" It was left as it is, and a copy is kept as {copy.name}."
        finding.args = (finding.message,)

    def _await_readers(self) -> None:
        """Let those who read now finish, for a while."""
        places = [place for place in range(READERS_MAX) if self._places.acquire(timeout=BUSY_S)]
        for _ in places:
            self._places.release()

    def _close_readers(self) -> None:
        while self._readers:
            self._shut(self._readers.pop())

    def _refuse_unusable(self) -> None:
        if self._unusable is not None:
            raise type(self._unusable)(self._unusable.message, detail=dict(self._unusable.detail))

    def _refuse_orphaned_log(self) -> None:
        """SQLite would throw this log away as soon as it opened the empty file."""
        # In this order: whoever makes a board right now has filled the file before there is a log.
        if self._size("-wal") > 0 and self._size() == 0:
            self._unusable = Damaged(
                f"The board's file {self.path} is gone or empty, and its log is still there.",
                detail={"path": str(self.path)},
            )
            self._keep_copy(self._unusable)
            self._refuse_unusable()

    def _recover_journal(self) -> None:
        """Let a connection that may write undo what another journal mode has left half done."""
        if self._size("-journal") > 0 and not self.readonly:
            self._shut(self._open("rw", WRITING))

    def _missing(self) -> NotFound | Damaged:
        if self.path.exists():
            return Damaged(
                f"The board's file {self.path} is empty.", detail={"path": str(self.path)}
            )
        return NotFound(
            f"The board's file {self.path} is not there; put a backup in its place,"
            f" or move {self.path.parent} away to begin anew."
        )

    def _size(self, suffix: str = "") -> int:
        try:
            return os.stat(self._name + suffix).st_size  # noqa: PTH116 - some ten times at each request
        except FileNotFoundError:
            return 0
