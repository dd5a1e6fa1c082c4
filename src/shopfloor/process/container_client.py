"""The worker of an attempt in a container: holds the line to the command there, and ends as it ends.

The supervisor starts this program as it starts any worker.  It runs the engine's `exec` in the leased
container, with the wrapper around the command (`container_scripts.py`), hands on SIGTERM, kills the
command in time before the supervisor would kill this program, and leaves with the command's exit status, or
by the signal that killed it.  If it is killed itself, the line ends, and the wrapper kills the command.

Arguments: the run's folder, the container's folder, the grace in ms, `warm` or `fresh`, and the engine's words.
The job comes in the environment as SHOPFLOOR_JOB_0 and so on, so that no process list shows it.
"""

# It is started for each attempt, and pathlib and subprocess would cost it time.
# ruff: noqa: PTH118, PTH123, TID251

import os
import resource
import select
import signal
import sys
import time
from typing import NoReturn

from shopfloor.process.container_scripts import BEGUN, ENDED, NOT_BEGUN, NOT_STARTED

JOB = "SHOPFLOOR_JOB_"
JOB_PIECE_CHARS = 24_000
CLEAN = "clean"
# So much of the grace is kept for the kill inside, before the supervisor kills everything here.
KILL_AHEAD_MS = 1_000
SIGNAL_BASE = 128
WORDS_MAX = 2_000
LOST_STATUS = 1


def main() -> NoReturn:
    """Run one command in its container and leave as it did."""
    run_folder, seat, grace, age, *words = sys.argv[1:]
    _Line(run_folder, seat, int(grace), warm=age == "warm").hold(words)


class _Line:
    """The line to one command."""

    def __init__(self, run_folder: str, seat: str, grace_ms: int, *, warm: bool) -> None:
        self._warm = warm
        self._run_folder = run_folder
        self._seat = seat
        ahead_ms = min(KILL_AHEAD_MS, grace_ms // 2)
        self._grace_s = (grace_ms - ahead_ms) / 1000
        self._kill_at: float | None = None
        self._told = b""

    def hold(self, words: list[str]) -> NoReturn:
        wake_read, wake_write = os.pipe()
        for end in (wake_read, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        job, environment = _taken_job()
        pid, self._line, told = _start(words, environment)
        self._send(job)
        self._listen(told, wake_read)
        _, status = os.waitpid(pid, 0)
        self._leave(os.waitstatus_to_exitcode(status))

    def _listen(self, told: int, wake: int) -> None:
        """Take what the wrapper tells until it has ended; hand on what is asked meanwhile."""
        poll = select.poll()
        poll.register(told, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            left_ms = None
            if self._kill_at is not None:
                left_ms = max(self._kill_at - time.monotonic(), 0) * 1000 + 1
            ready = poll.poll(left_ms)
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._hang_up()
            for fd, _ in ready:
                data = os.read(fd, 65_536)
                if fd == wake:
                    self._ask_to_leave()
                elif not data:
                    return
                else:
                    self._told = self._told[-WORDS_MAX:] + data

    def _ask_to_leave(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace_s
            self._send("TERM")

    def _send(self, line: str) -> None:
        data = line.encode(errors="surrogateescape") + b"\n"
        try:
            while data:
                data = data[os.write(self._line, data) :]
        except OSError:
            return

    def _hang_up(self) -> None:
        """Let go of the line: the wrapper kills everything in the container."""
        self._kill_at = None
        os.close(self._line)
        self._line = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)

    def _leave(self, engine_status: int) -> NoReturn:
        words = self._told.decode(errors="replace")
        _, begun, after = words.rpartition(BEGUN)
        said, ended, number = after.rpartition(ENDED)
        if ended and number.strip().isdecimal():
            self._write(self._seat, CLEAN, "")
            status = int(number)
            if status > SIGNAL_BASE and said.strip() and _is_signal(status - SIGNAL_BASE):
                _die_by(status - SIGNAL_BASE)
            sys.exit(status)
        if begun:
            # The line was cut before the command's end: it was killed, by us or with its container.
            _die_by(signal.SIGKILL)
        sentence = " ".join(words.split()) or f"the engine ended with status {engine_status}"
        self._write(self._run_folder, NOT_BEGUN if self._warm else NOT_STARTED, sentence)
        sys.exit(LOST_STATUS)

    @staticmethod
    def _write(folder: str, name: str, text: str) -> None:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def _taken_job() -> tuple[str, dict[str, str]]:
    """The job, and the environment without it, for the engine."""
    environment = dict(os.environ)
    pieces: list[str] = []
    while (name := f"{JOB}{len(pieces)}") in environment:
        pieces.append(environment.pop(name))
    return "".join(pieces), environment


def job_variables(job: str) -> dict[str, str]:
    """The job as variables, each short enough for a system's limit of one."""
    pieces = range(0, len(job), JOB_PIECE_CHARS)
    return {f"{JOB}{n}": job[at : at + JOB_PIECE_CHARS] for n, at in enumerate(pieces)}


def _start(words: list[str], environment: dict[str, str]) -> tuple[int, int, int]:
    """Start the engine; its number, our end of the line, and what it tells."""
    line_read, line = os.pipe()
    told, tell = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, line_read, 0), (os.POSIX_SPAWN_DUP2, tell, 2)]
    pid = os.posix_spawn(words[0], words, environment, file_actions=actions)
    os.close(line_read)
    os.close(tell)
    return pid, line, told


def _is_signal(number: int) -> bool:
    return number in signal.valid_signals()


def _die_by(number: int) -> NoReturn:
    """End by the signal that ended the command, without a second core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(1)
    sys.exit(SIGNAL_BASE + number)
