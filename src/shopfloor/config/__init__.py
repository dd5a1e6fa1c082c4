"""Where the home is and who asks: the only file that reads the environment.

It is on the way of every command, so it imports next to nothing; what is set is read by `reading.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.errors import BadConfiguration, Invalid

MEMORY_PER_WORKER = 512 * 1024 * 1024
SOCKET_PATH_MAX = 100


class Home(NamedTuple):
    """The folder with everything, and the paths below it."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    def config_stamp(self) -> tuple[int, int, int]:
        """Another one when the configuration was changed; zeros where there is none.

        Two changes within one tick of the file system's clock have the same time.
        """
        try:
            found = self.config.stat()
        except OSError:
            return 0, 0, 0
        return found.st_ino, found.st_mtime_ns, found.st_size

    @property
    def boards(self) -> Path:
        return self.root / "boards"

    @property
    def presets(self) -> Path:
        """The user's own presets, a file each."""
        return self.root / "presets"

    @property
    def keys(self) -> Path:
        """The home's own keys, for its user alone."""
        return self.root / "keys"

    @property
    def signing_key(self) -> Path:
        """The key that signs receipts, where the user made one."""
        return self.keys / "receipts.key"

    @property
    def current_board(self) -> Path:
        return self.root / "current-board"

    @property
    def lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def off(self) -> Path:
        """It is there while `shop service stop` is to keep cron from starting `shop up`."""
        return self.root / "service.off"

    @property
    def mcp(self) -> Path:
        """Where the tools of workers were served last."""
        return self.root / "mcp.json"

    @property
    def web(self) -> Path:
        """Where the dashboard and the API are served."""
        return self.root / "web.json"

    @property
    def access(self) -> Path:
        """Who may come in over the network: hashes of secrets."""
        return self.root / "access.json"

    @property
    def audit(self) -> Path:
        """Who came in over the network, and what was done about it."""
        return self.root / "audit.jsonl"

    @property
    def socket(self) -> Path:
        """The door's socket; a home whose path is too long for one has it in the runtime folder."""
        beside = self.root / "shop.sock"
        if len(str(beside)) <= SOCKET_PATH_MAX:
            return beside
        from hashlib import blake2b  # noqa: PLC0415 - long homes are rare

        name = blake2b(str(self.root).encode(), digest_size=8).hexdigest()
        return Path(runtime_folder()) / f"shopfloor-{name}.sock"


class Worker(NamedTuple):
    """What a worker's environment says about itself."""

    task: int
    run: int
    token: str
    board: str


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def runtime_folder() -> str:
    """A folder for sockets that only this user can enter."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and Path(given).is_dir():
        return given
    fallback = Path(f"/tmp/shopfloor-{os.getuid()}")  # noqa: S108 - made with mode 0700 and checked
    fallback.mkdir(mode=0o700, exist_ok=True)
    if fallback.stat().st_uid != os.getuid():
        raise BadConfiguration(
            f"{fallback} belongs to somebody else; set XDG_RUNTIME_DIR to a folder of yours"
        )
    return str(fallback)


def find_home(given: str | None = None) -> Home:
    """The home: what was given, `SHOPFLOOR_HOME`, or the user's data folder."""
    chosen = given or os.environ.get("SHOPFLOOR_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    return usual_home()


def usual_home() -> Home:
    """The home of a user who names none."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Home(Path(data).expanduser() / "shopfloor")


def worker_identity() -> Worker | None:
    """Who this process is, if a dispatcher started it; raises Invalid for half an identity."""
    env = os.environ
    run, token = env.get("SHOPFLOOR_RUN"), env.get("SHOPFLOOR_TOKEN")
    if not run and not token:
        return None
    try:
        return Worker(
            int(env["SHOPFLOOR_TASK"]), int(run or ""), token or "", env["SHOPFLOOR_BOARD"]
        )
    except (KeyError, ValueError):
        raise Invalid(
            "SHOPFLOOR_RUN and SHOPFLOOR_TOKEN are set, but SHOPFLOOR_TASK, SHOPFLOOR_BOARD or a number "
            "among them is missing; a worker gets all of them from its dispatcher"
        ) from None


def actor() -> str:
    """Who the person is, for the record."""
    return os.environ.get("USER") or os.environ.get("LOGNAME") or f"uid {os.getuid()}"


def wanted_board() -> str | None:
    """The board that the environment names."""
    return os.environ.get("SHOPFLOOR_BOARD") or None


def wanted_url() -> tuple[str | None, str | None]:
    """The address of boards on another machine that the environment names, and the token for it.

    The token's variable is another one than a worker's, which is given to its run alone.
    """
    return os.environ.get("SHOPFLOOR_URL") or None, os.environ.get("SHOPFLOOR_URL_TOKEN") or None


def host_name() -> str:
    """The name of this machine on shared boards."""
    return os.environ.get("SHOPFLOOR_HOST") or os.uname().nodename


def notify_address() -> str | None:
    """Where the service manager that started this process listens."""
    return os.environ.get("NOTIFY_SOCKET")


def host_zone() -> str:
    """The name of this machine's time zone, as its set-up has it; UTC where it names none."""
    given = os.environ.get("TZ", "").lstrip(":")
    found = given if "/" in given or given == "UTC" else ""
    if not found:
        found = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    return found.removeprefix("posix/").removeprefix("right/") or "UTC"


def safe_concurrency() -> int:
    """How many workers this machine takes without being told: by cores and memory, at least one."""
    cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        memory = cores * 4 * MEMORY_PER_WORKER
    return max(1, min(2 * cores, memory // MEMORY_PER_WORKER, limits.BATCH_PER_TICK))
