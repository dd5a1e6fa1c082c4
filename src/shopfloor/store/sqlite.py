"""A board in an SQLite file: its transactions.

Kept here:

- Writes begin with BEGIN IMMEDIATE, so that no transaction finds out at its end that it was late.
- Readers see the last commit, also while a write is under way.
- Requests may share a transaction, each in a savepoint of its own; only together they are committed.
- What fails is answered with the first error; a ROLLBACK that fails as well never takes its place.

How the file is opened, and what happens to a damaged one, is in `sqlite_file.py`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from binascii import crc32
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

from shopfloor.domain.errors import Damaged, Unavailable
from shopfloor.store import faults, health
from shopfloor.store.db import Clock, Probe, Row, SchemaTx, Tx
from shopfloor.store.numbered import Numbered, NumberedStatements, own_numbered
from shopfloor.store.sqlite_file import ALTERING, WRITING, SqliteFile
from shopfloor.store.statements import Statements, own_statements

T = TypeVar("T")

# All texts that made a schema, as SQLite keeps them, in an order that does not depend on when they came.
SCHEMA_TEXTS: Final = (
    "SELECT group_concat(sql, char(10)) FROM"
    " (SELECT sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name)"
)


class SqliteTx:
    """A transaction, a snapshot for reading, or a savepoint of a group."""

    __slots__ = ("_connection", "_deferred", "_execute", "_numbered", "_owner", "_probe", "now")

    def __init__(self, owner: SqliteDatabase, connection: sqlite3.Connection, now: int) -> None:
        self.now = now
        self._owner = owner
        self._connection = connection
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        self._numbered = owner.numbered
        self._probe = owner.probe
        self._deferred: list[tuple[Numbered, Row]] = []

    def all(self, name: str, /, **params: object) -> list[Row]:
        statement = self._numbered[name]
        values = statement.values(params)
        if self._probe is not None:
            self._probe(name)
        try:
            return self._execute(statement.sql, values).fetchall()
        except faults.DRIVER_ERRORS as error:
            raise self._failed(error, name) from error

    def one(self, name: str, /, **params: object) -> Row | None:
        rows = self.all(name, **params)
        return rows[0] if rows else None

    def run(self, name: str, /, **params: object) -> int:
        statement = self._numbered[name]
        return self._count(statement, statement.values(params))

    def put(self, name: str, row: Mapping[str, object], /) -> int:
        statement = self._numbered[name]
        return self._count(statement, statement.values_of(row))

    def insert(self, name: str, row: Mapping[str, object], /) -> int | None:
        statement = self._numbered[name]
        values = statement.values_of(row)
        if self._probe is not None:
            self._probe(name)
        try:
            cursor = self._execute(statement.insert, values)
        except faults.DRIVER_ERRORS as error:
            raise self._failed(error, name) from error
        return cursor.lastrowid if cursor.rowcount > 0 else None

    def defer(self, name: str, /, **params: object) -> None:
        statement = self._numbered[name]
        self._deferred.append((statement, statement.values(params)))

    def select(self, text: str, *values: object) -> list[Row]:
        """The rows of a text that is no named statement: what only SQLite knows of itself."""
        try:
            return self._execute(text, values).fetchall()
        except faults.DRIVER_ERRORS as error:
            raise self._failed(error, text[:60]) from error

    def script(self, text: str) -> None:
        """Run statements one after the other: the driver's own way commits before the first."""
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._run_text(statement)
                statement = ""
        if statement.strip():
            self._run_text(statement)

    def finish(self) -> None:
        """Run what was deferred; refuse to go on if a failure was swallowed."""
        if self._execute is _refused:
            _refused()
        for statement, values in self._deferred:
            if self._probe is not None:
                self._probe(statement.name)
            try:
                self._execute(statement.sql, values)
            except faults.DRIVER_ERRORS as error:
                raise self._failed(error, statement.name) from error
        self.end()

    def end(self) -> None:
        """From now on this object is of no use any more."""
        self._execute = _refused

    def _count(self, statement: Numbered, values: Row) -> int:
        if self._probe is not None:
            self._probe(statement.name)
        try:
            cursor = self._execute(statement.sql, values)
            return len(cursor.fetchall()) or max(cursor.rowcount, 0)
        except faults.DRIVER_ERRORS as error:
            raise self._failed(error, statement.name) from error

    def _run_text(self, statement: str) -> None:
        try:
            self._execute(statement)
        except faults.DRIVER_ERRORS as error:
            raise self._failed(error, statement.strip()[:60]) from error

    def _failed(self, error: Exception, name: str) -> Exception:
        self.end()
        return self._owner.explained(error, name, self._connection)


def fingerprint(tx: SqliteTx) -> int:
    """One number for all texts that made a board's schema."""
    return checksum(tx.select(SCHEMA_TEXTS)[0][0])


def checksum(texts: str | None) -> int:
    """Their fingerprint; there are none where nothing was made yet."""
    return crc32((texts or "").encode())


def _refused(*_: object) -> sqlite3.Cursor:
    raise AssertionError(
        "This transaction has ended, or one of its statements failed: let the failure end the work."
    )


class SqliteDatabase:
    """A board's file.  Safe to use from several threads; writes take turns."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock,
        probe: Probe | None = None,
        readonly: bool = False,
        brief: bool = False,
        statements: Statements | None = None,
    ) -> None:
        """Name the file; it is opened when it is first needed.

        `readonly` refuses to write; `brief` leaves the log where it is for the next one who opens.
        """
        health.check_library()
        self.path = Path(path).resolve()
        self.probe = probe
        self.statements = own_statements("sqlite") if statements is None else statements
        self.numbered = own_numbered() if statements is None else NumberedStatements(statements)
        self.readonly = readonly
        self._clock = clock
        self._file = SqliteFile(self.path, readonly=readonly, brief=brief)

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._committed(partial(self._worked, work))

    def write_together(self, works: Sequence[Callable[[Tx], object]]) -> tuple[list[object], bool]:
        """Run several pieces of work in one transaction, each in a savepoint of its own.

        Answers what each returned, or the exception with which it alone was rolled back, and whether
        anything changed.  If the transaction itself fails, that is raised and holds for all of them.
        """
        return self._committed(partial(self._together, works))

    def read(self, work: Callable[[Tx], T]) -> T:
        with self._file.reader() as connection:
            tx = SqliteTx(self, connection, self._clock())
            self._run(connection, "begin", "BEGIN")
            try:
                result = work(tx)
                tx.finish()
            finally:
                self._roll_back(connection)
            return result

    def alter(self, work: Callable[[SchemaTx], T]) -> T:
        """Run a schema step: foreign keys off, and checked before the commit."""

        def checked(tx: SqliteTx) -> T:
            result = work(tx)
            broken = tx.all("engine_reference_check", limit=health.FINDINGS_MAX)
            assert not broken, f"A schema step leaves rows that refer to nothing: {broken[:3]}"
            return result

        with self._file.writing:
            self._file.close_connections()
            try:
                return self._committed(partial(self._worked, checked), ALTERING)
            finally:
                self._file.close_connections()

    def backup(self, target: Path) -> None:
        """Copy the database as it is now into a new file, while others go on writing."""
        findings = health.quick_check(self)
        if findings:
            raise Damaged(f"{self.path} is damaged and was not backed up: {findings[0]}.")
        part = target.with_name(f"{target.name}.part-{os.getpid()}")
        try:
            part.touch(mode=0o600)
            with self._file.reader() as source, contextlib.closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
            health.fsync_path(part)
            part.replace(target)
            health.fsync_path(target.parent)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"{self.path} could not be backed up to {target}: {error}. Look at the disk there."
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def create(self) -> None:
        """Make an empty database where there is no file or an empty one; leave any other alone."""
        self._file.create()

    def close(self) -> None:
        """Let go of the file; the log is brought into it and removed, unless it is damaged or brief."""
        self._file.close()

    def left(self) -> str:
        """After the closing: what to hand to the next `stopped_uncleanly`; empty if damage was seen."""
        return "" if self._file.unusable else health.state_of_log(self.path)

    def explained(
        self, error: Exception, statement: str, connection: sqlite3.Connection
    ) -> Exception:
        """The exception to raise for the driver's."""
        return self._file.explained(error, statement, connection)

    def _committed(
        self, inside: Callable[[sqlite3.Connection, int], T], settings: str = WRITING
    ) -> T:
        """What was done inside one transaction, when it is on the disk."""
        file = self._file
        assert not file.readonly, f"{self.path} was opened for reading only."
        with file.writing:
            assert not file.inside, (
                "A write was asked for inside a write: use the Tx that is there."
            )
            connection = file.writer(settings)
            file.inside = True
            try:
                self._run(connection, "begin", "BEGIN IMMEDIATE")
                try:
                    done = inside(connection, self._clock())
                    self._run(connection, "commit", "COMMIT")
                except BaseException:
                    self._roll_back(connection)
                    raise
                file.check_extent(connection)
            finally:
                file.inside = False
                file.transaction_ended()
            return done

    def _worked(self, work: Callable[[SqliteTx], T], connection: sqlite3.Connection, now: int) -> T:
        """The work's result, with what it deferred done."""
        tx = SqliteTx(self, connection, now)
        try:
            result = work(tx)
            tx.finish()
        finally:
            tx.end()
        return result

    def _together(
        self,
        works: Sequence[Callable[[Tx], object]],
        connection: sqlite3.Connection,
        now: int,
    ) -> tuple[list[object], bool]:
        """What each piece of work came to, and whether anything changed."""
        changed = False
        answers: list[object] = []
        carry_out = self._worked if len(works) == 1 else self._in_savepoint
        for work in works:
            before = connection.total_changes
            answer = carry_out(work, connection, now)
            answers.append(answer)
            if not isinstance(answer, Exception):
                changed |= connection.total_changes != before
        return answers, changed

    def _in_savepoint(
        self, work: Callable[[Tx], object], connection: sqlite3.Connection, now: int
    ) -> object:
        """What the work returned, or the exception that undid it and nothing else."""
        self._run(connection, "savepoint", "SAVEPOINT request")
        try:
            answer = self._worked(work, connection, now)
        except Exception as refusal:
            # A full disk or a failing one can end the whole transaction, and then all of the group.
            if not connection.in_transaction or isinstance(refusal, Damaged):
                raise
            self._run(connection, "rollback", "ROLLBACK TO request")
            answer = refusal
        self._run(connection, "release", "RELEASE request")
        return answer

    def _run(self, connection: sqlite3.Connection, name: str, sql: str) -> None:
        if self.probe is not None:
            self.probe(name)
        try:
            connection.execute(sql)
        except faults.DRIVER_ERRORS as error:
            raise self.explained(error, name, connection) from error

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """Undo what is open.  If that fails too, the connection is given up and the first error stands."""
        try:
            if connection.in_transaction:
                if self.probe is not None:
                    self.probe("rollback")
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._file.distrust()
