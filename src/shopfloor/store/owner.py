"""Who writes a board: the one thread of the process that has it open.

Four programs that write one SQLite file starve each other, because each waits by trying again.  So one
process at a time has a board open (`lock.py` says which), and in it one thread writes: requests that
arrive together share one transaction, each in a savepoint of its own, and nobody is answered before
the commit is on the disk.  That is also the fastest way: the price of a commit is paid once for all.
The thread is the owner's own, or that of a loop which the owner summons and which has other things to
do as well; a board that kept the loop waiting goes on in a thread of its own.

On PostgreSQL, where writers do not wait for each other, a few threads take one request each.

Work may be run more than once (another attempt after a deadlock, or alone after its group failed), so
it has no effect but through its Tx.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, Literal, NamedTuple, Protocol, TypeVar, cast

from shopfloor.domain.errors import BoardError, Unavailable
from shopfloor.store.db import Database, Tx

T = TypeVar("T")

GROUP_MAX: Final = 64
QUEUE_MAX: Final = 10_000
WORKERS_POSTGRES: Final = 4


class GroupDatabase(Database, Protocol):
    """A database that can commit several requests at once."""

    def write_together(
        self, works: Sequence[Callable[[Tx], object]]
    ) -> tuple[list[object], bool]: ...


class Request(NamedTuple):
    """Work that was accepted, and whom to tell its result or the exception that ended it."""

    work: Callable[[Tx], object]
    done: Callable[[object], None]


class Answer:
    """Where a thread waits for the end of its request."""

    __slots__ = ("_arrived", "_value")

    def __init__(self) -> None:
        self._value: object = None
        self._arrived = threading.Lock()
        self._arrived.acquire()

    def put(self, value: object) -> None:
        self._value = value
        self._arrived.release()

    def get(self) -> object:
        """The result, when it has come; what ended the request is raised."""
        with self._arrived:
            if isinstance(self._value, BaseException):
                raise self._value
            return self._value


class Owner:
    """The one who writes a board, for all threads of a daemon."""

    def __init__(
        self,
        database: GroupDatabase,
        *,
        on_commit: Callable[[], None] | None = None,
        group_max: int = GROUP_MAX,
        summon: Callable[[], None] | None = None,
    ) -> None:
        """Start to serve.

        `on_commit` is called once per commit that changed something, before its requests are answered.
        It and the answers run in the writing thread and must not wait for anything.

        With `summon` there is no thread here at first: it is called, from any thread, when a request
        waits, and one thread, always the same, is expected to call `serve_waiting`.
        """
        self.database = database
        self._on_commit = on_commit
        alone = database.dialect == "sqlite"
        assert alone or summon is None, (
            "On PostgreSQL requests wait for the network, not in a loop."
        )
        self._group_max = group_max if alone else 1
        # Requests that were handed in together stay together.
        self._requests: SimpleQueue[tuple[Request, ...] | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._summon = summon
        self._ended = threading.Event()
        self._writers: set[int] = set()
        self._threads: list[threading.Thread] = []
        if summon is None:
            self._start(1 if alone else WORKERS_POSTGRES)

    @property
    def dialect(self) -> Literal["sqlite", "postgres"]:
        return self.database.dialect

    def submit(self, work: Callable[[Tx], object], done: Callable[[object], None]) -> None:
        """Accept work; `done` gets its result, or the exception that ended it, after the commit."""
        self.submit_together((Request(work, done),))

    def submit_together(self, requests: tuple[Request, ...]) -> None:
        """Accept several pieces of work for one commit, where the database can; each has its own end."""
        with self._gate:
            if self._closed:
                raise _closing()
            if self._requests.qsize() >= QUEUE_MAX:
                raise Unavailable(f"{QUEUE_MAX} requests wait for this board; send this one later.")
            if self._group_max > 1:
                self._requests.put(requests)
            else:
                for request in requests:
                    self._requests.put((request,))
        if self._summon is not None:
            self._summon()

    def write(self, work: Callable[[Tx], T]) -> T:
        assert threading.get_ident() not in self._writers, "The writer cannot wait for itself."
        answer = Answer()
        self.submit(work, answer.put)
        return cast("T", answer.get())

    def read(self, work: Callable[[Tx], T]) -> T:
        """Read in the caller's own thread; every commit that was answered before is seen."""
        return self.database.read(work)

    @property
    def summons(self) -> bool:
        """Whether the requests are carried out by the thread that is summoned."""
        return self._summon is not None

    @property
    def waiting(self) -> bool:
        """Whether a request waits for the thread that was summoned."""
        return not self._requests.empty()

    def serve_waiting(self) -> None:
        """Carry out and answer the requests that wait, as many as share a commit."""
        self._writers.add(threading.get_ident())
        group = self._next_group(wait=False)
        if group:
            self._carry_out(group)

    def stand_alone(self) -> None:
        """Go on with a thread here, and summon nobody any more; only for the thread that was summoned."""
        with self._gate:
            if not self._closed:
                self._summon = None
                self._writers.clear()
                self._start(1)

    def give_up(self) -> None:
        """Answer everyone that the board is being closed: nobody comes any more when summoned."""
        with self._gate:
            self._closed = True
        while not self._requests.empty():
            _turn_away(self._requests.get() or ())
        self._ended.set()

    def close(self) -> None:
        """Finish what was accepted, accept nothing more, and close the database."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for _ in range(max(len(self._threads), 1)):
                    self._requests.put(None)
        if self._summon is not None:
            self._summon()
            self._ended.wait()
        for thread in self._threads:
            thread.join()
        self.database.close()

    def _start(self, threads: int) -> None:
        self._threads = [
            threading.Thread(target=self._serve, name=f"board-writer-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        self._writers.add(threading.get_ident())
        try:
            while group := self._next_group(wait=True):
                self._carry_out(group)
        finally:
            self._leave()

    def _next_group(self, *, wait: bool) -> list[Request]:
        """The requests that wait now; none when the end has come, or when nobody waits for any."""
        group: list[Request] = []
        with suppress(Empty):
            while len(group) < self._group_max:
                requests = self._requests.get(block=wait and not group)
                if requests is None:
                    self._reach_end(group)
                    break
                group += requests
        return group

    def _reach_end(self, group: list[Request]) -> None:
        """The mark of the end was taken: put it back if requests were taken with it."""
        if group:
            self._requests.put(None)
        else:
            self._ended.set()

    def _carry_out(self, group: list[Request]) -> None:
        try:
            answers, changed = self.database.write_together([request.work for request in group])
        except BaseException as failure:  # noqa: BLE001 — it is raised again where it was asked for
            if len(group) > 1 and not isinstance(failure, Unavailable):
                # One of them brought the transaction down; alone, each gets its own answer.
                for request in group:
                    self._carry_out([request])
                return
            answers, changed = [_own(failure) for _ in group], False
        if changed and self._on_commit is not None:
            _call(self._on_commit)
        for request, answer in zip(group, answers, strict=True):
            _call(partial(request.done, answer))

    def _leave(self) -> None:
        """After the end nobody is left waiting, also if this thread ends by a mistake of its own."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._requests.put(None)
                while (requests := self._requests.get()) is not None:
                    _turn_away(requests)


def _turn_away(requests: tuple[Request, ...]) -> None:
    for request in requests:
        _call(partial(request.done, _closing()))


def _closing() -> Unavailable:
    return Unavailable("The board is being closed; send this again when it is served again.")


def _own(failure: BaseException) -> BaseException:
    """A copy for one of several who are told of the same failure in threads of their own."""
    if not isinstance(failure, BoardError):
        return failure
    copy = type(failure)(failure.message, detail=dict(failure.detail))
    copy.__cause__ = failure
    return copy


def _call(told: Callable[[], None]) -> None:
    """Call somebody back; a mistake there is reported and must not silence the neighbours."""
    try:
        told()
    except Exception as mistake:  # noqa: BLE001 — see above
        arguments = (type(mistake), mistake, mistake.__traceback__, threading.current_thread())
        threading.excepthook(threading.ExceptHookArgs(arguments))
