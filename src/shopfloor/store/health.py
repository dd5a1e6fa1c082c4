"""Whether a database is fit to be used, and what is kept of one that is not.

A database file that is not healthy is never written again: it is left as it is, with one copy beside
it, `board.db.corrupt.<sha256 prefix>.bak`, and its log and index under the same name.  The name
comes from the content, so that ten retries make one copy and changed bytes make another.

A copy must read the file, and closing *any* descriptor of a file drops every POSIX lock that this
process holds on it, SQLite's own among them; another process could then delete the log under us.
So this module counts the connections of the process per file, and reads a file only while there
are none.  The count is the one piece of module state of the store because the locks, too, belong
to the process and not to an object in it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from shopfloor.domain.errors import Unavailable
from shopfloor.store.db import Database

SQLITE_OLDEST: Final = (3, 35, 0)
WAL_RESET_FIXED: Final = (3, 51, 3)
SIDECARS: Final = ("-wal", "-shm")
DIGEST_CHARS: Final = 16
CHUNK_BYTES: Final = 1024 * 1024
FINDINGS_MAX: Final = 100


class OpenFiles:
    """How many connections this process has to each database file."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def opened(self, path: Path) -> None:
        with self._lock:
            self._counts[str(path)] += 1

    def closed(self, path: Path) -> None:
        with self._lock:
            self._counts[str(path)] -= 1

    def count(self, path: Path) -> int:
        with self._lock:
            return self._counts[str(path)]


OPEN_FILES: Final = OpenFiles()


class DamagedCopy(NamedTuple):
    """What was kept of a database file that was not healthy."""

    path: Path
    size: int
    kept_at: int


def check_library(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> None:
    """Refuse an SQLite library that is too old for the statements."""
    if version < SQLITE_OLDEST:
        raise Unavailable(
            f"The SQLite library is version {_dotted(version)}; boards need"
            f" {_dotted(SQLITE_OLDEST)} or newer. A newer Python brings one."
        )


def library_version() -> str:
    """The version of the SQLite library in use."""
    return sqlite3.sqlite_version


def known_faults(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> list[str]:
    """What is known to be wrong with this SQLite library, one sentence each."""
    if version >= WAL_RESET_FIXED:
        return []
    note = (
        f"SQLite {_dotted(version)} has a rare fault in resetting its log when two connections"
        f" write at once (fixed in {_dotted(WAL_RESET_FIXED)}); boards are not exposed to it, because"
        " one connection at a time writes a board. Do not write to a board's file with other programs."
    )
    return [note]


def quick_check(database: Database) -> list[str]:
    """What a quick look through the whole file finds; empty if it is healthy.  Reads everything."""
    return _findings(database, "engine_quick_check")


def full_check(database: Database) -> list[str]:
    """Like the quick check, and every index against its table, and every reference."""
    rows = database.read(lambda tx: tx.all("engine_reference_check", limit=FINDINGS_MAX))
    references = [f"{row[0]}, row {row[1]}: refers to nothing in {row[2]}" for row in rows]
    return _findings(database, "engine_full_check") + references


def stopped_uncleanly(path: Path, noted: str = "") -> bool:
    """Whether the last writer was killed: the next opening should look through the file.

    Then there is a log, and not as the one before has noted that it left it (`state_of_log`).  Asked
    before the database is opened, by whoever holds the board's lock.
    """
    state = state_of_log(path)
    return bool(state) and state != noted


def state_of_log(path: Path) -> str:
    """Changes when the log of a database does; empty where there is none."""
    try:
        seen = _sidecar(path, "-wal").stat()
    except FileNotFoundError:
        return ""
    return f"{seen.st_ino} {seen.st_size} {seen.st_mtime_ns}" if seen.st_size else ""


def fingerprint(path: Path) -> tuple[int, int, int]:
    """Changes when the file does: lets a daemon retry a damaged board only when something is new."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def kept_copies(path: Path) -> list[DamagedCopy]:
    """The copies that were kept of this file, oldest first."""
    found = [
        DamagedCopy(copy, copy.stat().st_size, copy.stat().st_mtime_ns // 1_000_000)
        for copy in path.parent.glob(f"{path.name}.corrupt.*.bak")
    ]
    return sorted(found, key=lambda copy: (copy.kept_at, copy.path.name))


def keep_copy(path: Path) -> Path | None:
    """Keep the bytes of a damaged file beside it and return where.

    None while this process has the file open, or when there is nothing to keep.
    """
    path = path.resolve()
    if OPEN_FILES.count(path) or not any(_size(part) for part in (path, _sidecar(path, "-wal"))):
        return None
    copy = path.with_name(f"{path.name}.corrupt.{_digest(path)}.bak")
    if copy.exists():
        return copy
    for suffix in SIDECARS:
        if _sidecar(path, suffix).exists():
            _copy_durably(_sidecar(path, suffix), _sidecar(copy, suffix))
    if path.exists():
        _copy_durably(path, copy)
    else:
        copy.touch(mode=0o600)
    return copy


def fsync_path(path: Path) -> None:
    """Bring a file or a folder to the disk.  Never a database that may be open."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_durably(source: Path, target: Path) -> None:
    """Copy under a temporary name and rename, so that a copy is whole or not there."""
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        part.touch(mode=0o600)
        with source.open("rb") as reading, part.open("wb") as writing:
            for chunk in _chunks(reading):
                writing.write(chunk)
            writing.flush()
            os.fsync(writing.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    fsync_path(target.parent)


def _digest(path: Path) -> str:
    """Of the file and its log; the index is left out because every opening rewrites it."""
    import hashlib  # noqa: PLC0415 - only for a damaged file

    digest = hashlib.sha256()
    for part in (path, _sidecar(path, "-wal")):
        digest.update(b"%d\n" % _size(part))
        if part.exists():
            with part.open("rb") as stream:
                for chunk in _chunks(stream):
                    digest.update(chunk)
    return digest.hexdigest()[:DIGEST_CHARS]


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _findings(database: Database, statement: str) -> list[str]:
    rows = database.read(lambda tx: tx.all(statement, limit=FINDINGS_MAX))
    return [str(row[0]) for row in rows if row[0] != "ok"]


def _sidecar(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(str(part) for part in version)
