"""Every table of a board as rows with names, for who takes the whole ledger out.

Each table is named here once, in one of four groups; a test compares the groups with the database, so that
a new table is either exported or left out for a reason that is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from shopfloor.store.db import Tx

# What belongs to tasks: the rows of some tasks at a time.
OF_TASKS: Final = (
    "task",
    "run",
    "runtime",
    "budget",
    "link",
    "comment",
    "attachment",
    "question",
    "planning",
    "spend",
    "report",
    "seen",
)
# What has numbers that only grow.
NUMBERED: Final = {"event": "id", "receipt": "seq", "delivery": "id"}
# What is short enough to be taken as a whole.
WHOLE: Final = (
    "host",
    "hold",
    "quota",
    "hook",
    "schedule",
    "firing",
    "subscription",
    "interest",
    "receipt_head",
)
LEFT_OUT: Final = {
    "meta": "the program's own notes about this database",
    "schema_step": "which schema the database has; an export has its own version",
    "task_edge": "the lifecycle's table, which the program has too",
    "request": "the answers of the last day's requests, which may hold what was shown only once",
}
# What nobody else may know.
SECRET: Final = {"run": {"token"}}
TASKS_AT_ONCE: Final = 200
ROWS_AT_ONCE: Final = 500


class Exported(NamedTuple):
    """One row: its table, and its values by the names of the columns."""

    table: str
    row: dict[str, Any]


class Exporter:
    """Reads rows in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._columns: dict[str, list[str]] = {}

    def everything(self) -> Iterator[Exported]:
        """All rows, a bounded number of them at a time."""
        for table in WHOLE:
            yield from self.whole(table)
        after = 0
        while ids := self._task_ids(after):
            yield from self.of_tasks(ids)
            after = ids[-1]
        for table in NUMBERED:
            yield from self.numbered(table, 0, 2**62)

    def of_tasks(self, task_ids: Sequence[int]) -> Iterator[Exported]:
        """Everything that belongs to some tasks."""
        for table in OF_TASKS:
            rows = self._tx.all(f"export_{table}", task_ids=list(task_ids))
            yield from self._named(table, rows)

    def numbered(self, table: str, after: int, most: int) -> Iterator[Exported]:
        """The rows of a table that come after a number, at most so many."""
        column = NUMBERED[table]
        while most > 0:
            limit = min(most, ROWS_AT_ONCE)
            found = list(
                self._named(table, self._tx.all(f"export_{table}", after=after, limit=limit))
            )
            yield from found
            if len(found) < limit:
                return
            after = found[-1].row[column]
            most -= limit

    def whole(self, table: str) -> Iterator[Exported]:
        """All rows of a short table."""
        yield from self._named(table, self._tx.all(f"export_{table}"))

    def deliveries(self, numbers: Sequence[int]) -> Iterator[Exported]:
        """Messages, with those that went with them."""
        for at in range(0, len(numbers), ROWS_AT_ONCE):
            some = list(numbers[at : at + ROWS_AT_ONCE])
            yield from self._named("delivery", self._tx.all("export_delivery_of", ids=some))

    def open_deliveries(self, upto: int) -> list[int]:
        """The numbers of those up to a number that are on their way, in rising order."""
        return sorted(row[0] for row in self._tx.all("export_delivery_open", upto=upto))

    def ended_deliveries(self, since: int, upto: int) -> list[int]:
        """The numbers of those up to a number that have ended since a time."""
        return [row[0] for row in self._tx.all("export_delivery_ended", since=since, upto=upto)]

    def last_delivery(self) -> int:
        """The number of the last message."""
        row = self._tx.one("export_delivery_last")
        assert row is not None
        return int(row[0])

    def _task_ids(self, after: int) -> list[int]:
        rows = self._tx.all("export_task_ids", after=after, limit=TASKS_AT_ONCE)
        return [row[0] for row in rows]

    def _named(self, table: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Exported]:
        columns = self._columns.get(table)
        if columns is None:
            columns = [row[0] for row in self._tx.all("export_columns", name=table)]
            self._columns[table] = columns
        secret = SECRET.get(table, set())
        for row in rows:
            told = zip(columns, row, strict=True)
            yield Exported(table, {name: value for name, value in told if name not in secret})
