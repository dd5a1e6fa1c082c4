"""What the loops need of a board, and how they write to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, cast

from shopfloor.domain.settings import Settings
from shopfloor.ops.context import Endpoint, Files
from shopfloor.store.db import Database, Tx
from shopfloor.store.owner import Request

T = TypeVar("T")


class DispatchFiles(Files, Protocol):
    """The board's files, with the folders that starting a worker needs."""

    def run_folder(self, run_id: int) -> Path: ...
    def log_path(self, task_id: int) -> Path: ...
    def workspaces(self) -> Path: ...


class DispatchBoard(Protocol):
    """A board that is open in this process."""

    @property
    def slug(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def database(self) -> Database: ...
    @property
    def files(self) -> DispatchFiles: ...
    @property
    def home_path(self) -> str: ...
    @property
    def socket_path(self) -> str: ...
    @property
    def base_environment(self) -> Mapping[str, str]: ...
    @property
    def shared(self) -> bool: ...
    def settings(self) -> Settings: ...
    def host_cap(self) -> int | None: ...
    def claiming(self) -> AbstractContextManager[object]: ...
    def lease_ms(self) -> int: ...
    def default_workdir(self) -> str | None: ...
    def mcp(self) -> Endpoint | None: ...
    def environment_digest(self, env: Mapping[str, str]) -> str: ...


def write_all(database: Database, works: Sequence[Callable[[Tx], T]]) -> list[T | BaseException]:
    """Do several writes, each with an end of its own; one commit for all where the database can."""
    submit = getattr(database, "submit_together", None)
    if submit is None or len(works) < 2:  # noqa: PLR2004 - one needs nobody beside it
        return [_alone(database, work) for work in works]
    gathered = _Gathered(len(works))
    submit(tuple(Request(work, partial(gathered.put, n)) for n, work in enumerate(works)))
    return cast("list[T | BaseException]", gathered.get())


class _Gathered:
    """Where a thread waits for several answers; it is woken once, by the last of them."""

    __slots__ = ("_answers", "_arrived", "_guard", "_left")

    def __init__(self, count: int) -> None:
        self._answers: list[object] = [None] * count
        self._left = count
        # On PostgreSQL the answers come from several threads.
        self._guard = threading.Lock()
        self._arrived = threading.Lock()
        self._arrived.acquire()

    def put(self, place: int, answer: object) -> None:
        self._answers[place] = answer
        with self._guard:
            self._left -= 1
            last = self._left == 0
        if last:
            self._arrived.release()

    def get(self) -> list[object]:
        with self._arrived:
            return self._answers


def _alone(database: Database, work: Callable[[Tx], T]) -> T | BaseException:
    try:
        return database.write(work)
    except Exception as failed:  # noqa: BLE001 - handed to the caller as an answer, as a group's are
        return failed
