"""Keeps one PostgreSQL server alive exactly as long as somebody uses it.

A program of its own, started by `postgres.py`, standard library only.  Every user holds a shared
lock on the file `users`; the keeper asks for the exclusive one again and again and gets it when
the last user let go of it or died, however it died.  Then it stops the server and removes the
folder.  The server itself is tied to the keeper: where the system can (Linux), the kernel stops
it when the keeper dies.  The locks are POSIX record locks on purpose: unlike flock, a process
that a test forked does not inherit them.

It prints one line, `ready` or what went wrong, and holds that pipe open until it leaves.  If the
server ends by itself, or is killed by a crash test, the keeper leaves and the folder stays for the
next start.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

USERS = "users"
READY = "ready"
READY_WORD = "ready   "  # padded so by the server, which rewrites the line in place
DATA = "data"
LOG = "server.log"
START_LIMIT_S = 180.0
STOP_LIMIT_S = 15.0
LOOK_EVERY_S = 0.1
STILL_IN_USE = "still in use"
PR_SET_PDEATHSIG = 1
# Trust is safe: the only way in is a Unix socket inside the server's own folder.
INITDB_SETTINGS = (
    "--username=shop",
    "--auth=trust",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C",
)


def main(arguments: Sequence[str]) -> int:
    """Start the server in `--folder`, say so, and stop it after its last user."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--user", help="run the server as this account")
    parser.add_argument("--fsync", choices=("on", "off"), required=True)
    options = parser.parse_args(arguments)
    # From here on we are nobody's child: a Ctrl-C or a kill of the users is not meant for us.
    if os.fork():
        os._exit(0)
    os.setsid()
    keeper = Keeper(options.folder, options.programs, options.user, options.fsync)
    try:
        server = keeper.start()
    except (OSError, RuntimeError) as error:
        print(error, flush=True)
        return 1
    # The one who asked may be dead by now; then the lock is free, and `watch` sees it.
    with contextlib.suppress(BrokenPipeError):
        print(READY, flush=True)
    return keeper.watch(server)


class Keeper:
    """One server in one folder: `data` inside belongs to the server, the rest to us."""

    def __init__(self, folder: Path, programs: Path, user: str | None, fsync: str) -> None:
        """Remember what to run; nothing is started yet."""
        self.folder = folder
        self.programs = programs
        self.user = user
        self.group = pwd.getpwnam(user).pw_gid if user else None
        self.groups: list[int] | None = [] if user else None
        self.fsync = fsync

    def start(self) -> "subprocess.Popen[bytes]":
        """Make the data folder if there is none, start the server and wait until it answers."""
        data = self.folder / DATA
        if not (data / "PG_VERSION").exists():
            self.make_data(data)
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            server = self.run_server(data)
            if self.is_ready(server, data / "postmaster.pid", deadline):
                (self.folder / READY).write_text(f"{server.pid}\n")
                return server
            # The children of a server that was killed need a moment to notice.
            if STILL_IN_USE not in self.log_end() or time.monotonic() > deadline:
                stop(server)
                raise RuntimeError(f"postgres did not start: {self.log_end()}")

    def run_server(self, data: Path) -> "subprocess.Popen[bytes]":
        """Start the server's first process."""
        with (self.folder / LOG).open("ab") as log:
            return subprocess.Popen(
                [self.programs / "postgres", "-D", data, *self.settings()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Safe here, because the keeper has one thread.
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
                user=self.user,
                group=self.group,
                extra_groups=self.groups,
            )

    def make_data(self, data: Path) -> None:
        """Run initdb as the account that the server will run under."""
        data.mkdir(mode=0o700)
        if self.user:
            shutil.chown(data, self.user)
        made = subprocess.run(
            [self.programs / "initdb", "-D", data, *INITDB_SETTINGS],
            cwd="/",
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=self.user,
            group=self.group,
            extra_groups=self.groups,
        )
        if made.returncode != 0:
            reason = " ".join((made.stderr or made.stdout).split())
            raise RuntimeError(f"initdb failed with status {made.returncode}: {reason}")

    def settings(self) -> list[str]:
        """Only a Unix socket: no port to collide with, and nobody else on the machine gets in."""
        values = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder / DATA,
            "unix_socket_permissions": "0700",
            "max_connections": 200,
            "fsync": self.fsync,
            "synchronous_commit": self.fsync,
            "full_page_writes": self.fsync,
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        return [
            argument for name, value in values.items() for argument in ("-c", f"{name}={value}")
        ]

    def is_ready(self, server: "subprocess.Popen[bytes]", pid_file: Path, deadline: float) -> bool:
        """Wait for the word the server writes when it takes connections, as pg_ctl does."""
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                lines = pid_file.read_text().splitlines()
                if lines[7:8] == [READY_WORD] and lines[0] == str(server.pid):
                    return True
            time.sleep(0.01)
        return False

    def log_end(self) -> str:
        """The last words of the server's log, on one line."""
        return " ".join((self.folder / LOG).read_text(errors="replace")[-2000:].split())

    def watch(self, server: "subprocess.Popen[bytes]") -> int:
        """Stay until the last user has gone (then tidy up) or the server has (then leave)."""
        with (self.folder / USERS).open("r+b") as users:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(LOOK_EVERY_S)
                    (self.folder / READY).unlink(missing_ok=True)
                    return 1
                if free(users):
                    stop(server)
                    # One step for those who look at the path, whatever the removal takes.
                    leaving = self.folder.with_suffix(".leaving")
                    self.folder.rename(leaving)
                    shutil.rmtree(leaving)
                    return 0


def free(users: IO[bytes]) -> bool:
    """Take the users' lock for ourselves if nobody holds it."""
    try:
        fcntl.lockf(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop the server for sure: a fast shutdown, an immediate one, then the kernel."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_LIMIT_S)
            return


def die_with_parent() -> None:
    """Ask the kernel for an immediate shutdown of the server should the keeper be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
