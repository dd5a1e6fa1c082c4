"""One transaction, one time, checked parameters: what both databases promise to the rest.

A `Database` runs a piece of work in one transaction and answers when it is on disk.  The work gets a
`Tx` and asks it for statements by name; their text lives in `sql/*.sql`.  Kept on both databases:

- a transaction has one time, `Tx.now`;
- the given parameter names are exactly the statement's, so a typo fails at its first run;
- a statement that failed ends its transaction: PostgreSQL can do nothing more in it, so SQLite is not
  allowed to either, and work that swallowed the failure does not commit;
- `Tx.defer` runs last, so that rows whose order readers follow get their ids in the order of the commits.

No driver is imported here and no error of a driver leaves the store: what a caller can do something
about is one of `shopfloor.domain.errors`, what the schema refused is one of the three below.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from shopfloor.store.statements import Statement, Statements

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
Clock: TypeAlias = Callable[[], int]
Probe: TypeAlias = Callable[[str], None]


class UniqueViolation(Exception):
    """A row with this key exists; `constraint` is the index's name, the same on both databases."""

    def __init__(self, table: str, constraint: str) -> None:
        super().__init__(f"{table}: {constraint} is taken")
        self.table = table
        self.constraint = constraint


class EdgeRefused(AssertionError):
    """The trigger refused a change of status that is no edge of the lifecycle: our own mistake."""


class ConstraintBroken(AssertionError):
    """A row that the schema calls impossible was refused: our own mistake."""


class Tx(Protocol):
    """One transaction, or one request's savepoint inside a group of them."""

    @property
    def now(self) -> int:
        """Milliseconds since the epoch, the same in the whole transaction."""
        ...

    def all(self, name: str, /, **params: object) -> list[Row]:
        """All rows of a named statement."""
        ...

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row of a named statement, if it has one."""
        ...

    def run(self, name: str, /, **params: object) -> int:
        """Run a named statement and count the rows that it changed or returned."""
        ...

    def put(self, name: str, row: Mapping[str, object], /) -> int:
        """The same with the values of a row, of which the statement takes those that it names."""
        ...

    def insert(self, name: str, row: Mapping[str, object], /) -> int | None:
        """Run an INSERT … RETURNING id with the values of a row, and answer that number.

        None where it added nothing.
        """
        ...

    def defer(self, name: str, /, **params: object) -> None:
        """Run a named statement after the work has returned, in the order in which they came."""
        ...


class SchemaTx(Tx, Protocol):
    """The transaction of a schema step, which alone may run text that is no named statement."""

    def script(self, text: str) -> None:
        """Run the statements of a text, all in this transaction."""
        ...


class Database(Protocol):
    """A board's rows, wherever they are kept."""

    @property
    def dialect(self) -> Literal["sqlite", "postgres"]: ...

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run the work in one transaction; it is on disk when this returns, or nothing of it is."""
        ...

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run the work on one snapshot; it can change nothing."""
        ...

    def close(self) -> None: ...


class Deferred:
    """The statements that a transaction runs last."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[Statement, dict[str, object]]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, statement: Statement, params: dict[str, object]) -> None:
        self._waiting.append((statement, params))

    def batches(self) -> Iterator[tuple[Statement, Sequence[dict[str, object]]]]:
        """Neighbours with the same statement together, in the order in which they came."""
        batch: list[dict[str, object]] = []
        current: Statement | None = None
        for statement, params in self._waiting:
            if current is not None and statement is not current:
                yield current, batch
                batch = []
            current = statement
            batch.append(params)
        if current is not None:
            yield current, batch
        self._waiting.clear()


def prepared(statements: Statements, name: str, params: dict[str, object]) -> Statement:
    """The named statement, if the parameters are its own; lists among them become JSON in place."""
    statement = statements[name]
    if params.keys() != statement.params:
        raise statement.mismatch(params)
    if statement.lists:
        encode_lists(statement, params)
    return statement


def encode_lists(statement: Statement, params: dict[str, object]) -> None:
    """Turn the parameters of `@each` into the one JSON text that they travel as."""
    for name in statement.lists:
        value = params[name]
        if value is not None and not isinstance(value, str):
            assert isinstance(value, list | tuple), f"{statement.name}: {name} must be a list"
            params[name] = json.dumps(value, ensure_ascii=False)
