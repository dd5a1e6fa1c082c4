"""A home of its own for a test, with real `shop up` processes, real workers and real signals.

Every process that belongs to a home can be told from all others on the machine: the daemon, its
helper and its supervisors run under an interpreter whose path lies in the test's folder, workers
carry the run's marker.  So a home knows when nothing of it lives any more, and a test that leaves
something behind fails.  A home also checks its ledger when it is closed: whatever was killed in a
test, `fsck` must find nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home as Place
from shopfloor.domain.errors import BoardError, Unavailable, from_dict
from shopfloor.process import identity, proc
from shopfloor.process.identity import Identity
from shopfloor.surfaces.cli.client import Ask
from tests.support.waiting import eventually

COMMAND_TIMEOUT_S = 250.0
ENVIRONMENT_BYTES_MAX = 1 << 20


class Daemon:
    """One `shop up`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._log = log

    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def term(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(COMMAND_TIMEOUT_S)


class Worker(NamedTuple):
    """The credentials of a run, as its worker has them."""

    task: int
    run: int
    token: str


class Home:
    """A home folder, its daemons, and short words for what tests ask of them."""

    def __init__(self, folder: Path, *, host: str = "here") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.path = folder / "home"
        self.place = Place(self.path)
        self.python = _interpreter(folder / "venv")
        self.environment = {
            name: word for name, word in os.environ.items() if not name.startswith("SHOPFLOOR_")
        }
        self.environment |= {"SHOPFLOOR_HOME": str(self.path), "SHOPFLOOR_HOST": host}
        self.daemons: list[Daemon] = []
        self.fsck_at_close = True

    # What a person does.

    def configure(self, text: str) -> None:
        """Write the configuration; a running daemon sees it within a second."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        fresh = self.path / "config.fresh"
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(self.path / "config.toml")

    def start(self, *arguments: str, **env: str) -> Daemon:
        """Start `shop up` and do not wait for anything."""
        log = self.folder / f"up-{len(self.daemons)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.python), "-m", "shopfloor", "up", "--verbose", *arguments],
                env={**self.environment, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        daemon = Daemon(process, log)
        self.daemons.append(daemon)
        return daemon

    def up(self, *arguments: str, **env: str) -> Daemon:
        """Start `shop up` and wait until it serves."""
        daemon = self.start(*arguments, **env)
        eventually(lambda: " serving " in daemon.log() or daemon.process.poll() is not None)
        assert daemon.process.poll() is None, daemon.log()
        return daemon

    def shop(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one `shop` command to its end."""
        return self.run([str(self.python), "-m", "shopfloor", *arguments], **env)

    def run(self, argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        """Run any program to its end, in the surroundings of this home."""
        return subprocess.run(
            argv,
            env={**self.environment, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )

    def ask(
        self,
        op: str,
        *,
        board: str | None = None,
        request_id: str | None = None,
        worker: Worker | None = None,
        **args: Any,
    ) -> Any:
        """Ask as a command does: through the door, or as the door; a refusal is raised."""
        request = Ask(
            op,
            json.dumps(args).encode(),
            board,
            request_id or uuid.uuid4().hex,
            "ann",
            None if worker is None else worker.run,
            None if worker is None else worker.token,
        )
        client = HomeClient(self.place, None)
        try:
            body = json.loads(_answer(client, request))
        finally:
            client.close()
        if "error" in body:
            raise from_dict(body)
        return body["result"]

    def refused(self, op: str, **args: Any) -> BoardError:
        """The refusal of a request that must be refused."""
        try:
            answer = self.ask(op, **args)
        except BoardError as refusal:
            return refusal
        raise AssertionError(f"{op} was not refused: {answer}")

    def create(self, title: str = "a task", **args: Any) -> int:
        """Create a task; its number."""
        return int(self.ask("task.create", title=title, **args)["task"]["id"])

    def create_command(self, argv: list[str], **args: Any) -> int:
        """Create a task whose worker is this command."""
        return self.create(command={"argv": argv}, **args)

    # What a test looks at.

    def show(self, task: int, board: str | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = self.ask("task.show", board=board, id=task)
        return shown

    def task(self, task: int, board: str | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = self.show(task, board)["task"]
        return shown

    def status(self, task: int, board: str | None = None) -> str:
        return str(self.task(task, board)["status"])

    def runs(self, task: int, board: str | None = None) -> list[dict[str, Any]]:
        """The task's attempts, oldest first."""
        shown: list[dict[str, Any]] = self.ask("run.of_task", board=board, id=task, limit=1000)
        return shown[::-1]

    def outcomes(self, task: int, board: str | None = None) -> list[str | None]:
        return [run["outcome"] for run in self.runs(task, board)]

    def why(self, task: int) -> str:
        """The code of the reason why a task does not move."""
        return str(self.ask("task.why", id=task)["code"])

    def kinds(self, task: int) -> list[str]:
        """The kinds of the task's latest events, oldest first."""
        return [event["kind"] for event in self.show(task)["events"]]

    def becomes(self, task: int, status: str, board: str | None = None) -> dict[str, Any]:
        """Wait until a task has a status; the task as it is then."""

        def found() -> dict[str, Any] | None:
            shown = self.task(task, board)
            return shown if shown["status"] == status else None

        try:
            shown = eventually(found)
        except AssertionError:
            raise AssertionError(f"#{task} is not {status}: {self.show(task, board)}") from None
        assert shown is not None
        return shown

    def is_over(self, task: int, board: str | None = None) -> None:
        """Wait until no process of a task lives, by the ledger's word."""
        eventually(lambda: all(run["gone_at"] for run in self.runs(task, board)))

    def counts(self, board: str | None = None) -> dict[str, int]:
        """How many tasks there are in each status."""
        counted: dict[str, int] = self.ask("stats.show", board=board)["by_status"]
        return counted

    def board(self, slug: str = "default") -> Path:
        return self.path / "boards" / slug

    def run_folder(self, run: int, board: str = "default") -> Path:
        return self.board(board) / "runs" / str(run)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Look at, or do to, the rows of an SQLite board what no operation would."""
        with closing(sqlite3.connect(self.board() / "board.db", isolation_level=None)) as beside:
            return beside.execute(statement).fetchall()

    # The processes of this home.

    def processes(self) -> list[proc.Stat]:
        """Everything that lives of this home: daemons, helpers, supervisors, workers, commands."""
        return [one for one in proc.everyone() if not one.dead and self._is_ours(one.pid)]

    def supervisors(self, run: int | None = None) -> list[proc.Stat]:
        """The living supervisors, or that of one run."""
        wanted = "shop-run-" if run is None else f"shop-run-{run}"
        named = [(one, _name(one.pid)) for one in self.processes()]
        return [
            one
            for one, name in named
            if (name.startswith(wanted) if run is None else name == wanted)
        ]

    def supervisor(self, task: int) -> proc.Stat:
        """The supervisor of a running task, once it has one that was told to go."""
        run = self.runs(task)[-1]
        (found,) = eventually(lambda: self.supervisors(run["id"]))
        return found

    def helpers(self) -> list[proc.Stat]:
        return self.named("shop-helper")

    def named(self, name: str) -> list[proc.Stat]:
        """Those of its processes that `ps` shows under this name."""
        return [one for one in self.processes() if _name(one.pid) == name]

    def workers(self, run: int | None = None, board: str = "default") -> list[proc.Stat]:
        """The living processes of all runs, or of one."""
        marker = f"SHOPFLOOR_MARKER={self.path}:"
        if run is not None:
            marker += f"{board}:{run}\0"
        return [one for one in proc.everyone() if not one.dead and _has(one.pid, marker)]

    def _is_ours(self, pid: int) -> bool:
        line = proc.read(f"/proc/{pid}/cmdline", ENVIRONMENT_BYTES_MAX) or b""
        return str(self.python).encode() in line or _has(pid, f"SHOPFLOOR_MARKER={self.path}:")

    # The end.

    def fsck(self, board: str | None = None) -> None:
        """The ledger must be in order."""
        found = self.ask("admin.fsck", board=board)
        assert found["ok"], found["problems"]

    def close(self) -> None:
        """Stop everything, check every ledger, and fail if a process of this home stays."""
        try:
            for daemon in self.daemons:
                if daemon.process.poll() is None:
                    daemon.term()
            self._stop_workers()
            if self.fsck_at_close:
                for folder in sorted((self.path / "boards").glob("*/board.json")):
                    self.fsck(folder.parent.name)
        finally:
            self._kill_all()

    def _stop_workers(self) -> None:
        """A worker dies with its supervisor, and with the last supervisor goes the helper.

        What serves the workers' tools would stay a while for a next `shop up`.
        """
        for one in self.supervisors():
            _kill(one)
        for one in self.named("shop-mcp"):
            kill(one, signal.SIGTERM)
        eventually(lambda: not self.processes())

    def _kill_all(self) -> None:
        for daemon in self.daemons:
            daemon.process.kill()
            daemon.process.wait()
        for one in self.processes():
            _kill(one)


def _answer(client: HomeClient, request: Ask) -> bytes:
    """The answer, asked for again where a busy machine opened no door in time: it is the same request."""
    deadline = time.monotonic() + COMMAND_TIMEOUT_S
    while True:
        try:
            return client.ask(request)
        except Unavailable as busy:
            if type(busy) is not Unavailable or time.monotonic() > deadline:
                raise


def _interpreter(venv: Path) -> Path:
    """The test's own interpreter under a path of the home's: what it starts shows that path."""
    inside = Path(sys.prefix)
    (venv / "bin").mkdir(parents=True)
    for program in ("python", "shop"):
        (venv / "bin" / program).symlink_to(inside / "bin" / program)
    (venv / "lib").symlink_to(inside / "lib")
    shutil.copy(inside / "pyvenv.cfg", venv / "pyvenv.cfg")
    return venv / "bin" / "python"


def _name(pid: int) -> str:
    return (proc.read(f"/proc/{pid}/comm", 64) or b"").decode().strip()


def _has(pid: int, entry: str) -> bool:
    """Whether a process was started with this in its environment."""
    text = proc.read(f"/proc/{pid}/environ", ENVIRONMENT_BYTES_MAX) or b""
    return entry.encode() in text


def _kill(one: proc.Stat) -> None:
    identity.send(Identity(identity.boot_id(), one.pid, one.started), signal.SIGKILL)


def kill(one: proc.Stat, number: int = signal.SIGKILL) -> None:
    """Send a signal to this very process; nothing happens if it has gone."""
    identity.send(Identity(identity.boot_id(), one.pid, one.started), number)


def home_in(folder: Path, *, host: str = "here") -> Iterator[Home]:
    """A home for a fixture: closed when the test is over."""
    home = Home(folder, host=host)
    yield home
    home.close()
