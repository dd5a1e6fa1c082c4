"""Fixtures that give a test its board, on SQLite and on PostgreSQL.

`place` says where a board is kept and opens it as often as a test wants; `board` is one that is open.
The schema's steps are taken once for all tests of a process: on SQLite each gets a copy of that board, on
PostgreSQL they share a database, which is wiped after each.  None of these boards has to outlive a power
cut, so they are kept in memory, where no other program's writing to the disk can hold a test up.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
WIPE = "".join(
    (
        *(f"DELETE FROM {table};" for table in TABLES),
        "UPDATE receipt_head SET seq = 0, hash = repeat('0', 64), floor = 0;",
        *(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), 1, false);"
            for table, column in NUMBERED.items()
        ),
    )
)
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgres")


class Place:
    """Where one board is kept: a copy of these files, or a database.  Closes what was opened in it."""

    def __init__(self, dialect: Dialect, path: Path, url: str | None, files: Path) -> None:
        if url is None:
            shutil.copytree(files, path, dirs_exist_ok=True)
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


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder in memory where the machine has a place for that, else on the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def new_files(factory: pytest.TempPathFactory) -> Path:
    """A home with a board in a file that nobody has used, to be copied: making one takes far longer."""
    home = factory.getbasetemp() / "a-new-board"
    if not home.exists():
        open_board(home).close()
    return home


class SharedBoard:
    """A board in a PostgreSQL database, for the tests of this process one after the other."""

    def __init__(self, url: str) -> None:
        open_postgres(url, SCHEMA, create=True, connections=1).close()
        self.url = url
        # Kept, because the server starts a process for each connection, which then knows no table.
        self._link = psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA}")

    def wipe(self) -> None:
        """Make it as it was on its first day, whatever a test has left in it or still has open."""
        self._link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        self._link.execute(WIPE.encode(), prepare=False)

    def close(self) -> None:
        self._link.close()


@pytest.fixture(scope="session")
def board_database(postgres_server: Server) -> Iterator[SharedBoard]:
    """One database for the tests of this process: one for each test would take ten times as long."""
    name = postgres_server.create_database()
    made = SharedBoard(postgres_server.url(name))
    yield made
    made.close()
    postgres_server.drop_database(name)


@pytest.fixture
def board_url(board_database: SharedBoard) -> Iterator[str]:
    """The address of a database with a board that nobody has used."""
    yield board_database.url
    board_database.wipe()


@pytest.fixture(params=DIALECTS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    url = request.getfixturevalue("board_url") if request.param == "postgres" else None
    with in_memory() as folder:
        there = Place(request.param, folder, url, new_files(tmp_path_factory))
        yield there
        there.close()


@pytest.fixture
def board(place: Place) -> BoardHandle:
    return place.open()
