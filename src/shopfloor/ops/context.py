"""What an operation is given: its transaction, who asks, the settings, and the ports to the outside.

A port is a protocol that the composition root fills: files on this host, the boards of the home, the
dispatcher.  An operation that uses one is of the kind `around`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, TypeVar

from shopfloor.domain.access import Entry, Key, LoginLink, Role
from shopfloor.domain.caller import Caller
from shopfloor.domain.diagnostics import Circumstances
from shopfloor.domain.errors import GuardFailed
from shopfloor.domain.planning import Idea, Judged, Specified, Split, Turn
from shopfloor.domain.settings import Profile, Settings
from shopfloor.store import runs
from shopfloor.store.db import Database, Tx

if TYPE_CHECKING:
    # It brings the verbs, and what only reads does without them.
    from shopfloor.kernel.why import Surroundings

T = TypeVar("T")


class Stored(NamedTuple):
    """A file that was taken in: the name that it got, its size and its hash."""

    name: str
    size: int
    sha256: str


class Tail(NamedTuple):
    """The end of a log."""

    text: str
    truncated: bool
    exists: bool
    size: int
    path: str


class Piece(NamedTuple):
    """A piece of a log; `next` is the cursor behind it, `lost` says that what came before it is gone."""

    data: bytes
    next: str
    lost: bool


class Change(NamedTuple):
    """What was changed in a git worktree since a commit."""

    base: str
    text: str
    truncated: bool


class ReceiptLines(Protocol):
    """Receipts as files of lines on this host."""

    @property
    def folder(self) -> Path: ...
    @property
    def lines_per_file(self) -> int: ...
    def last(self) -> int: ...
    def appended(self) -> int: ...
    def append(self, first: int, lines: Sequence[str]) -> None: ...
    def missing(self, upto: int) -> list[int]: ...
    def replace(self, first: int, lines: Sequence[str]) -> None: ...
    def lines(self, first: int) -> list[str]: ...
    def firsts(self) -> list[int]: ...
    def set_aside(self) -> str: ...


class Signing(Protocol):
    """Who signs receipts: the hash of one becomes a public key and a signature."""

    @property
    def public(self) -> str: ...
    def sign(self, digest: str) -> tuple[str, str]: ...


class Files(Protocol):
    """The board's files on this host."""

    @property
    def receipts(self) -> ReceiptLines: ...
    def begin_export(self, fill: Callable[[Callable[[Iterable[str]], None]], None]) -> str: ...
    def read_export(self, name: str, offset: int, size: int) -> tuple[bytes, bool]: ...
    def store(self, task_id: int, name: str, data: bytes, taken: Collection[str]) -> Stored: ...
    def store_from(
        self, task_id: int, url: str, name: str | None, taken: Collection[str]
    ) -> Stored: ...
    def fetch(self, task_id: int, name: str) -> bytes: ...
    def path(self, task_id: int, name: str) -> str: ...
    def remove(self, task_id: int, name: str) -> None: ...
    def collect(
        self, task_id: int, workspace: str, names: list[str], taken: Collection[str]
    ) -> list[Stored]: ...
    def log_written(self, task_id: int) -> int | None: ...
    def log_tail(self, task_id: int, limit_bytes: int) -> Tail: ...
    def log_from(self, task_id: int, cursor: str | None, limit_bytes: int) -> Piece: ...
    def forget_task(self, task_id: int) -> None: ...
    def has_scratch(self, task_id: int) -> bool: ...
    def drop_scratch(self, task_id: int) -> str | None: ...
    def drop_logs(self, before_ms: int) -> int: ...
    def drop_unfinished(self, before_ms: int) -> int: ...
    def context(self, run_id: int) -> str | None: ...


class BoardInfo(NamedTuple):
    """One board of the home; `broken` says why its description cannot be read."""

    slug: str
    name: str
    database: str
    default_workdir: str | None
    created_at: int | None
    archived: bool
    current: bool
    broken: str | None = None


class Boards(Protocol):
    """The boards of the home."""

    def create(
        self, slug: str, *, name: str | None, database: str | None, default_workdir: str | None
    ) -> BoardInfo: ...
    def everyone(self, *, archived: bool) -> list[BoardInfo]: ...
    def get(self, slug: str) -> BoardInfo: ...
    def switch(self, slug: str) -> BoardInfo: ...
    def rename(self, slug: str, name: str) -> BoardInfo: ...
    def set_workdir(self, slug: str, path: str | None) -> BoardInfo: ...
    def remove(self, slug: str, *, delete: bool) -> str: ...


class Dispatching(Protocol):
    """The dispatcher of this host, where one runs; otherwise one pass is made on the spot."""

    def run_pass(self, *, dry_run: bool, most: int | None) -> Any: ...
    def wait_for_change(self, seen: int, timeout_s: float) -> int: ...
    def running(self) -> bool: ...
    def lost(self) -> list[int]: ...
    def deliver(self) -> None: ...


class Endpoint(TypedDict):
    """Where the tools of a board's workers are: an address, and a program that speaks for it."""

    url: str
    stdio: list[str]


class Used(Protocol):
    """What questions to a model have cost."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...


class Planning(Protocol):
    """The model that specifies, splits and judges; one for each request."""

    @property
    def configured(self) -> bool: ...
    @property
    def used(self) -> Used: ...
    def missing(self) -> GuardFailed: ...
    def specify(self, idea: Idea) -> Specified: ...
    def split(self, idea: Idea) -> Split: ...
    def judge(self, turn: Turn) -> Judged: ...


class Looked(NamedTuple):
    """What was looked at of a profile, whether it is well, and what is so or what to do."""

    what: str
    well: bool
    sentence: str


class Profiles(Protocol):
    """The profiles of this host's configuration; `file` is where that is written."""

    @property
    def file(self) -> str: ...
    def add(self, name: str, table: dict[str, Any]) -> None: ...
    def describe(self, name: str, words: str) -> None: ...
    def check(self, profile: Profile) -> list[Looked]: ...


class Access(Protocol):
    """Who may come in over the network, kept with the home."""

    def tokens(self) -> list[Key]: ...
    def create(
        self, name: str, role: Role, *, expires_at: int | None, creator: str
    ) -> tuple[Key, str]: ...
    def revoke(self, name: str, *, actor: str) -> Key: ...
    def link(self, name: str) -> LoginLink: ...
    def audit(self, *, after: int | None, limit: int) -> list[Entry]: ...


class Service(Protocol):
    """One board as the operations see it."""

    @property
    def slug(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def database(self) -> Database: ...
    @property
    def files(self) -> Files: ...
    @property
    def boards(self) -> Boards: ...
    @property
    def dispatching(self) -> Dispatching: ...
    def planner(self) -> Planning: ...
    def profiles(self) -> Profiles: ...
    def settings(self) -> Settings: ...
    def reread(self) -> Settings: ...
    def surroundings(self, tx: Tx) -> Surroundings: ...
    def circumstances(self) -> Circumstances: ...
    def board(self) -> BoardInfo: ...
    def zone(self) -> str: ...
    def backup(self, target: str) -> int: ...
    def diff(self, workspace: str, *, stat: bool) -> Change: ...
    def mcp(self) -> Endpoint | None: ...
    def access(self) -> Access: ...
    def site(self) -> str: ...
    def secrets(self, settings: Settings) -> tuple[str, ...]: ...
    def hook_host(self) -> str: ...
    def signer(self) -> Signing | None: ...
    def make_signer(self) -> tuple[str, str]: ...
    def away(self) -> AbstractContextManager[None]: ...


class Detour(Exception):
    """The direct way of an `around` operation ends here: it has something to do outside."""


class Context(NamedTuple):
    """What an operation of the kinds `read` and `write` gets."""

    tx: Tx
    caller: Caller
    settings: Settings
    service: Service


class Around(NamedTuple):
    """What an operation of the kind `around` gets: no transaction, and the means to open them.

    `commit` runs the work in one write transaction together with the record of the request, so that
    the same request sent again has no second effect; an operation calls it once.  `seen` is what the
    same request was answered before, if it was: for who would pay for the work a second time.
    """

    caller: Caller
    settings: Settings
    service: Service
    commit: Callable[[Callable[[Tx], Any]], Any]
    seen: Callable[[], Any]

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run the work on a snapshot."""
        return self.service.database.read(work)

    def drop_scratch(self, task_id: int) -> None:
        """Remove the scratch folder of a task that is over; while a process of it lives it stays.

        Then the dispatcher removes it when the last one has gone.
        """
        if self.read(lambda tx: runs.live_of_task(tx, task_id)) is None:
            self.service.files.drop_scratch(task_id)

    def commit_with(
        self, task_id: int, kept: list[Stored], work: Callable[[Tx, list[Stored]], T]
    ) -> T:
        """Commit what names files that were stored for it; they are removed again if it names none.

        That is so when it is refused, and when the same request was carried out before.
        """
        named = False

        def noted(tx: Tx) -> T:
            nonlocal named
            named = False
            done = work(tx, kept)
            named = True
            return done

        try:
            done: T = self.commit(noted)
        finally:
            if not named:
                for stored in kept:
                    self.service.files.remove(task_id, stored.name)
        return done
