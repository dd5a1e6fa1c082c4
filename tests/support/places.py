"""Fixtures that give a test its board, on SQLite and on PostgreSQL.

`place` says where a board is kept and opens it as often as a test wants; `board` is one that is open.
On PostgreSQL the tests of one process share a database, which is wiped after each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shopfloor.store.postgres import open_postgres
from tests.support.board import SCHEMA, TABLES, BoardHandle, Dialect, FakeClock, open_board
from tests.support.postgres import Server

NUMBERED = {
    "task": "id",
    "run": "id",
    "event": "id",
    "comment": "id",
    "attachment": "id",
    "request": "seq",
    "question": "id",
    "planning": "id",
    "schedule": "id",
}
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgres")


class Place:
    """Where one board is kept.  Closes what was opened in it."""

    def __init__(self, dialect: Dialect, path: Path, url: str | None) -> None:
        self.dialect: Dialect = dialect
        self.path = path
        self.url = url
        self.clock = FakeClock()
        self._opened: list[BoardHandle] = []

    def open(self, **more: Any) -> BoardHandle:
        """The board, with a connection of its own and the clock of all of them."""
        more.setdefault("clock", self.clock)
        board = open_board(self.path, self.dialect, self.url, **more)
        self._opened.append(board)
        return board

    def close(self) -> None:
        for board in self._opened:
            board.close()


@pytest.fixture(scope="session")
def board_database(postgres_server: Server) -> Iterator[str]:
    """The address of a database with a board, for the tests of this process one after the other."""
    name = postgres_server.create_database()
    url = postgres_server.url(name)
    open_postgres(url, SCHEMA, create=True, connections=1).close()
    yield url
    postgres_server.drop_database(name)


@pytest.fixture
def board_url(board_database: str) -> Iterator[str]:
    """The same, with a board that nobody has used: a database for each test would take ten times as long."""
    yield board_database
    wipe(board_database)


def wipe(url: str) -> None:
    """Make a board as it was on its first day, whatever a test has left in it or still has open."""
    with psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA}") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        connection.execute(
            "".join(f"DELETE FROM {table};" for table in TABLES).encode(), prepare=False
        )
        connection.execute(
            "UPDATE receipt_head SET seq = 0, hash = repeat('0', 64), floor = 0", prepare=False
        )
        for table, column in NUMBERED.items():
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), 1, false)".encode()
            )


@pytest.fixture(params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = request.getfixturevalue("board_url") if request.param == "postgres" else None
    there = Place(request.param, tmp_path, url)
    yield there
    there.close()


@pytest.fixture
def board(place: Place) -> BoardHandle:
    return place.open()
