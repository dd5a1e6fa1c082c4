"""Whether a board in PostgreSQL has the columns, indexes, constraints and triggers that its steps make.

They are named and compared by name, with a list that the program brings along: `migrations/postgres.txt`, which a
test compares with what the steps make.  What each constraint says is not compared, because every version of the
server says it in its own words.  Nothing is rebuilt: other hosts have the board open, and whoever may change a schema
on a server knows how to change it back.  Tables and views of others in the same schema are none of our business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from shopfloor.store.db import Tx

# Kind, table and name of a part, with what is to be said of it: a column's type, or what is wrong with the others.
Parts: TypeAlias = dict[tuple[str, str, str], str]


def listed(tx: Tx) -> str:
    """What the board's tables are made of, a line each, as the program brings it along."""
    return "".join(
        f"{kind} {table}.{name} {told}".rstrip() + "\n"
        for (kind, table, name), told in _found(tx).items()
    )


def strange(tx: Tx, meant: str) -> list[str]:
    """What is missing, and what is there that should not be, one sentence each."""
    return list(_compared(_found(tx), _read(meant)))


def _found(tx: Tx) -> Parts:
    return {(kind, table, name): told for kind, table, name, told in tx.all("schema_parts")}


def _read(lines: str) -> Parts:
    parts: Parts = {}
    for line in lines.splitlines():
        kind, place, told = f"{line} ".split(" ", 2)
        table, _, name = place.partition(".")
        parts[kind, table, name] = told.rstrip()
    return parts


def _compared(found: Parts, meant: Parts) -> Iterator[str]:
    there = {table for _, table, _ in found}
    tables = {table for _, table, _ in meant}
    for gone in sorted(tables - there):
        kind = "view" if ("view", gone, gone) in meant else "table"
        yield f"the {kind} {gone} is missing"
    for part, told in meant.items():
        kind, table, name = part
        if table in there and found.get(part) != told:
            yield _differs(kind, table, name, is_said=found.get(part), meant=told)
    for kind, table, name in found:
        if table in tables and (kind, table, name) not in meant:
            article = "an" if kind == "index" else "a"
            yield f"{table} has {article} {kind} {name} that is not of this schema"


def _differs(kind: str, table: str, name: str, *, is_said: str | None, meant: str) -> str:
    """What is wrong with one part: that it is missing, or is not as it should be."""
    if kind == "column":
        if is_said is None:
            return f"{table} has no column {name}"
        return f"{table}.{name} is {is_said}, and {meant} belongs there"
    if is_said is None:
        return f"the {kind} {name} of {table} is missing"
    return f"the {kind} {name} of {table} is {is_said}"
