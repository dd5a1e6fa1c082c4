"""A board in a schema of a PostgreSQL server: its transactions, its schema steps, its news.

Kept here:

- READ COMMITTED, and one time per transaction, fetched from the server together with BEGIN: several
  hosts, one clock.
- What is deferred runs last, under one lock of the board that the server lets go of after the commit, so
  that events get their numbers in the order in which readers see them.  A sequence alone does not do
  that: a later number can be committed first, and a reader who has seen it would miss the earlier one.
  The lock, the statements, the notice and the COMMIT go to the server in one round trip.
- A transaction that the server or the network undid before its COMMIT was sent is run again.  If the
  connection is lost after that, nobody knows whether it was committed: that is `Unavailable`, and the
  same request sent again finds its answer or is done then.

The driver is an extra, so this module is imported only for a board that needs it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Literal, TypeVar

import psycopg
from psycopg import pq

from shopfloor.domain.errors import Unavailable
from shopfloor.store import migrate
from shopfloor.store.db import Deferred, Probe, Row, SchemaTx, Tx, prepared
from shopfloor.store.postgres_link import Link, Pool, Server, TryAgain
from shopfloor.store.postgres_listen import Listener
from shopfloor.store.statements import Statements, ddl

T = TypeVar("T")

CONNECTIONS: Final = 6
TRIES_MAX: Final = 5
TRY_PAUSE_S: Final = 0.05
NOW: Final = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"
BEGIN_WRITING: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {NOW}"
BEGIN_READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {NOW}"
LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
NOTIFY: Final = "SELECT pg_notify(%s, %s)"


class PostgresTx:
    """A transaction, or a snapshot for reading."""

    __slots__ = (
        "_cursor",
        "_link",
        "_probe",
        "_reading",
        "_server",
        "_statements",
        "_usable",
        "changed",
        "deferred",
        "now",
    )

    def __init__(self, database: PostgresDatabase, link: Link, now: int, *, reading: bool) -> None:
        self.now = now
        self._reading = reading
        self.changed = False
        self.deferred = Deferred()
        self._server = database.server
        self._statements = database.statements
        self._probe = database.probe
        self._link = link
        self._cursor = link.cursor()
        self._usable = True

    def all(self, name: str, /, **params: object) -> list[Row]:
        self._execute(name, params)
        return self._cursor.fetchall() if self._cursor.description else []

    def one(self, name: str, /, **params: object) -> Row | None:
        rows = self.all(name, **params)
        return rows[0] if rows else None

    def run(self, name: str, /, **params: object) -> int:
        self._execute(name, params)
        return max(self._cursor.rowcount, 0)

    def put(self, name: str, row: Mapping[str, object], /) -> int:
        return self.run(name, **self._taken(name, row))

    def insert(self, name: str, row: Mapping[str, object], /) -> int | None:
        added = self.one(name, **self._taken(name, row))
        return None if added is None else int(added[0])

    def defer(self, name: str, /, **params: object) -> None:
        self.deferred.add(prepared(self._statements, name, params), params)

    def script(self, text: str) -> None:
        """Run a text of many statements, as the server takes it."""
        self.check_usable()
        try:
            self._cursor.execute(text.encode(), prepare=False)
        except psycopg.Error as error:
            raise self._failed(error, "schema step") from error

    def check_usable(self) -> None:
        """Refuse to go on after the end, or after a failure that was swallowed."""
        assert self._usable, (
            "This transaction has ended, or one of its statements failed: let the failure end the work."
        )

    def end(self) -> None:
        """From now on this object is of no use any more."""
        self._usable = False

    def _taken(self, name: str, row: Mapping[str, object]) -> dict[str, object]:
        """The values of a row that a statement names."""
        return {param: row[param] for param in self._statements[name].params if param in row}

    def _execute(self, name: str, params: dict[str, object]) -> None:
        statement = prepared(self._statements, name, params)
        self.check_usable()
        if self._probe is not None:
            self._probe(name)
        text = statement.unlocked if self._reading else statement.sql
        try:
            self._cursor.execute(text.encode(), params)
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise self._failed(error, name) from error
        if self._cursor.rowcount > 0 and not (self._cursor.statusmessage or "").startswith(
            "SELECT"
        ):
            self.changed = True

    def _failed(self, error: psycopg.Error | UnicodeEncodeError, name: str) -> Exception:
        self._usable = False
        return self._server.explained(error, name, self._link)


class PostgresDatabase:
    """A board's schema.  Safe to use from several threads."""

    dialect: Literal["postgres"] = "postgres"

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        probe: Probe | None = None,
        connections: int = CONNECTIONS,
        statements: Statements | None = None,
    ) -> None:
        """Name the server and the schema; connections are made when they are first needed."""
        self.server = Server(url, schema)
        self.probe = probe
        self.statements = Statements("postgres") if statements is None else statements
        self._pool = Pool(self.server.connect, connections)
        self._append_key = self.server.key("append")
        self._channel = self.server.channel()
        # Tells one's own notices from those of others.
        self._name = os.urandom(8).hex()
        self._listeners: list[Listener] = []

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._written(work)[0]

    def write_together(self, works: Sequence[Callable[[Tx], object]]) -> tuple[list[object], bool]:
        """Run one piece of work; here nothing is won by putting several into one transaction."""
        (work,) = works
        answer, changed = self._written(work)
        return [answer], changed

    def read(self, work: Callable[[Tx], T]) -> T:
        return self._until_done(partial(self._read_once, work))

    def alter(self, work: Callable[[SchemaTx], T]) -> T:
        """Run a schema step, one starter at a time."""

        def locked(tx: PostgresTx) -> T:
            tx.script(f"SELECT pg_advisory_xact_lock({self.server.key('schema')})")
            return work(tx)

        return self._written(locked)[0]

    def create(self) -> None:
        """Make the schema where there is none."""
        self.alter(lambda tx: tx.script(f"CREATE SCHEMA IF NOT EXISTS {self.server.quoted_schema}"))

    def listen(self, callback: Callable[[], None]) -> Listener:
        """Call back, from a thread, when others have committed something; a hint, and coalesced."""
        listener = Listener(self.server, self._name, callback)
        self._listeners.append(listener)
        return listener

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._pool.close()

    def _written(self, work: Callable[[PostgresTx], T]) -> tuple[T, bool]:
        return self._until_done(partial(self._write_once, work))

    def _until_done(self, attempt: Callable[[Link], T]) -> T:
        """Run the attempt on a connection, a few times if the server or the network undo it."""
        tries = 0
        while True:
            try:
                with self._pool.link() as link:
                    return attempt(link)
            except TryAgain as undone:
                tries += 1
                if tries == TRIES_MAX:
                    raise Unavailable(
                        f"The board's PostgreSQL server ({self.server.name}) undid this {tries} times,"
                        f" the last time because: {undone} Send it again."
                    ) from undone
                if undone.lost:
                    self._pool.drop_idle()
            # Of uneven length, so that two who were in each other's way do not meet again.
            time.sleep(TRY_PAUSE_S * tries * (1 + os.urandom(1)[0]) / 256)

    def _write_once(self, work: Callable[[PostgresTx], T], link: Link) -> tuple[T, bool]:
        tx = self._begin(link, BEGIN_WRITING)
        try:
            result = work(tx)
            tx.check_usable()
            changed = tx.changed or bool(tx.deferred)
            self._commit(link, tx)
        except BaseException:
            self._roll_back(link)
            raise
        finally:
            tx.end()
        return result, changed

    def _read_once(self, work: Callable[[PostgresTx], T], link: Link) -> T:
        tx = self._begin(link, BEGIN_READING)
        try:
            result = work(tx)
            tx.check_usable()
            assert not tx.deferred, "A read wants to write."
        finally:
            tx.end()
            self._roll_back(link)
        return result

    def _begin(self, link: Link, text: str) -> PostgresTx:
        self._say("begin")
        try:
            cursor = link.execute(text.encode(), prepare=False)
            cursor.nextset()
            row = cursor.fetchone()
        except psycopg.Error as error:
            raise self.server.explained(error, "begin", link) from error
        assert row is not None
        return PostgresTx(self, link, row[0], reading=text == BEGIN_READING)

    def _commit(self, link: Link, tx: PostgresTx) -> None:
        try:
            if tx.deferred:
                self._commit_deferred(link, tx.deferred)
            else:
                self._say("commit")
                said = link.execute(b"COMMIT", prepare=False).statusmessage
                assert said == "COMMIT", f"The server answered COMMIT with {said}."
        except (psycopg.Error, UnicodeEncodeError) as error:
            if link.closed:
                raise Unavailable(
                    f"The connection to the board's PostgreSQL server ({self.server.name}) was lost"
                    " during the commit; send the same request again to learn whether it was done."
                ) from error
            raise self.server.explained(error, "the end of the transaction", link) from error

    def _commit_deferred(self, link: Link, deferred: Deferred) -> None:
        with link.pipeline():
            cursor = link.cursor()
            cursor.execute(LOCK, (self._append_key,))
            for statement, batch in deferred.batches():
                self._say(statement.name)
                cursor.executemany(statement.sql.encode(), batch)
            cursor.execute(NOTIFY, (self._channel, self._name))
            self._say("commit")
            cursor.execute(b"COMMIT")

    def _roll_back(self, link: Link) -> None:
        """Undo what is open.  If that fails too, the pool closes the connection; the first error stands."""
        if link.closed or link.info.transaction_status == pq.TransactionStatus.IDLE:
            return
        self._say("rollback")
        with contextlib.suppress(psycopg.Error):
            link.execute(b"ROLLBACK", prepare=False)

    def _say(self, name: str) -> None:
        if self.probe is not None:
            self.probe(name)


def open_postgres(
    url: str,
    schema: str,
    *,
    create: bool,
    probe: Probe | None = None,
    connections: int = CONNECTIONS,
    known: Sequence[migrate.Step] | None = None,
    statements: Statements | None = None,
) -> PostgresDatabase:
    """The board in this schema, brought up to this program; `create` makes it where nothing is."""
    database = PostgresDatabase(
        url, schema, probe=probe, connections=connections, statements=statements
    )
    try:
        if create:
            database.create()
        known = migrate.own_steps() if known is None else known
        place = f"The schema {schema} ({database.server.name})"
        for step in migrate.missing_steps(database, known, create=create, place=place):
            database.alter(partial(_apply, step))
    except BaseException:
        database.close()
        raise
    return database


def _apply(step: migrate.Step, tx: SchemaTx) -> None:
    if not migrate.is_applied(tx, step):
        migrate.apply_step(tx, step, ddl(step.text, "postgres"))
