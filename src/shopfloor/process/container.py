"""Containers by the command line of their engine, podman or docker: made, looked for and removed.

Nothing here waits for a command in a container; that is `container_client.py`, in the attempt's own
processes.  What is made here must not be a supervisor's child, or it would be stopped with it.

A command reaches its container through pipes in the container's folder, and the engine has no part in it.
Whether these pipes are the same on both sides is not guessed: the keeper says so when it begins.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shopfloor.domain.errors import Refused, Unavailable
from shopfloor.process.container_client import make_pipe
from shopfloor.process.container_scripts import (
    CHECK_EVERY_S,
    DOOR,
    FIRST_S,
    KEEPER,
    READY,
    SLEEPER,
    WRAPPER,
)

ENGINES = ("podman", "docker")
LABEL = "shopfloor"
KEEPER_FILE, WRAPPER_FILE, ENGINE_FILE = "keeper.sh", "wrapper.sh", "engine"
MAKE_S, REMOVE_S = 1_800.0, 60.0
# So long a keeper may take to say that it has begun; it is started by then.
READY_S = 10.0
WORDS_MAX = 500


class Engine(NamedTuple):
    """The program that runs containers, by its path, and what it is called."""

    path: str
    name: str


class Wanted(NamedTuple):
    """A container that some attempt needs; two that are equal may be the same container."""

    engine: Engine
    image: str
    mounts: tuple[str, ...]
    memory_bytes: int | None
    cpu_millis: int | None
    pids: int | None
    profile: str
    arguments: tuple[str, ...]


class Seat(NamedTuple):
    """A container that an attempt has to itself; `folder` is the host's side of it."""

    name: str
    folder: Path
    engine: Engine
    fresh: bool


def find_engine(wanted: str, environment: Mapping[str, str]) -> Engine:
    """The engine that is set, or the first that is there; raises Refused."""
    for name in ENGINES if wanted == "auto" else (wanted,):
        path = shutil.which(name, path=environment.get("PATH", os.defpath))
        if path is not None:
            return Engine(path, name)
    what = " or ".join(ENGINES) if wanted == "auto" else wanted
    raise Refused(f"containers need {what}, which is not in PATH; install it, or use runtime host")


def make(
    wanted: Wanted,
    name: str,
    folder: Path,
    *,
    labels: Mapping[str, str],
    idle_s: int,
    with_door: bool,
    ask: Asking,
) -> bool:
    """Start a warm container, with its image if that is not there yet; raises Refused or Unavailable.

    Its folder is made first, so that whoever cleans up after us knows of it.  With a door it answers
    whether commands come through: they do not where the engine runs in a machine of its own.
    """
    engine = wanted.engine
    folder.mkdir(mode=0o755, parents=True)
    (folder / ENGINE_FILE).write_text(engine.path, encoding="utf-8")
    (folder / KEEPER_FILE).write_text(KEEPER if with_door else SLEEPER, encoding="utf-8")
    (folder / WRAPPER_FILE).write_text(WRAPPER, encoding="utf-8")
    words = _run_words(wanted, name, folder, labels=labels, idle_s=idle_s)
    try:
        if with_door:
            return _is_answered(folder, lambda: ask(words, MAKE_S))
        ask(words, MAKE_S)
    except Refused as refused:
        raise Refused(f"no container of {wanted.image} could be made: {refused.message}") from None
    return True


def _run_words(
    wanted: Wanted, name: str, folder: Path, *, labels: Mapping[str, str], idle_s: int
) -> list[str]:
    limits = {
        "--memory": wanted.memory_bytes,
        "--cpus": None if wanted.cpu_millis is None else wanted.cpu_millis / 1000,
        "--pids-limit": wanted.pids,
    }
    words = [wanted.engine.path, "run", "--detach", "--rm", "--name", name, "--workdir", "/"]
    # A first process without a handler hears no other signal, and commands cannot end it.
    words.append("--stop-signal=KILL")
    words += [f"--label={key}={value}" for key, value in labels.items()]
    words += [f"{flag}={value}" for flag, value in limits.items() if value is not None]
    words += [f"--volume={mount}" for mount in (*wanted.mounts, f"{folder}:{folder}:ro")]
    if wanted.engine.name == "docker":
        words.append(f"--user={os.getuid()}:{os.getgid()}")
    # One that is to be used once is removed when its attempt is over, and a check may follow the work.
    kept_s = idle_s or FIRST_S
    times = [str(seconds) for seconds in (kept_s, max(kept_s, FIRST_S), min(kept_s, CHECK_EVERY_S))]
    keeper = [str(folder / KEEPER_FILE), str(folder), *times]
    return [*words, *wanted.arguments, "--entrypoint=/bin/sh", wanted.image, *keeper]


def _is_answered(folder: Path, start: Callable[[], object]) -> bool:
    """Make the door, have the container started, and say whether its keeper stands at this very door."""
    for name in (DOOR, READY):
        make_pipe(str(folder / name))
    ready = os.open(folder / READY, os.O_RDONLY | os.O_NONBLOCK)
    try:
        start()
        poll = select.poll()
        poll.register(ready, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(READY_S * 1000))
    finally:
        os.close(ready)
        (folder / READY).unlink()


def remove(engine: str, names: Sequence[str], ask: Asking) -> None:
    """Remove containers, whatever runs in them; those that are gone are no mistake."""
    if names:
        ask([engine, "rm", "--force", "--volumes", *names], REMOVE_S)


def labelled(engine: str, labels: Mapping[str, str], ask: Asking) -> list[str]:
    """The names of all containers with these labels, running or not."""
    filters = [f"--filter=label={key}={value}" for key, value in labels.items()]
    words = [engine, "ps", "--all", *filters, "--format", "{{.Names}}"]
    return ask(words, REMOVE_S).split()


def engine_words(seat: Seat) -> tuple[str, ...]:
    """The words that start a wrapper in a container without a door; none for one that has it."""
    if (seat.folder / DOOR).exists():
        return ()
    wrapper = str(seat.folder / WRAPPER_FILE)
    return (seat.engine.path, "exec", "--interactive", seat.name, "/bin/sh", wrapper)


Asking = Callable[[Sequence[str], float], str]


def reason_in(said: str) -> str:
    """Why an engine gave up, of all that it printed: what follows its last "Error:" is the reason, before is progress."""
    _, _, reason = said.rpartition("Error: ")
    return " ".join(reason.split())[-WORDS_MAX:]


class Commands:
    """Runs the engine's commands, each in a session of its own; any thread may use it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    def __call__(self, words: Sequence[str], timeout_s: float) -> str:
        """What the command printed; raises Refused with its words, Unavailable if it was cut off."""
        with self._guard:
            if self._closed:
                raise Unavailable("this dispatcher is stopping")
            try:
                program = subprocess.Popen(  # noqa: S603 - the engine and our own words
                    list(words),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env=self._environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise Refused(f"{words[0]} could not be started: {error.strerror}") from None
            self._running.add(program)
        try:
            printed, said = program.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            raise Refused(f"{words[0]} {words[1]} did not end within {timeout_s:g} s") from None
        finally:
            with self._guard:
                self._running.discard(program)
        if program.returncode < 0:
            raise Unavailable("it was cut off, because this dispatcher stops")
        if program.returncode != 0:
            raise Refused(
                reason_in(said) or f"{words[0]} {words[1]} ended with status {program.returncode}"
            )
        return printed

    def cut_off(self) -> None:
        """End what runs, such as the download of an image, and start nothing more."""
        with self._guard:
            self._closed = True
            for program in self._running:
                program.terminate()
