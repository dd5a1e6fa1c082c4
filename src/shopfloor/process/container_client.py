"""The worker of an attempt in a container: holds the line to the command there, and ends as it ends.

It is forked by the supervisor and is no program of its own.  It brings the command to the wrapper in the
leased container (`container_scripts.py`), hands on SIGTERM, kills the command in time before the supervisor
would kill this process, and leaves with the command's exit status, or by the signal that killed it.  If it
is killed itself, the line ends, and the wrapper kills the command.

The command's output does not pass through here: it goes into a pipe that the supervisor reads.

| way    | line, told, output                       | the container is gone when       |
| ------ | ---------------------------------------- | -------------------------------- |
| door   | three named pipes in its folder, fresh for each command | nobody is left at its door |
| engine | standard streams of the engine's `exec`  | the engine's program ended       |
"""

# Supervisors load this file, and pathlib and subprocess would cost each of them time and memory.
# ruff: noqa: PTH101, PTH108, PTH118, PTH123

import os
import resource
import select
import signal
import time
import traceback
from contextlib import suppress
from typing import NoReturn

from shopfloor.process import syscalls
from shopfloor.process.container_scripts import (
    BEGUN,
    DOOR,
    ENDED,
    LINE,
    NOT_BEGUN,
    NOT_STARTED,
    OUTPUT,
    TOLD,
    job,
)
from shopfloor.process.spec import MARKER_NAME, WorkerSpec

CLEAN = "clean"
# So much of the grace is kept for the kill inside, before the supervisor kills everything here.
KILL_AHEAD_MS = 1_000
SIGNAL_BASE = 128
WORDS_MAX = 2_000
PIECE_BYTES = 65_536
NAME_BYTES = 8
LOST_STATUS = 1


class Client:
    """The line to one command; made by the supervisor, held by the process that it forks."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        self._seat = spec.seat or ""
        self._name = os.urandom(NAME_BYTES).hex()
        ahead_ms = min(KILL_AHEAD_MS, spec.grace_ms // 2)
        self._grace_s = (spec.grace_ms - ahead_ms) / 1000
        self._kill_at: float | None = None
        self._line: int | None = None
        self._unsent = b""
        self._told = b""
        self._poll = select.poll()

    def output(self) -> tuple[int, int]:
        """Open the pipe for the command's output: its two ends here."""
        if self._spec.engine:
            return os.pipe()
        path = self._path(OUTPUT)
        make_pipe(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        return reading, os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def hold(self) -> NoReturn:
        """Run the command and leave as it did; in a process of its own, whose output is open."""
        status = LOST_STATUS
        try:
            syscalls.show_name(f"shop-box-{self._spec.run}".encode())
            status = self._run()
        except BaseException:  # noqa: BLE001 - the outermost frame of a process: the reason goes to the log
            traceback.print_exc()
        finally:
            os._exit(status)

    def _run(self) -> int:
        self._wake, wake_write = os.pipe()
        for end in (self._wake, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._poll.register(self._wake, select.POLLIN)
        spec = self._spec
        env = {**spec.env, MARKER_NAME: spec.marker}
        self._unsent = job(spec.argv, env, spec.cwd).encode(errors="surrogateescape") + b"\n"
        sentence = self._through_engine() if spec.engine else self._through_door()
        return self._status(sentence)

    def _through_door(self) -> str:
        """Knock, and follow the command; answers with what is so if it did not begin."""
        for pipe in (LINE, TOLD):
            make_pipe(self._path(pipe))
        # For both directions, because the other side opens it later; we only write.
        self._line = os.open(self._path(LINE), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        told = os.open(self._path(TOLD), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        gone = f"the container {self._spec.container} has ended"
        try:
            door = os.open(os.path.join(self._seat, DOOR), os.O_WRONLY | os.O_NONBLOCK)
            os.write(door, f"\n{self._name}\n".encode())
        except OSError:
            return gone
        self._listen(told, door)
        for pipe in (LINE, TOLD, OUTPUT):
            os.unlink(self._path(pipe))
        return gone

    def _through_engine(self) -> str:
        """Have the engine start the wrapper; the same, with the engine's status."""
        line_read, self._line = os.pipe()
        os.set_blocking(self._line, False)
        told, tell = os.pipe()
        os.set_blocking(told, False)
        actions = [(os.POSIX_SPAWN_DUP2, line_read, 0), (os.POSIX_SPAWN_DUP2, tell, 2)]
        words = self._spec.engine
        environment = {**(self._spec.engine_env or {}), MARKER_NAME: self._spec.marker}
        pid = os.posix_spawn(words[0], words, environment, file_actions=actions)
        os.close(line_read)
        os.close(tell)
        self._listen(told, None)
        _, status = os.waitpid(pid, 0)
        return f"the engine ended with status {os.waitstatus_to_exitcode(status)}"

    def _listen(self, told: int, door: int | None) -> None:
        """Take what the wrapper tells until it has ended; send it the job, and what is asked meanwhile."""
        poll = self._poll
        poll.register(told, select.POLLIN)
        if door is not None:
            # Nobody is left at the door: that is told as an error, which needs not be asked for.
            poll.register(door, 0)
        self._send()
        while True:
            ready = dict(poll.poll(self._left_ms()))
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._hang_up()
            elif self._line in ready:
                self._send()
            if self._wake in ready:
                os.read(self._wake, PIECE_BYTES)
                self._ask_to_leave()
            if (told in ready or door in ready) and not self._take(told):
                return

    def _take(self, told: int) -> bool:
        """Take what is told by now; False when no more will come."""
        with suppress(BlockingIOError):
            while data := os.read(told, PIECE_BYTES):
                self._told = self._told[-WORDS_MAX:] + data
            return False
        return True

    def _left_ms(self) -> float | None:
        if self._kill_at is None:
            return None
        return max(self._kill_at - time.monotonic(), 0) * 1000 + 1

    def _ask_to_leave(self) -> None:
        if self._kill_at is None and self._line is not None:
            self._kill_at = time.monotonic() + self._grace_s
            self._unsent += b"TERM\n"
            self._send()

    def _send(self) -> None:
        """Send what the line takes, and the rest when it takes more."""
        if self._line is None:
            return
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._line, self._unsent) :]
        except BlockingIOError:
            self._poll.register(self._line, select.POLLOUT)
            return
        except BrokenPipeError:
            self._unsent = b""
        # One that nobody reads any more would wake us for ever.
        with suppress(KeyError):
            self._poll.unregister(self._line)

    def _hang_up(self) -> None:
        """Let go of the line: the wrapper kills everything in the container."""
        self._kill_at = None
        self._unsent = b""
        self._send()
        if self._line is not None:
            os.close(self._line)
            self._line = None

    def _status(self, sentence: str) -> int:
        """The status to leave with, if the command was not ended by a signal; `sentence` is why none began."""
        words = self._told.decode(errors="replace")
        _, begun, after = words.rpartition(BEGUN)
        said, ended, number = after.rpartition(ENDED)
        if ended and number.strip().isdecimal():
            _write(self._seat, CLEAN, "")
            status = int(number)
            if status > SIGNAL_BASE and said.strip() and _is_signal(status - SIGNAL_BASE):
                _die_by(status - SIGNAL_BASE)
            return status
        if begun:
            # The line was cut before the command's end: it was killed, by us or with its container.
            _die_by(signal.SIGKILL)
        name = NOT_STARTED if self._spec.fresh else NOT_BEGUN
        _write(self._spec.run_dir, name, " ".join(words.split()) or sentence)
        return LOST_STATUS

    def _path(self, pipe: str) -> str:
        return os.path.join(self._seat, f"{pipe}.{self._name}")


def make_pipe(path: str) -> None:
    """Make a pipe with a name; whoever sees its folder may open it, also another user in a container."""
    os.mkfifo(path)
    os.chmod(path, 0o666)  # noqa: S103 - the home around it is its owner's


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def _is_signal(number: int) -> bool:
    return number in signal.valid_signals()


def _die_by(number: int) -> NoReturn:
    """End by the signal that ended the command, without a second core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(1)
    os._exit(SIGNAL_BASE + number)
