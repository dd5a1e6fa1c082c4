"""Runs a short program of our own with a text for it, and gives back what it printed.

It gets a session of its own, so that what it starts ends with it when it takes too long.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from shopfloor.domain.errors import Unavailable

WORDS_MAX = 500


def run(argv: Sequence[str], given: bytes, *, env: Mapping[str, str], timeout_s: float) -> bytes:
    """Return the program's standard output; Unavailable when it fails or does not end in time."""
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
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        raise Unavailable(f"no answer came within {timeout_s:g} s; ask again later.") from None
    if program.returncode != 0:
        words = " ".join(said.decode(errors="replace").split())[-WORDS_MAX:]
        raise Unavailable(
            f"the program ended with status {program.returncode}: {words or 'no words'}."
        )
    return printed
