"""What an error of SQLite means for whoever asked: one sentence and one of our own kinds.

A fault of the machine (full disk, busy or unreadable file) is `Unavailable`, a file that is no healthy
database is `Damaged`, a value that no database takes is `Invalid`.  A row that the schema refuses is one
of the three kinds of `db.py`, and everything else is a faulty statement, our own mistake.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from shopfloor.domain.errors import BoardError, Damaged, Invalid, Unavailable
from shopfloor.store.db import ConstraintBroken, EdgeRefused, UniqueViolation
from shopfloor.store.statements import BadStatement

EDGE_GUARD: Final = "task_edge_guard"
# What the driver raises before SQLite has seen the statement: numbers too large, half a character.
UNSTORABLE: Final = (OverflowError, UnicodeEncodeError)
DRIVER_ERRORS: Final = (sqlite3.Error, *UNSTORABLE)

# After these the connection is not trusted any more; the next request gets a new one.
SHAKEN: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN})

MEANINGS: Final[dict[int, tuple[type[BoardError], str]]] = {
    sqlite3.SQLITE_CORRUPT: (Damaged, "The board's file {path} is damaged ({error})."),
    sqlite3.SQLITE_NOTADB: (Damaged, "{path} is not a board: its bytes are no SQLite database."),
    sqlite3.SQLITE_TOOBIG: (Invalid, "A value given to {statement} is too large to be stored."),
    sqlite3.SQLITE_FULL: (
        Unavailable,
        "The disk of {path} is full; nothing was stored. Free some space and send this again.",
    ),
    sqlite3.SQLITE_IOERR: (
        Unavailable,
        "The disk of {path} failed ({error}); nothing was confirmed. Look at it and send this again.",
    ),
    sqlite3.SQLITE_BUSY: (
        Unavailable,
        "{path} is held by another process that writes it; send this again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        Unavailable,
        "{path} is held by another connection that writes it; send this again.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        Unavailable,
        "{path} cannot be opened ({error}); look at its folder and at the number of open files.",
    ),
    sqlite3.SQLITE_READONLY: (
        Unavailable,
        "{path} cannot be written ({error}); look at the rights of the file and its folder.",
    ),
    sqlite3.SQLITE_PERM: (
        Unavailable,
        "{path} may not be opened by this user; look at its rights.",
    ),
    sqlite3.SQLITE_PROTOCOL: (
        Unavailable,
        "{path} could not be locked; a board's file cannot be on a network disk.",
    ),
    sqlite3.SQLITE_NOLFS: (Unavailable, "{path} is larger than this system's files may be."),
    sqlite3.SQLITE_INTERRUPT: (
        Unavailable,
        "The work on {path} was interrupted; nothing of it was stored.",
    ),
}


def primary_code(error: Exception) -> int:
    """SQLite's result code without its details; 0 for errors that never reached SQLite."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def explained(
    error: Exception, *, statement: str, path: Path, connection: sqlite3.Connection | None = None
) -> Exception:
    """The exception to raise instead of the driver's."""
    if isinstance(error, UNSTORABLE):
        return Invalid(f"A value given to {statement} cannot be stored: {error}.")
    code = primary_code(error)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return _refused_row(str(error), statement, connection)
    if code == sqlite3.SQLITE_READONLY and connection is not None and _only_reads(connection):
        return BadStatement(f"{statement} changes data, and the work it is in was asked to read.")
    if code in MEANINGS:
        kind, sentence = MEANINGS[code]
        words = sentence.format(path=path, error=error, statement=statement)
        return kind(words, detail={"path": str(path)})
    return BadStatement(f"{statement}: {error}")


def _refused_row(message: str, statement: str, connection: sqlite3.Connection | None) -> Exception:
    if message.startswith(EDGE_GUARD):
        return EdgeRefused(f"{statement}: {message}")
    unique = message.removeprefix("UNIQUE constraint failed: ")
    if unique == message:
        return ConstraintBroken(f"{statement}: {message}")
    if unique.startswith("index "):
        index = unique.removeprefix("index ").strip("'")
        return UniqueViolation(_table_of(index, connection), index)
    columns = [column.split(".", 1) for column in unique.split(", ")]
    table = columns[0][0]
    return UniqueViolation(table, _index_name(table, [name for _, name in columns], connection))


def _index_name(table: str, columns: list[str], connection: sqlite3.Connection | None) -> str:
    """The index over these columns; where SQLite gave it no name, the one PostgreSQL gives."""
    if connection is not None:
        for index, origin in connection.execute(
            'SELECT name, origin FROM pragma_index_list(?) WHERE "unique"', (table,)
        ).fetchall():
            covered = connection.execute(
                "SELECT name FROM pragma_index_info(?)", (index,)
            ).fetchall()
            if [name for (name,) in covered] == columns and origin != "pk":
                return str(index) if origin == "c" else f"{table}_{'_'.join(columns)}_key"
    return f"{table}_pkey"


def _table_of(index: str, connection: sqlite3.Connection | None) -> str:
    if connection is None:
        return ""
    row = connection.execute(
        "SELECT tbl_name FROM sqlite_schema WHERE name = ?", (index,)
    ).fetchone()
    return str(row[0]) if row else ""


def _only_reads(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA query_only").fetchone()[0])
