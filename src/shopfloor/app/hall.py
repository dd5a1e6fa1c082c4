"""All boards of a home, open in one process: what `shop up` serves.

Each board has its lock and its dispatcher.  One desk writes all boards that are files and answers
their visitors; one helper process starts the workers of all of them.  A board that is made later is
served from then on; one that cannot be opened is said and tried again, and the others go on.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shopfloor import __version__
from shopfloor.app.boards import BoardFolder, HomeBoards
from shopfloor.app.errands import errands_of
from shopfloor.app.mcp import ToolServer
from shopfloor.app.own_door import prepare_board, refuse_if_held, release_board
from shopfloor.app.service import BoardService, clock, open_database, without_ledger
from shopfloor.app.slots import HostSlots, Member
from shopfloor.app.web import WebServer
from shopfloor.config import Home
from shopfloor.daemon.desk import Desk
from shopfloor.daemon.dispatcher import Dispatcher
from shopfloor.daemon.errands import Errands
from shopfloor.daemon.lane import Lane
from shopfloor.daemon.loop import DispatchLoop
from shopfloor.daemon.planning import AutoPlanner
from shopfloor.domain.errors import BoardError
from shopfloor.domain.limits import REQUEST_KEPT_MS, UNFINISHED_MS
from shopfloor.domain.report import DispatchReport
from shopfloor.kernel import sweep
from shopfloor.ops.context import Service
from shopfloor.process import identity
from shopfloor.process.launch import Launcher, LaunchError, Pending
from shopfloor.process.spec import WorkerSpec
from shopfloor.store import hosts
from shopfloor.store.db import Database, Tx
from shopfloor.store.lock import BoardLock
from shopfloor.store.owner import Owner
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.wake import Wake

if TYPE_CHECKING:
    from shopfloor.store.postgres import PostgresDatabase

CONNECTIONS = 4
PRUNE_EVERY_S = 600.0


class SharedLauncher:
    """One launcher for the dispatchers of all boards; they take turns."""

    def __init__(self) -> None:
        self._launcher = Launcher()
        self._turn = threading.Lock()

    def start_many(self, specs: Sequence[WorkerSpec]) -> list[Pending | LaunchError]:
        with self._turn:
            self._launcher.notices()
            return self._launcher.start_many(specs)

    def warm(self) -> None:
        with self._turn:
            self._launcher.warm()

    def close(self) -> None:
        with self._turn:
            self._launcher.close()


class Closing(Protocol):
    """What listens to another host's commits until it is closed."""

    def close(self) -> None: ...


class Served(NamedTuple):
    """One board that is open here."""

    service: BoardService
    owner: Owner
    lock: BoardLock
    lane: Lane
    loop: DispatchLoop
    dispatcher: Dispatcher
    planner: AutoPlanner
    errands: Errands
    listener: Closing | None


class DaemonDispatching:
    """The dispatcher of a served board, as the operations reach it."""

    def __init__(self, service: BoardService, wake: Wake) -> None:
        self._service = service
        self._wake = wake
        self.loop: DispatchLoop | None = None

    def run_pass(self, *, dry_run: bool, most: int | None) -> DispatchReport:
        from shopfloor.daemon.single import look  # noqa: PLC0415 - seldom asked for

        if dry_run or self.loop is None:
            return look(self._service, most=most)
        return self.loop.pass_now(most)

    def deliver(self) -> None:
        """Nothing to do: the board's errand sends what is due as soon as it is."""

    def wait_for_change(self, seen: int, timeout_s: float) -> int:
        return self._wake.wait(seen, timeout_s)

    def change_count(self) -> int:
        return self._wake.count

    def running(self) -> bool:
        return self.loop is not None

    def lost(self) -> list[int]:
        """None: a dispatcher that runs has settled such a run as soon as its supervisor ended."""
        return []


class Hall:
    """The boards of a home, served."""

    def __init__(
        self,
        home: Home,
        *,
        say: Callable[[str], None],
        verbose: bool = False,
        interval_s: float | None = None,
        overrides: dict[str, Any] | None = None,
    ) -> None:
        self.desk = Desk()
        self._home = home
        self._say = say
        self._verbose = verbose
        self._interval_s = interval_s
        self._overrides = overrides or {}
        self._launcher = SharedLauncher()
        self._tools = ToolServer(home, say=say)
        self._web = WebServer(home, say=say)
        self._served: dict[str, Served] = {}
        self._guard = threading.RLock()
        self._troubles: dict[str, str] = {}
        self._pruned_at = time.monotonic()
        self._slots = HostSlots()
        self._waiting_to_start: list[Served] | None = None
        self.boards = HomeBoards(
            home, prepare=prepare_board, release=self._release, made=self._serve_made
        )

    def warm(self) -> None:
        """Start the helper before the first worker needs it."""
        self._launcher.warm()

    def open_tools(self) -> None:
        """Open the address where workers that outlived the last `shop up` look for their tools."""
        self._tools.resume()

    def open_web(self) -> None:
        """Open the address of the dashboard and the API."""
        self._web.open()

    def known(self, named: str | None) -> Service | None:
        """The board that a request names, or the usual one, if it is open; waits for nothing."""
        served = self._served.get(named or self.boards.usual())
        return None if served is None else served.service

    def find(self, named: str | None) -> Service:
        """The same, opened where it was not; raises NotFound."""
        slug = named or self.boards.usual()
        served = self._served.get(slug)
        if served is not None:
            return served.service
        return self._serve(self.boards.resolve(slug)).service

    def closed(self, named: str | None) -> Service:
        """A board that is not opened for what needs no ledger: whatever is wrong with it."""
        return without_ledger(self._home, self.boards, named)

    def look_after(self) -> None:
        """Serve boards that were made or came back meanwhile; forget old requests now and then."""
        self._web.look_after()
        with self._guard:
            # All are open before any starts to claim: workers that outlived `shop up` count for every board.
            self._waiting_to_start = []
            for slug in self.boards.slugs():
                if slug not in self._served:
                    self._try(slug, partial(self.find, slug))
            starting, self._waiting_to_start = self._waiting_to_start, None
            for served in starting:
                _start(served)
                _drop_unfinished(served)
        if time.monotonic() - self._pruned_at > PRUNE_EVERY_S:
            self._pruned_at = time.monotonic()
            for slug, served in list(self._served.items()):
                self._try(slug, partial(_forget_requests, served.service.database))
                _drop_unfinished(served)

    def slugs(self) -> list[str]:
        return sorted(self._served)

    def close(self) -> int:
        """Stop claiming, settle what has ended, leave the workers; answers how many go on."""
        left = 0
        self._web.close()
        with self._guard:
            for slug in list(self._served):
                left += self._leave(self._served.pop(slug))
            self._launcher.close()
            self._tools.close(workers_left=left)
            self.desk.close()
        return left

    def _serve_made(self, folder: BoardFolder) -> None:
        self._try(folder.slug, lambda: self._serve(folder))

    def _try(self, slug: str, work: Callable[[], object]) -> None:
        """Do something for one board now; its trouble is said, and the others go on."""
        try:
            work()
        except BoardError as failed:
            self._trouble(slug, failed.message)

    def _serve(self, folder: BoardFolder) -> Served:
        with self._guard:
            known = self._served.get(folder.slug)
            if known is not None:
                return known
            lock = BoardLock(folder.lock)
            lock.acquire()
            try:
                served = self._open(folder, lock)
            except BaseException:
                lock.release()
                raise
            self._served[folder.slug] = served
            self._troubles.pop(folder.slug, None)
            if self._waiting_to_start is None:
                _start(served)
            else:
                self._waiting_to_start.append(served)
            return served

    def _open(self, folder: BoardFolder, lock: BoardLock) -> Served:
        wake = Wake()
        database = open_database(folder, connections=CONNECTIONS, noted=lock.noted)
        owner = self._owner(database, wake)
        service = BoardService(self._home, folder, owner, self.boards)
        service.overrides = self._overrides
        service.tools = self._tools.endpoint
        dispatching = DaemonDispatching(service, wake)
        service.dispatching = dispatching
        try:
            owner.write(lambda tx: _arrive(tx, service))
            listener = None if isinstance(database, SqliteDatabase) else database.listen(wake.ring)
        except BaseException:
            owner.close()
            self.desk.let_go(owner)
            raise
        lane = Lane(wake.ring)
        dispatcher = Dispatcher(service, self._launcher, lane)
        slug = folder.slug
        service.host_slots = self._slots
        self._slots.join(slug, Member(dispatcher.used, wake.ring))
        planner = AutoPlanner(service, wake.ring)

        def say(report: DispatchReport) -> None:
            self._report(slug, report)
            planner.after_pass()

        loop = DispatchLoop(dispatcher, wake, say=say, interval_s=self._interval_s)
        dispatching.loop = loop
        tell = partial(self._tell, slug)
        errands = Errands(errands_of(service, wake.ring, tell), wake, say=tell)
        return Served(service, owner, lock, lane, loop, dispatcher, planner, errands, listener)

    def _owner(self, database: SqliteDatabase | PostgresDatabase, wake: Wake) -> Owner:
        """Who writes a board: the desk writes a file, and a server's board has threads of its own."""
        if not isinstance(database, SqliteDatabase):
            return Owner(database, on_commit=wake.ring)
        owner = Owner(database, on_commit=wake.ring, summon=self.desk.summon)
        self.desk.take_on(owner)
        return owner

    def _leave(self, served: Served) -> int:
        served.loop.stop()
        served.errands.stop()
        self._slots.leave(served.service.slug)
        served.planner.close()
        served.dispatcher.preparing.containers.finish(cut_off=True)
        served.lane.close()
        served.dispatcher.start_prepared()
        served.dispatcher.preparing.containers.close()
        left = len(served.dispatcher.live)
        served.service.database.write(lambda tx: hosts.leave(tx, served.service.host))
        if served.listener is not None:
            served.listener.close()
        served.dispatcher.live.close()
        served.owner.close()
        self.desk.let_go(served.owner)
        served.lock.release()
        return left

    def _release(self, folder: BoardFolder) -> None:
        with self._guard:
            served = self._served.get(folder.slug)
            if served is None:
                release_board(folder)
                return
            refuse_if_held(folder, served.service.database)
            self._leave(self._served.pop(folder.slug))

    def _report(self, slug: str, report: DispatchReport) -> None:
        self._slots.after_pass(slug, report)
        troubles = [f"{one.step}: {one.sentence}" for one in report.troubles]
        words = "; ".join([*report.warnings, *troubles])
        if words:
            self._trouble(slug, words)
        elif self._troubles.pop(slug, None) is not None:
            self._tell(slug, "goes on")
        if not self._verbose:
            return
        for end in report.settled:
            gave_up = ", gave up" if end.gave_up else ""
            self._tell(slug, f"#{end.task} run {end.run} {end.outcome}{gave_up}")
        for one in report.started:
            self._tell(slug, f"#{one.task} run {one.run} started as {one.profile or 'command'}")

    def _tell(self, slug: str, words: str) -> None:
        self._say(f"{slug}: {words}")

    def _trouble(self, slug: str, words: str) -> None:
        """Say what is wrong once, and again only when it changes."""
        if self._troubles.get(slug) != words:
            self._troubles[slug] = words
            self._tell(slug, words)


def _start(served: Served) -> None:
    served.loop.start()
    served.errands.start()


def _drop_unfinished(served: Served) -> None:
    """Clear what was left half written by who was killed over it; a folder that cannot be read is left."""
    with contextlib.suppress(OSError):
        served.service.files.drop_unfinished(clock() - UNFINISHED_MS)


def _forget_requests(database: Database) -> None:
    """Forget the answers of requests that are older than a day, a batch at a time."""
    while database.write(lambda tx: sweep.prune_requests(tx, tx.now - REQUEST_KEPT_MS)):
        continue


def _arrive(tx: Tx, service: BoardService) -> None:
    me = identity.mine()
    hosts.arrive(
        tx,
        name=service.host,
        boot_id=me.boot_id,
        pid=me.pid,
        pid_start=me.started,
        version=__version__,
        labels=json.dumps(list(service.settings().labels)),
    )
