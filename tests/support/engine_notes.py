"""The engine's own tests: their statements on notes and traces, and work that goes on beside them."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

# What goes on in a test's own database: the server is shared with other tests.
HERE_ONLY = "FROM pg_stat_activity WHERE datname = current_database()"
CONNECTED = f"SELECT 1 {HERE_ONLY} AND application_name = 'shopfloor'"
WAITING = f"SELECT 1 {HERE_ONLY} AND wait_event_type = 'Lock'"
BUSY = f"SELECT 1 {HERE_ONLY} AND state <> 'idle' AND pid <> pg_backend_pid()"
# Some of these fill a page of a database.
LONG = "x" * 3000


def add(tx: Any, word: str = "a word", size: int = 1) -> int:
    """Write a note; its id."""
    return int(tx.one("note_add", word=word, size=size)[0])


def add_long(tx: Any, word: str) -> int:
    """Write a note that takes most of a page; its id."""
    return add(tx, f"{word} {LONG}")


def count(database: Any) -> int:
    """How many notes there are."""
    return int(database.read(lambda tx: tx.one("note_count"))[0])


def trace(what: str) -> Callable[[Any], None]:
    """Work that leaves a trace with its commit."""
    return lambda tx: tx.defer("trace_add", note_id=None, what=what)


def traces(database: Any) -> list[str]:
    """The traces, in their order."""
    return [what for _, what in database.read(lambda tx: tx.all("trace_all"))]


def running(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """The work in a thread of its own; its result is in the list when the thread has ended."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def admin(url: str, *statements: Any) -> list[Any]:
    """Carry statements out beside the board's own connections; the rows of the last one."""
    found: list[Any] = []
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            found = cursor.fetchall() if cursor.description else []
    return found
