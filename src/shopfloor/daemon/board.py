"""What the loops need of a board, and how they write to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from shopfloor.domain.settings import Settings
from shopfloor.ops.context import Files
from shopfloor.store.db import Database, Tx

T = TypeVar("T")


class DispatchFiles(Files, Protocol):
    """The board's files, with the folders that starting a worker needs."""

    def run_folder(self, run_id: int) -> Path: ...
    def log_path(self, task_id: int) -> Path: ...
    def workspaces(self) -> Path: ...


class DispatchBoard(Protocol):
    """A board that is open in this process."""

    slug: str
    host: str
    database: Database

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
    def lease_ms(self) -> int: ...
    def default_workdir(self) -> str | None: ...


class Submits(Protocol):
    """A database with a writing thread, which commits together what it is given together."""

    def submit(self, work: Callable[[Tx], object], done: Callable[[object], None]) -> None: ...


def write_all(database: Database, works: Sequence[Callable[[Tx], T]]) -> list[T | BaseException]:
    """Do several writes, each with an end of its own; one commit for all where the database can."""
    submit = getattr(database, "submit", None)
    if submit is None or len(works) == 1:
        return [_alone(database, work) for work in works]
    answers: list[T | BaseException | None] = [None] * len(works)
    left = threading.Semaphore(0)

    def keeper(place: int) -> Callable[[object], None]:
        def keep(answer: object) -> None:
            answers[place] = answer  # type: ignore[call-overload]
            left.release()

        return keep

    for place, work in enumerate(works):
        submit(work, keeper(place))
    for _ in works:
        left.acquire()
    return answers  # type: ignore[return-value]


def _alone(database: Database, work: Callable[[Tx], T]) -> T | BaseException:
    try:
        return database.write(work)
    except Exception as failed:  # noqa: BLE001 - handed to the caller as an answer, as a group's are
        return failed
