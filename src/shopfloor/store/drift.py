"""Whether a board's file has the schema that its steps make, and the rebuild of one that has not.

A file drifts when somebody else changes it: a table made anew by hand without its indexes, a column that is
gone or too many, numbers kept as texts, NULL where the program counts.  What SQLite keeps of a schema is the
text that made it, so the texts are compared: at each opening as one checksum, and one by one only where that
differs.

The rebuild makes every table anew from the texts of the steps, fills it from the old one, and makes indexes,
views and triggers last; all in one transaction.  A number that is missing where there has to be one becomes 0.
A text is not made up, no row is left out, and what does not fit ends the rebuild with the old board as it was.
Of a board in PostgreSQL the differences are only told: `postgres_drift.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache
from typing import Final, NamedTuple

from shopfloor.domain.errors import Damaged
from shopfloor.store.db import ConstraintBroken, Row, UniqueViolation
from shopfloor.store.sqlite import SqliteTx, checksum
from shopfloor.store.statements import BadStatement

OLD: Final = "before_"
THINGS: Final = (
    "SELECT type, name, tbl_name, sql FROM sqlite_schema"
    " WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid"
)
COLUMNS: Final = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)'
# What stands for a number that is not there, where 0 would mean something: the events to come, not all there were.
FILLED: Final = {("hook", "last_event"): "(SELECT COALESCE(MAX(id), 0) FROM event)"}


class Thing(NamedTuple):
    """A table, index, view or trigger, with the text that made it."""

    kind: str
    name: str
    table: str
    sql: str


class Column(NamedTuple):
    """A column; `hidden` ones are computed."""

    name: str
    type: str
    needed: int
    key: int
    hidden: int

    @property
    def counts(self) -> bool:
        """Whether it holds whole numbers."""
        return "INT" in self.type.upper()


class Schema(NamedTuple):
    """What a database is made of; `columns` are those of its tables, in their order."""

    things: tuple[Thing, ...]
    columns: Mapping[str, tuple[Column, ...]]

    @property
    def fingerprint(self) -> int:
        """As `sqlite.fingerprint` has it of a board with this schema and nothing else."""
        told = sorted(self.things, key=lambda thing: (thing.kind, thing.name))
        return checksum("\n".join(thing.sql for thing in told))

    def of_kind(self, kind: str) -> list[Thing]:
        return [thing for thing in self.things if thing.kind == kind]


@cache
def schema_of(*texts: str) -> Schema:
    """The schema that these texts make of nothing."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        for text in texts:
            memory.executescript(text)
        return _read(lambda text, *values: memory.execute(text, values).fetchall())


def found_in(tx: SqliteTx) -> Schema:
    """The schema that a board has."""
    return _read(tx.select)


def _read(select: Callable[..., list[Row]]) -> Schema:
    things = tuple(map(Thing._make, select(THINGS)))
    tables = [thing.name for thing in things if thing.kind == "table"]
    return Schema(
        things, {name: tuple(map(Column._make, select(COLUMNS, name))) for name in tables}
    )


def compared(tx: SqliteTx, meant: Schema) -> list[str]:
    """What is not as it was made, one sentence each; what somebody added beside it is none of our business."""
    found = found_in(tx)
    there = {(thing.kind, thing.name): thing.sql for thing in found.things}
    told = []
    for thing in meant.things:
        sql = there.get((thing.kind, thing.name))
        if sql is None:
            told.append(f"the {thing.kind} {thing.name} is missing")
        elif sql != thing.sql:
            columns = thing.kind == "table" and list(_columns(thing.name, found, meant))
            told += columns or [f"the {thing.kind} {thing.name} is not as it was made"]
    return told


def rebuild(tx: SqliteTx, meant: Schema) -> None:
    """Give the board the schema that is meant, with all of its rows; raises Damaged where they do not fit it."""
    found = found_in(tx)
    gone = sorted(set(meant.columns) - set(found.columns))
    if gone:
        raise Damaged(f"its table {gone[0]} is gone, with all that it held")
    own = {(thing.kind, thing.name) for thing in meant.things}
    beside = [t for t in found.things if t.table in meant.columns and (t.kind, t.name) not in own]
    _set_aside(tx, found, [*own, *((thing.kind, thing.name) for thing in beside)])
    try:
        for table in meant.of_kind("table"):
            tx.script(f"{table.sql};")
        for table in meant.of_kind("table"):
            _fill(tx, table, found.columns[table.name], meant.columns[table.name])
        for table in meant.of_kind("table"):
            tx.script(f'DROP TABLE "{OLD}{table.name}";')
        for kind in ("index", "view", "trigger"):
            for thing in [*meant.of_kind(kind), *(one for one in beside if one.kind == kind)]:
                tx.script(f"{thing.sql};")
    except (ConstraintBroken, UniqueViolation, BadStatement) as wrong:
        raise Damaged(f"its rows do not fit the schema ({wrong.__cause__ or wrong})") from wrong
    for row in tx.all("engine_reference_check", limit=1):
        raise Damaged(f"row {row[1]} of its table {row[0]} refers to nothing in {row[2]}")
    assert not compared(tx, meant), "A rebuild gives the schema that was meant."


def _set_aside(tx: SqliteTx, found: Schema, names: list[tuple[str, str]]) -> None:
    """Give the tables another name, and take away what else has a name that is needed."""
    # Else a renaming reads all other texts, and stops at one that is not in order.
    tx.script("PRAGMA legacy_alter_table=ON;")
    for kind in ("trigger", "view", "index"):
        for thing in found.of_kind(kind):
            if (kind, thing.name) in names:
                tx.script(f'DROP {kind} "{thing.name}";')
    for thing in found.of_kind("table"):
        if ("table", thing.name) in names:
            tx.script(f'ALTER TABLE "{thing.name}" RENAME TO "{OLD}{thing.name}";')


def _columns(table: str, found: Schema, meant: Schema) -> Iterator[str]:
    """What is different about a table's columns."""
    there = {column.name: column for column in found.columns[table]}
    for column in meant.columns[table]:
        other = there.pop(column.name, None)
        if other is None:
            yield f"{table} has no column {column.name}"
        elif other.type.upper() != column.type.upper():
            kind = other.type or "of no type"
            yield f"{table}.{column.name} is {kind}, and {column.type} belongs there"
        elif other.needed < column.needed:
            yield f"{table}.{column.name} may be NULL, and must not"
    for name in there:
        yield f"{table} has a column {name} that is not of this schema"


def _fill(tx: SqliteTx, thing: Thing, old: tuple[Column, ...], new: tuple[Column, ...]) -> None:
    """Move a table's rows from the old one into the new one."""
    table = thing.name
    there = {column.name for column in old}
    stored = [column for column in new if not column.hidden]
    names = ", ".join(f'"{column.name}"' for column in stored)
    values = ", ".join(_value(table, column, known=column.name in there) for column in stored)
    lacking = [one.name for one in stored if _is_needed(one) and one.name not in there]
    if lacking and tx.select(f'SELECT 1 FROM "{OLD}{table}" LIMIT 1'):
        raise Damaged(f"its table {table} has lost the column {lacking[0]}, with all that it held")
    tx.script(f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{OLD}{table}";')
    for column in stored:
        wrong = f"""typeof("{column.name}") NOT IN ('integer', 'null')"""
        if column.counts and tx.select(f'SELECT 1 FROM "{table}" WHERE {wrong} LIMIT 1'):
            raise Damaged(f"{table}.{column.name} holds what is no whole number")
    if "AUTOINCREMENT" in thing.sql:
        _keep_counting(tx, table)


def _is_needed(column: Column) -> bool:
    """Whether its value cannot be made up: a text that must be there, or a key."""
    return bool(column.key or (column.needed and not column.counts))


def _value(table: str, column: Column, *, known: bool) -> str:
    """Where a column's values come from."""
    name = f'"{column.name}"' if known else "NULL"
    if not column.needed or not column.counts or column.key:
        return name
    return f"COALESCE({name}, {FILLED.get((table, column.name), '0')})"


def _keep_counting(tx: SqliteTx, table: str) -> None:
    """A number that was given once is not given again."""
    counted = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    old, new = tx.select(counted, f"{OLD}{table}"), tx.select(counted, table)
    if old and (not new or int(new[0][0]) < int(old[0][0])):
        tx.script(f"DELETE FROM sqlite_sequence WHERE name = '{table}';")
        tx.script(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {int(old[0][0])});")
