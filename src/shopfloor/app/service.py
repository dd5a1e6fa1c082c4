"""One board as the operations see it: its ledger, its files, its settings, its dispatcher."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from shopfloor.app.boards import BoardFolder, HomeBoards
from shopfloor.config import Home, environment, host_name, host_zone, safe_concurrency
from shopfloor.config.reading import load_settings
from shopfloor.domain import limits
from shopfloor.domain.diagnostics import Circumstances
from shopfloor.domain.errors import BadConfiguration, Damaged, Invalid, Unavailable
from shopfloor.domain.settings import Settings
from shopfloor.ops.context import (
    Access,
    BoardInfo,
    Change,
    Dispatching,
    Endpoint,
    Planning,
    Profiles,
    Signing,
)
from shopfloor.store import health
from shopfloor.store.db import Database, Tx
from shopfloor.store.migrate import open_sqlite
from shopfloor.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from shopfloor.app.files import BoardFiles
    from shopfloor.app.keys import HomeKeys
    from shopfloor.app.slots import HostSlots
    from shopfloor.domain.report import DispatchReport
    from shopfloor.kernel.why import Surroundings
    from shopfloor.store.postgres import PostgresDatabase

T = TypeVar("T")
SETTINGS_GOOD_S = 0.25
# Agent programs that were installed meanwhile are found within so long.
PROGRAMS_GOOD_S = 30.0
SILENCE_SQLITE_MS = 3 * limits.LEASE_SQLITE_MS
SILENCE_POSTGRES_MS = 2 * limits.LEASE_POSTGRES_MS


def clock() -> int:
    """Milliseconds since the epoch, by this host's clock."""
    return time.time_ns() // 1_000_000


def steady() -> int:
    """Milliseconds by a clock that nobody sets; where there is one, it counts also while the host sleeps."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class BoardService:
    """A board that is open in this process."""

    def __init__(
        self, home: Home, folder: BoardFolder, database: Database, boards: HomeBoards
    ) -> None:
        self.home = home
        self.folder = folder
        self.slug = folder.slug
        self.database = database
        self.boards = boards
        self.dispatching: Dispatching = NoDispatcher(self)
        self.host = host_name()
        self.overrides: dict[str, Any] = {}
        self.host_slots: HostSlots | None = None
        self.tools: Callable[[str], Endpoint | None] | None = None
        # How others get the board while something outside of it is waited for.
        self.away: Callable[[], AbstractContextManager[None]] = nullcontext
        self._files: BoardFiles | None = None
        self._keys: HomeKeys | None = None
        self._settings: Settings | None = None
        self._settings_stamp: tuple[float, ...] = ()
        self._settings_good_until = 0.0
        self._opened = clock(), steady()

    @property
    def files(self) -> BoardFiles:
        """The board's files on this host."""
        if self._files is None:
            from shopfloor.app.files import BoardFiles  # noqa: PLC0415 - most requests touch none

            self._files = BoardFiles(self.folder.path)
        return self._files

    @property
    def keys(self) -> HomeKeys:
        """The keys of the home."""
        if self._keys is None:
            from shopfloor.app.keys import HomeKeys  # noqa: PLC0415 - most requests need none

            self._keys = HomeKeys(self.home)
        return self._keys

    def environment_digest(self, env: Mapping[str, str]) -> str:
        """What a receipt tells of a worker's variables beside their names."""
        return self.keys.environment_digest(env)

    def signer(self) -> Signing | None:
        """Who signs this home's receipts; None where nobody made a key."""
        return self.keys.signer() if self.home.signing_key.exists() else None

    def make_signer(self) -> tuple[str, str]:
        """Make the key that signs receipts; answers with its public half and the file that has it."""
        return self.keys.make_signer()

    def secrets(self, settings: Settings) -> tuple[str, ...]:
        """The values that no receipt may hold, the longest first."""
        return self.keys.secrets(settings, environment())

    @property
    def shared(self) -> bool:
        """Whether other hosts may have this board too."""
        return self.folder.url is not None

    def hook_host(self) -> str:
        """Whose hooks they are: on a board of one host nobody's, so that it may get another name."""
        return self.host if self.shared else ""

    def settings(self) -> Settings:
        """The settings as the configuration file has them, looked at again a few times a second."""
        now = time.monotonic()
        if self._settings is not None and now < self._settings_good_until:
            return self._settings
        stamp = (now // PROGRAMS_GOOD_S, *self.home.config_stamp())
        if self._settings is None or stamp != self._settings_stamp:
            self._settings, self._settings_stamp = self._load(), stamp
        self._settings_good_until = now + SETTINGS_GOOD_S
        return self._settings

    def reread(self) -> Settings:
        """The settings as the file has them this moment."""
        self._settings_good_until = 0.0
        self._settings_stamp = ()
        return self.settings()

    def _load(self) -> Settings:
        """The settings of the file; while it cannot be used, those that were in force, with a warning."""
        try:
            found = load_settings(self.home, self.slug)
        except BadConfiguration as wrong:
            if self._settings is None:
                raise
            warning = f"{wrong.message}; the settings before are still in force"
            return self._settings._replace(warnings=(warning,))
        return found._replace(dispatch=found.dispatch._replace(**self.overrides))

    def board(self) -> BoardInfo:
        return self.boards.get(self.slug)

    def zone(self) -> str:
        """The time zone of schedules that name none: this host's."""
        return host_zone()

    def backup(self, target: str) -> int:
        """Copy the database into a new file; answers its size."""
        place = Path(target)
        if not place.is_absolute():
            raise Invalid(f"{target!r} is not a whole path; write it like $PWD/{place.name}")
        if place.exists():
            raise Invalid(f"{target} is there already; name a new file")
        # An owner writes for it, or it is itself the database.
        database = getattr(self.database, "database", self.database)
        if not isinstance(database, SqliteDatabase):
            raise Invalid("this board is on PostgreSQL; use pg_dump for its backup")
        database.backup(place)
        return place.stat().st_size

    def diff(self, workspace: str, *, stat: bool) -> Change:
        """What was changed in a worktree since its branch began."""
        from shopfloor.process.diff import worktree_change  # noqa: PLC0415 - brings git and its processes

        return Change(*worktree_change(workspace, self.base_environment, stat=stat))

    def default_workdir(self) -> str | None:
        return self.board().default_workdir

    @property
    def home_path(self) -> str:
        return str(self.home.root)

    @property
    def socket_path(self) -> str:
        return str(self.home.socket)

    @cached_property
    def base_environment(self) -> Mapping[str, str]:
        """What workers may take their surroundings from."""
        # As a dictionary: the system's own decodes each name anew for each start.
        return dict(environment())

    def planner(self) -> Planning:
        """The model that the settings name, for one request."""
        from shopfloor.planner.client import Asker  # noqa: PLC0415 - few requests ask a model

        return Asker(self.settings().planner, environment())

    def profiles(self) -> Profiles:
        """The profiles as this host's configuration has them."""
        from shopfloor.app.profiles import HomeProfiles  # noqa: PLC0415 - few requests change or try one

        return HomeProfiles(self.home, environment())

    def access(self) -> Access:
        """Who may come in over the network."""
        from shopfloor.app.access import HomeAccess  # noqa: PLC0415 - few requests are about tokens

        return HomeAccess(self.home)

    def host_cap(self) -> int | None:
        """How many workers of this board this host runs at most, beside those of others; None is no cap."""
        given = self.settings().dispatch.host_cap
        if given is None and self.settings().dispatch.cap is None:
            given = safe_concurrency()
        if not given:
            return None
        beside = 0 if self.host_slots is None else self.host_slots.used_beside(self.slug)
        return max(given - beside, 0)

    def claiming(self) -> AbstractContextManager[object]:
        """The turn to claim: boards of one host take their slots one after the other."""
        return nullcontext() if self.host_slots is None else self.host_slots.turn

    def lease_ms(self) -> int:
        """How long a lease of this board lasts."""
        given = self.settings().dispatch.lease_ms
        usual = limits.LEASE_POSTGRES_MS if self.shared else limits.LEASE_SQLITE_MS
        return usual if given is None else given

    def mcp(self) -> Endpoint | None:
        """Where this board's workers find their tools, started if need be; None where nothing serves them.

        Only a running `shop up` does, and it says why if it cannot.
        """
        return None if self.tools is None else self.tools(self.slug)

    def site(self) -> str:
        """Where people open the boards' pages, without a slash at its end; empty where they cannot."""
        from shopfloor.app.web_address import kept  # noqa: PLC0415 - few requests name a page

        found = kept(self.home)
        told = self.settings().web.public_url or (found.url if found is not None else "")
        return told.rstrip("/")

    def surroundings(self, tx: Tx) -> Surroundings:
        """What of this host and its neighbours decides why a task is not moving."""
        from shopfloor.kernel.why import Surroundings, living_dispatchers  # noqa: PLC0415 - the verbs

        silence = SILENCE_POSTGRES_MS if self.shared else SILENCE_SQLITE_MS
        living = living_dispatchers(tx, silence)
        if not self.shared:
            living = (self.host,) if self.dispatching.running() else ()
        return Surroundings(self.host, self.host_cap(), living)

    def circumstances(self) -> Circumstances:
        """What of this host itself may be wrong: its disk, and its clock since the board was opened."""
        found = os.statvfs(self.home.root)
        passed = clock() - self._opened[0], steady() - self._opened[1]
        return Circumstances(
            str(self.home.root), found.f_bavail * found.f_frsize, passed[0] - passed[1]
        )

    def close(self) -> None:
        self.database.close()


class NoLedger:
    """Stands where no ledger is opened, for what needs none; to use it is a mistake of ours."""

    dialect: Literal["sqlite"] = "sqlite"

    def write(self, work: Callable[[Tx], T]) -> T:
        raise AssertionError(f"{work} writes a ledger that was not opened")

    def read(self, work: Callable[[Tx], T]) -> T:
        raise AssertionError(f"{work} reads a ledger that was not opened")

    def close(self) -> None:
        """Nothing is open."""


class NoDispatcher:
    """Stands where no dispatcher runs in this process: a pass is made on the spot."""

    def __init__(self, service: BoardService) -> None:
        self._service = service

    def run_pass(self, *, dry_run: bool, most: int | None) -> DispatchReport:
        from shopfloor.daemon.schedules import fire_all  # noqa: PLC0415 - few requests make a pass
        from shopfloor.daemon.single import look, single_pass  # noqa: PLC0415 - brings the loops
        from shopfloor.ops.receipt_book import Bookkeeper  # noqa: PLC0415 - brings hashing
        from shopfloor.ops.schedule_tasks import maker  # noqa: PLC0415 - few requests make a pass

        if dry_run:
            return look(self._service, most=most)
        self.deliver()
        if not self._service.shared:
            fire_all(self._service.database, maker(self._service))
        report = single_pass(self._service, most=most)
        Bookkeeper(self._service).bring_up()
        return report

    def deliver(self) -> None:
        """Send the messages that are due, for nobody else does it."""
        from shopfloor.daemon.deliveries import drain  # noqa: PLC0415 - brings the senders

        drain(self._service, host=self._service.host, base=self._service.base_environment)

    def wait_for_change(self, seen: int, timeout_s: float) -> int:  # noqa: ARG002 - one door, one port
        """Nobody else can change a board whose lock is held here, so there is nothing to wait for."""
        return seen

    def running(self) -> bool:
        return False

    def lost(self) -> list[int]:
        """The open runs of this host whose processes are not alive, and left no word of their end."""
        from shopfloor.daemon.single import lost  # noqa: PLC0415 - brings the loops

        return lost(self._service)


def without_ledger(home: Home, boards: HomeBoards, named: str | None) -> BoardService:
    """A board's service for what asks of the home alone: its description and its ledger may be broken."""
    return BoardService(home, boards.outline(named), NoLedger(), boards)


def open_database(
    folder: BoardFolder, *, connections: int = 1, create: bool = False, noted: str = ""
) -> SqliteDatabase | PostgresDatabase:
    """The board's ledger, opened and brought to this program's schema.

    Where the last writer was killed, the file is looked through first; raises Damaged if it is not well.
    `noted` is what the holder of the board's lock before has noted about the log that it left.
    """
    if folder.url is None:
        return open_file(folder, create=create, noted=noted)
    try:
        from shopfloor.store.postgres import open_postgres  # noqa: PLC0415 - psycopg is heavy
    except ImportError:
        raise Unavailable(
            "this board is on PostgreSQL, and psycopg is not installed; install shopfloor[postgres]"
        ) from None
    return open_postgres(folder.url, folder.schema, create=create, connections=connections)


def open_file(
    folder: BoardFolder, *, create: bool = False, brief: bool = False, noted: str = ""
) -> SqliteDatabase:
    """The ledger of a board that is a file; see `open_database` and `open_sqlite`."""
    killed = health.stopped_uncleanly(folder.database, noted)
    database = open_sqlite(folder.database, create=create, clock=clock, brief=brief)
    findings = health.quick_check(database) if killed else []
    if findings:
        database.close()
        raise Damaged(f"{folder.database} is damaged: {findings[0]}; restore a backup of it")
    return database
