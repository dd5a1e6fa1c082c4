"""A real board for a test: real migrations, real operations, real files, and a clock that the test turns.

`open_board` gives a `BoardHandle` on an SQLite file or on a PostgreSQL schema.  It asks through the same
door as every surface (`ops.call.call`), and a refusal comes back as the exception that it was.  The
clock stands still until a test moves it; on PostgreSQL, whose own clock decides otherwise, it takes the
place of the server's answer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import psycopg
from typing_extensions import override

from shopfloor.app.boards import BoardFolder, HomeBoards
from shopfloor.app.service import BoardService, NoDispatcher
from shopfloor.config import Home
from shopfloor.domain.caller import BOARD
from shopfloor.domain.diagnostics import Circumstances
from shopfloor.domain.errors import from_dict
from shopfloor.domain.model import Run, Task
from shopfloor.domain.outcomes import Exit, Report
from shopfloor.domain.settings import Settings
from shopfloor.kernel import claim as claiming
from shopfloor.kernel.fsck import Finding, fsck
from shopfloor.kernel.settle import Ended, Settled, settle, settle_check
from shopfloor.ops.call import Envelope, call
from shopfloor.ops.registry import find
from shopfloor.store import events, runs, tasks
from shopfloor.store.db import Database, Probe, Tx
from shopfloor.store.migrate import open_sqlite
from shopfloor.store.postgres import PostgresDatabase, PostgresTx
from shopfloor.store.postgres_link import Link

T = TypeVar("T")
Dialect = Literal["sqlite", "postgres"]

START_MS = 1_800_000_000_000
SLUG = "floor"
SCHEMA = f"shopfloor_{SLUG}"
HOST = "here"
LEASE_MS = 60_000
TABLES = (
    "task",
    "run",
    "event",
    "link",
    "comment",
    "attachment",
    "hold",
    "request",
    "host",
    "meta",
    "question",
    "spend",
    "report",
    "budget",
    "quota",
    "seen",
    "planning",
    "subscription",
    "interest",
    "delivery",
    "runtime",
    "receipt",
    "hook",
    "firing",
    "schedule",
)


class FakeClock:
    """Milliseconds since the epoch; it stands still until it is moved."""

    def __init__(self, now: int = START_MS) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> int:
        """Let time pass."""
        self.now += ms
        return self.now


class ClockedPostgres(PostgresDatabase):
    """A board's schema whose transactions have the test's time instead of the server's."""

    def __init__(
        self, url: str, schema: str, clock: FakeClock, *, probe: Probe | None, connections: int
    ) -> None:
        super().__init__(url, schema, probe=probe, connections=connections)
        self._clock = clock

    @override
    def _begin(self, link: Link, text: str) -> PostgresTx:
        tx = super()._begin(link, text)
        tx.now = self._clock()
        return tx


class OpenService(BoardService):
    """The board as the operations see it, with settings that a test gives instead of a file."""

    def __init__(
        self, home: Home, folder: BoardFolder, database: Database, boards: HomeBoards
    ) -> None:
        super().__init__(home, folder, database, boards)
        self.given = Settings()
        self.here: Circumstances | None = None
        self.dispatching = Standing(self)

    @override
    def settings(self) -> Settings:
        return self.given

    @override
    def circumstances(self) -> Circumstances:
        return self.here or super().circumstances()


class Standing(NoDispatcher):
    """Where no dispatcher runs, or where one is said to run elsewhere in the process."""

    is_there = False

    @override
    def running(self) -> bool:
        return self.is_there


class BoardHandle:
    """One open board, and short words for what tests do to it."""

    def __init__(self, service: OpenService, clock: FakeClock, address: Path | str) -> None:
        self.service = service
        self.clock = clock
        self.address = address
        self.database: Database = service.database
        self.dialect: Dialect = service.database.dialect
        self.folder: Path = service.folder.path
        self._beside: psycopg.Connection[tuple[Any, ...]] | None = None

    # What a surface does: ask operations.

    def ask(
        self, op: str, *, request_id: str | None = None, actor: str | None = "ann", **args: Any
    ) -> Any:
        """Ask as a person; the typed result, or the refusal as an exception."""
        return self.send(Envelope(op, _raw(args), None, request_id, actor))

    def ask_as(
        self, run: int, token: str, op: str, *, request_id: str | None = None, **args: Any
    ) -> Any:
        """Ask as the worker of a run."""
        return self.send(Envelope(op, _raw(args), None, request_id, None, run, token))

    def send(self, envelope: Envelope) -> Any:
        """Send a request as it travels, and read the answer."""
        answer = self.answer(envelope)
        body = msgspec.json.decode(answer)
        if "error" in body:
            raise from_dict(body)
        if b'"ids"' in bytes(envelope.args) and isinstance(body["result"], list):
            return body["result"]
        return msgspec.convert(body["result"], find(envelope.op).result)

    def answer(self, envelope: Envelope) -> bytes:
        """The answer's bytes."""
        return call(self.service, envelope)

    def create(self, title: str = "a task", **args: Any) -> int:
        """Create a task; its number."""
        return int(self.ask("task.create", title=title, **args).task.id)

    def claim(self, task_id: int | None = None) -> Any:
        """Pull a task as a worker of one's own; answers with `run` and `token`."""
        if task_id is None:
            return self.ask("run.claim")
        return self.ask("run.claim", id=task_id)

    # What a dispatcher does: claim, identify, settle.

    def write(self, work: Callable[[Tx], T]) -> T:
        return self.database.write(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        return self.database.read(work)

    def plan(
        self, *, host_cap: int | None = None, most: int = 200, host: str = HOST
    ) -> claiming.Plan:
        """What a pass would start and what it would leave."""
        settings = self.service.given
        return self.read(
            lambda tx: claiming.plan(tx, settings, host=host, host_cap=host_cap, most=most)
        )

    def take(
        self, *, host_cap: int | None = None, most: int = 200, host: str = HOST
    ) -> list[claiming.Claimed]:
        """Claim what may start, as one pass of a dispatcher does."""
        settings = self.service.given

        def work(tx: Tx) -> list[claiming.Claimed]:
            planned = claiming.plan(
                tx, settings, host=host, host_cap=host_cap, most=most, lock=True
            )
            return claiming.take(
                tx,
                BOARD,
                planned,
                host=host,
                lease_ms=LEASE_MS,
                new_token=claiming.new_token,
                settings=settings,
                spread=lambda: 0.5,
            )

        return self.write(work)

    def start(
        self, *, host_cap: int | None = None, most: int = 200, host: str = HOST
    ) -> list[claiming.Claimed]:
        """Claim what may start, and write down who supervises each."""
        claimed = self.take(host_cap=host_cap, most=most, host=host)
        for one in claimed:
            assert self.identify(one.run_id, one.token)
        return claimed

    def identify(self, run_id: int, token: str) -> bool:
        """Write down the supervisor of a run; false: it must not start."""
        return self.write(
            lambda tx: runs.identify(
                tx,
                run_id=run_id,
                token=token,
                boot_id="boot",
                pid=100 + run_id,
                pid_start=run_id,
                workspace=str(self.folder / "workspaces" / str(run_id)),
            )
        )

    def settle(
        self, run_id: int, seen: Exit, *, record: str | None = None, report: Report | None = None
    ) -> Settled:
        """Settle a run by what its supervisor saw, and by what an agent's runner left."""
        settings = self.service.given
        ended = Ended(seen, record, None, report)
        return self.write(lambda tx: settle(tx, settings, run_id, ended))

    def settle_check(self, run_id: int, seen: Exit, *, note: str | None = None) -> Settled:
        """Settle a run by what became of its task's check."""
        settings = self.service.given
        return self.write(lambda tx: settle_check(tx, settings, run_id, Ended(seen, None, note)))

    # What a test looks at.

    def task(self, task_id: int) -> Task:
        found = self.read(lambda tx: tasks.get(tx, task_id))
        assert found is not None, f"#{task_id} is not there"
        return found

    def status(self, task_id: int) -> str:
        return self.task(task_id).status

    def run(self, run_id: int) -> Run:
        found = self.read(lambda tx: runs.get(tx, run_id))
        assert found is not None, f"run {run_id} is not there"
        return found

    def runs(self, task_id: int) -> list[Run]:
        """The task's attempts, oldest first."""
        return self.read(lambda tx: runs.of_task(tx, task_id, 1_000))[::-1]

    def kinds(self, task_id: int) -> list[str]:
        """The kinds of the task's events, in the order in which they came."""
        found = self.read(lambda tx: events.of_task(tx, task_id, after=0, limit=1_000))
        return [event.kind for event in found]

    def data(self, task_id: int, kind: str) -> dict[str, Any]:
        """What the task's last event of a kind carries."""
        found = self.read(lambda tx: events.of_task(tx, task_id, after=0, limit=1_000))
        told: dict[str, Any] = json.loads([e for e in found if e.kind == kind][-1].data)
        return told

    def why(self, task_id: int) -> str:
        """The code of the reason why a task does not move."""
        return str(self.ask("task.why", id=task_id).code)

    def findings(self) -> list[Finding]:
        """What `fsck` finds."""
        return self.read(fsck)

    def dump(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of the tables (all tables without any), to compare a before with an after."""
        names = tables or TABLES
        with self.connection() as execute:
            return {name: sorted(execute(f"SELECT * FROM {name}"), key=repr) for name in names}

    def execute(self, statement: str) -> None:
        """Do to the rows what no operation would: age them, or break them."""
        with self.connection() as execute:
            execute(statement)

    @contextmanager
    def connection(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
        """A connection beside the board's own."""
        if isinstance(self.address, Path):
            beside = sqlite3.connect(self.address, isolation_level=None)
            try:
                yield lambda text: beside.execute(text).fetchall()
            finally:
                beside.close()
            return
        # One for all looks: a server starts a process for each connection, which then knows no table.
        if self._beside is None or self._beside.closed:
            options = f"-c search_path={SCHEMA}"
            self._beside = psycopg.connect(self.address, autocommit=True, options=options)
        other = self._beside

        def execute(text: str) -> list[tuple[Any, ...]]:
            cursor = other.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

        yield execute

    @property
    def now(self) -> int:
        return self.clock.now

    @now.setter
    def now(self, ms: int) -> None:
        self.clock.now = ms

    @property
    def settings(self) -> Settings:
        return self.service.given

    @settings.setter
    def settings(self, given: Settings) -> None:
        self.service.given = given

    @property
    def dispatcher_is_there(self) -> bool:
        return self.service.dispatching.running()

    @dispatcher_is_there.setter
    def dispatcher_is_there(self, value: bool) -> None:
        assert isinstance(self.service.dispatching, Standing)
        self.service.dispatching.is_there = value

    def close(self) -> None:
        if self._beside is not None:
            self._beside.close()
        self.database.close()


def _raw(args: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(args, ensure_ascii=False).encode(errors="surrogatepass"))


def open_board(
    tmp_path: Path,
    dialect: Dialect = "sqlite",
    url: str | None = None,
    *,
    clock: FakeClock | None = None,
    settings: Settings | None = None,
    probe: Probe | None = None,
    connections: int = 4,
) -> BoardHandle:
    """Open the board below `tmp_path`, made where it is not there; a PostgreSQL database has its schema."""
    clock = clock or FakeClock()
    home = Home(tmp_path)
    boards = HomeBoards(home, prepare=lambda _f: None, release=lambda _f: None)
    if not (home.boards / SLUG / "board.json").exists():
        boards.create(SLUG, name=None, database=url, default_workdir=None)
    folder = boards.folder(SLUG)
    database: Database
    if dialect == "sqlite":
        database = open_sqlite(folder.database, create=True, clock=clock, probe=probe)
    else:
        assert url is not None, "a board on PostgreSQL needs the address of a database"
        database = ClockedPostgres(url, folder.schema, clock, probe=probe, connections=connections)
    service = OpenService(home, folder, database, boards)
    if settings is not None:
        service.given = settings
    return BoardHandle(service, clock, folder.database if url is None else url)
