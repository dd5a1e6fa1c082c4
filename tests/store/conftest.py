"""Where the store's tests get their databases: the same test on an SQLite file and on PostgreSQL.

`place` is where a board is kept and opens it as often as a test wants; `db` is a fresh board in it.
`notes_place` and `notes` are the same for the engine's own tests, with a schema of two small tables
(`engine_steps`) and statements that try the engine out (`engine_sql`).
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shopfloor.store import migrate
from shopfloor.store.postgres import open_postgres
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.statements import FOLDER, Statements

HERE = Path(__file__).parent
DIALECTS = ["sqlite", "postgres"]


def clock() -> int:
    return time.time_ns() // 1_000_000


class Place:
    """Where one board is kept.  Closes what was opened in it."""

    def __init__(self, dialect: str, where: Any, folders: tuple[Path, Path] | None) -> None:
        self.dialect = dialect
        self.where = where
        self._folders = folders
        self._opened: list[Any] = []

    def open(self, *, create: bool = False, **more: Any) -> Any:
        """The board; `create` makes it."""
        if self._folders is not None:
            more.setdefault("known", migrate.steps(self._folders[1]))
            more.setdefault("statements", Statements(self.dialect, self._folders[0]))
        if self.dialect == "sqlite":
            more.setdefault("clock", clock)
            database = migrate.open_sqlite(self.where, create=create, **more)
        else:
            database = open_postgres(self.where, "board", create=create, **more)
        self._opened.append(database)
        return database

    def close(self) -> None:
        for database in self._opened:
            database.close()


def notes_folder(folder: Path) -> Path:
    """The engine's own statements and those of its tests, in one folder."""
    folder.mkdir(exist_ok=True)
    shutil.copy(FOLDER / "engine.sql", folder)
    shutil.copy(HERE / "engine_sql" / "notes.sql", folder)
    return folder


def place_in(request: Any, tmp_path: Path, folders: tuple[Path, Path] | None) -> Place:
    if request.param == "sqlite":
        return Place("sqlite", tmp_path / "board.db", folders)
    return Place("postgres", request.getfixturevalue("postgres_url"), folders)


@pytest.fixture(params=DIALECTS)
def place(request, tmp_path) -> Iterator[Place]:
    there = place_in(request, tmp_path, None)
    yield there
    there.close()


@pytest.fixture
def db(place):
    return place.open(create=True)


@pytest.fixture(params=DIALECTS)
def notes_place(request, tmp_path) -> Iterator[Place]:
    folders = (notes_folder(tmp_path / "sql"), HERE / "engine_steps")
    there = place_in(request, tmp_path, folders)
    yield there
    there.close()


@pytest.fixture
def notes(notes_place):
    return notes_place.open(create=True)


@pytest.fixture
def notes_file(tmp_path) -> Iterator[Callable[..., SqliteDatabase]]:
    """Opens the small board in `board.db`, for what only a file can do."""
    folders = (notes_folder(tmp_path / "sql"), HERE / "engine_steps")
    there = Place("sqlite", tmp_path / "board.db", folders)
    there.open(create=True).close()
    yield there.open
    there.close()


@pytest.fixture
def notes_server(tmp_path) -> Iterator[Callable[..., Any]]:
    """Opens the small board at the address of a server, for what only a server can do."""
    databases = []
    sql = notes_folder(tmp_path / "sql")

    def open_it(url: str, schema: str = "board", *, create: bool = False, **more: Any) -> Any:
        more.setdefault("known", migrate.steps(HERE / "engine_steps"))
        statements = Statements("postgres", sql)
        databases.append(open_postgres(url, schema, create=create, statements=statements, **more))
        return databases[-1]

    yield open_it
    for database in databases:
        database.close()
