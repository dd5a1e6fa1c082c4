"""Statements with numbered parameters: the form in which SQLite binds them fastest.

A named parameter is looked up by its name at every execution, which costs more than many a statement
itself.  So a statement is written out once with numbers, and what a call gives by name is put into their
order.  The names stay what is checked: they are exactly the statement's own, or it is refused.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Final, TypeAlias

from shopfloor.store.db import Row, encode_lists
from shopfloor.store.statements import Statement, Statements, own_statements

# No text in quotes has anything of this form: the loader refuses it.
NAMED: Final = re.compile(r":([a-z_][a-z0-9_]*)", re.IGNORECASE)
RETURNING: Final = "RETURNING id"
Pick: TypeAlias = Callable[[Mapping[str, object]], Row]

# For each None that is bound the driver looks for an adapter, and without one it raises and drops two errors on the
# way; half of what is bound here is None.
sqlite3.register_adapter(type(None), lambda none: none)


class Numbered:
    """One statement, and how the values that it is given by name come into its order."""

    __slots__ = ("_count", "_insert", "_pick", "_statement", "name", "sql")

    def __init__(self, statement: Statement) -> None:
        names = list(dict.fromkeys(NAMED.findall(statement.sql)))
        assert statement.params == set(names), statement.name
        self.name = statement.name
        self.sql = NAMED.sub(lambda found: f"?{names.index(found[1]) + 1}", statement.sql)
        self._statement = statement
        self._count = len(names)
        self._pick = _picking(names)
        self._insert = self.sql.removesuffix(RETURNING).rstrip()

    @property
    def insert(self) -> str:
        """An INSERT without its RETURNING id: the connection knows the number of its last row.

        SQLite makes a table of its own for what is returned, and drops it again.
        """
        assert self._insert != self.sql, f"{self.name} is no INSERT … {RETURNING}"
        return self._insert

    def values(self, params: dict[str, object]) -> Row:
        """The values in the order of the numbers; lists among them become JSON."""
        try:
            values = self._pick(params)
        except KeyError:
            raise self._statement.mismatch(params) from None
        if len(params) != self._count:
            raise self._statement.mismatch(params)
        if self._statement.lists:
            encode_lists(self._statement, params)
            return self._pick(params)
        return values

    def values_of(self, row: Mapping[str, object]) -> Row:
        """The values of a row that the statement names, in the order of the numbers."""
        try:
            return self._pick(row)
        except KeyError:
            raise self._statement.mismatch(dict(row)) from None


class NumberedStatements(dict[str, Numbered]):
    """The statements of one database, written out when they are first used."""

    def __init__(self, statements: Statements) -> None:
        super().__init__()
        self._statements = statements

    def __missing__(self, name: str) -> Numbered:
        found = self[name] = Numbered(self._statements[name])
        return found


@cache
def own_numbered() -> NumberedStatements:
    """The program's own, which a process writes out once however often it opens a board."""
    return NumberedStatements(own_statements("sqlite"))


def _picking(names: list[str]) -> Pick:
    """A function that takes the values of these names out of a mapping."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda params: tuple([params[name] for name in names])
