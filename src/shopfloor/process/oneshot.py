"""Runs a short program with a text for it, and gives back what it printed.

It gets a session of its own, so that what it starts ends with it when it takes too long.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shopfloor.domain.errors import Unavailable

WORDS_MAX = 500


class Ended(NamedTuple):
    """How a program ended, and what it printed."""

    status: int
    printed: bytes
    said: bytes

    @property
    def words(self) -> str:
        """What it said on standard error, as far as a sentence has room."""
        return " ".join(self.said.decode(errors="replace").split())[-WORDS_MAX:] or "no words"


def ended(
    argv: Sequence[str], given: bytes = b"", *, env: Mapping[str, str], timeout_s: float
) -> Ended:
    """Run a program to its end; Unavailable when it cannot be started or does not end in time."""
    try:
        program = subprocess.Popen(  # noqa: S603 - the words are ours
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{argv[0]} could not be started: {error.strerror}.") from error
    try:
        printed, said = program.communicate(given, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _stop(program)
        raise Unavailable(f"no answer came within {timeout_s:g} s; ask again later.") from None
    return Ended(program.returncode, printed, said)


def _stop(program: "subprocess.Popen[bytes]") -> None:
    """End it and its group, and let go of its pipes: who has left the group may hold their other ends for ever."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    for pipe in (program.stdin, program.stdout, program.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def run(argv: Sequence[str], given: bytes, *, env: Mapping[str, str], timeout_s: float) -> bytes:
    """Return the program's standard output; Unavailable when it fails or does not end in time."""
    found = ended(argv, given, env=env, timeout_s=timeout_s)
    if found.status != 0:
        raise Unavailable(f"the program ended with status {found.status}: {found.words}.")
    return found.printed


def leave(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
    """Start a program that goes on by itself, in a session of its own, and do not wait for it."""
    try:
        subprocess.Popen(  # noqa: S603 - the words are ours
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{argv[0]} could not be started: {error.strerror}.") from error
