"""Connections to a PostgreSQL server: how one is made, what its errors mean, and a few to share.

A connection speaks the types of SQLite, so that one statement's rows look the same from both databases:
whole numbers travel as bigint, booleans are 0 and 1, and sums are int or float.

A server that cannot be reached is named without its password, and without the words of the client
library where these repeat the address.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import adapt, errors, pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper

from shopfloor.domain.errors import BoardError, Damaged, Invalid, Unavailable
from shopfloor.store.db import ConstraintBroken, EdgeRefused, UniqueViolation
from shopfloor.store.statements import BadStatement

if sys.version_info >= (3, 12):
    from typing import override
else:
    # The driver brings it to the Pythons that need it.
    from typing_extensions import override

Link: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
Kinds: TypeAlias = tuple[type[psycopg.Error], ...]

SERVER_OLDEST: Final = 15
NAME_BYTES_MAX: Final = 63
POOL_WAIT_S: Final = 10.0
EDGE_GUARD: Final = "task_edge_guard"
BIGINT_OID: Final = 20
# A server that has gone without a word is noticed within half a minute.
DEFAULTS: Final[dict[str, str]] = {
    "application_name": "shopfloor",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# `off` would answer before the commit is on the disk; every other level of the server is kept.
SETTINGS: Final = """
    SELECT set_config('search_path', %s, false),
           set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'off'
                      THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""
MEANINGS: Final[tuple[tuple[Kinds, type[BoardError], str], ...]] = (
    (
        (psycopg.DataError, errors.ProgramLimitExceeded),
        Invalid,
        "A value given to {statement} cannot be stored",
    ),
    (
        (errors.DataCorrupted, errors.IndexCorrupted),
        Damaged,
        "The board's PostgreSQL server ({server}) finds its data damaged",
    ),
    (
        (psycopg.OperationalError, errors.InsufficientPrivilege),
        Unavailable,
        "The board's PostgreSQL server ({server}) could not do it",
    ),
)


class TryAgain(Exception):
    """The transaction was undone by the server or the network, not by what it asked for.

    With `lost` the connection is of no use any more, and very likely the others are not either.
    """

    def __init__(self, said: str, *, lost: bool) -> None:
        super().__init__(said)
        self.lost = lost


class _BoolDumper(adapt.Dumper):
    oid = BIGINT_OID

    @override
    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _BoolLoader(adapt.Loader):
    @override
    def load(self, data: bytes | bytearray | memoryview) -> int:
        return int(bytes(data) == b"t")


class _NumberLoader(adapt.Loader):
    @override
    def load(self, data: bytes | bytearray | memoryview) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


def _adapters() -> adapt.AdaptersMap:
    adapters = adapt.AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_dumper(bool, _BoolDumper)
    adapters.register_loader("bool", _BoolLoader)
    adapters.register_loader("numeric", _NumberLoader)
    return adapters


ADAPTERS: Final = _adapters()


class Server:
    """Where a board's schema is, and how to get a connection to it."""

    def __init__(self, url: str, schema: str) -> None:
        if not schema or len(schema.encode()) > NAME_BYTES_MAX or "\0" in schema:
            raise Invalid(f"A schema's name has 1 to {NAME_BYTES_MAX} bytes; {schema!r} has not.")
        self.schema = schema
        self.quoted_schema = '"' + schema.replace('"', '""') + '"'
        try:
            self._address: dict[str, Any] = {**DEFAULTS, **conninfo_to_dict(url)}
        except psycopg.Error:
            raise Unavailable(
                "The address of the board's database is not one of a PostgreSQL server;"
                " it looks like postgresql://user@host/database."
            ) from None
        self._password = str(self._address.get("password") or "")
        told = [
            f"{key} {self._address[key]}"
            for key in ("host", "port", "dbname", "user")
            if key in self._address
        ]
        self.name = ", ".join(told) or "this machine's own"

    def key(self, purpose: str) -> int:
        """The number of an advisory lock of this board."""
        digest = hashlib.sha256(f"shopfloor {purpose} {self.schema}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def channel(self) -> str:
        """The name under which commits on this board are told."""
        name = f"shopfloor_{self.schema}"
        if len(name.encode()) <= NAME_BYTES_MAX:
            return name
        return f"shopfloor_{hashlib.sha256(self.schema.encode()).hexdigest()[:32]}"

    def connect(self) -> Link:
        """A connection with this board's settings."""
        try:
            link: Link = psycopg.connect(
                **{**self._address, "client_encoding": "UTF8"}, autocommit=True, context=ADAPTERS
            )
        except psycopg.Error as error:
            raise Unavailable(
                f"The board's PostgreSQL server ({self.name}) cannot be used: {self._said(error)}"
            ) from None
        try:
            self._check(link)
            link.execute(SETTINGS, (self.quoted_schema,))
        except BaseException as error:
            link.close()
            if isinstance(error, psycopg.Error):
                raise Unavailable(
                    f"The board's PostgreSQL server ({self.name}) broke off: {self._said(error)}"
                ) from None
            raise
        return link

    def explained(
        self, error: psycopg.Error | UnicodeEncodeError, statement: str, link: Link
    ) -> Exception:
        """The exception to raise instead of the driver's."""
        if not isinstance(error, psycopg.Error):
            return Invalid(f"A value given to {statement} cannot be stored: {error}.")
        if is_stale_plan(error):
            link.close()
        if is_passing(error) or link.closed:
            return TryAgain(self._said(error), lost=link.closed)
        if isinstance(error, psycopg.IntegrityError):
            return _refused_row(error, statement)
        for kinds, meaning, sentence in MEANINGS:
            if isinstance(error, kinds):
                words = sentence.format(statement=statement, server=self.name)
                return meaning(f"{words}: {self._said(error)}")
        return BadStatement(f"{statement}: {self._said(error)}")

    def _check(self, link: Link) -> None:
        major = link.info.server_version // 10_000
        if major < SERVER_OLDEST:
            raise Unavailable(
                f"The server ({self.name}) is PostgreSQL {major}; boards need {SERVER_OLDEST} or newer."
            )
        encoding = link.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise Unavailable(
                f"The database ({self.name}) stores {encoding}; boards need one made with ENCODING 'UTF8'."
            )

    def _said(self, error: psycopg.Error) -> str:
        """The server's own words in one line, without the password."""
        words = " ".join((error.diag.message_primary or str(error)).split())
        if self._password:
            words = words.replace(self._password, "…")
        return words.rstrip(".") + "."


def _refused_row(error: psycopg.IntegrityError, statement: str) -> Exception:
    if isinstance(error, errors.UniqueViolation):
        return UniqueViolation(error.diag.table_name or "", error.diag.constraint_name or "")
    said = error.diag.message_primary or str(error)
    kind = EdgeRefused if said.startswith(EDGE_GUARD) else ConstraintBroken
    return kind(f"{statement}: {said}")


def is_passing(error: psycopg.Error) -> bool:
    """Whether the same transaction may well succeed if it is run again."""
    return isinstance(
        error,
        errors.SerializationFailure
        | errors.DeadlockDetected
        | errors.AdminShutdown
        | errors.CrashShutdown
        | errors.CannotConnectNow,
    )


def is_stale_plan(error: psycopg.Error) -> bool:
    """Whether another host has changed the schema, and this connection remembers plans of the old one."""
    return isinstance(error, errors.FeatureNotSupported) and "cached plan" in str(error)


class Pool:
    """A few connections, opened when they are first needed and given to one at a time."""

    def __init__(self, connect: Callable[[], Link], size: int) -> None:
        self._connect = connect
        self._size = size
        self._places = threading.BoundedSemaphore(size)
        self._idle: list[Link] = []
        self._closed = False

    @contextlib.contextmanager
    def link(self) -> Iterator[Link]:
        """A connection that is in no transaction; one that comes back in one is closed."""
        assert not self._closed, "The database was closed."
        if not self._places.acquire(timeout=POOL_WAIT_S):
            raise Unavailable(
                f"All {self._size} connections to the board's server are busy; send this again."
            )
        try:
            link = self._take()
            try:
                yield link
            finally:
                self._give_back(link)
        finally:
            self._places.release()

    def drop_idle(self) -> None:
        """Close the connections that nobody uses: what broke one has probably broken all."""
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()

    def close(self) -> None:
        self._closed = True
        self.drop_idle()

    def _take(self) -> Link:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, link: Link) -> None:
        idle = link.info.transaction_status == pq.TransactionStatus.IDLE
        if idle and not link.closed and not self._closed:
            self._idle.append(link)
        else:
            link.close()
