"""The exit record: one JSON file in a run's folder that says how a worker ended.

The supervisor writes it last, when nothing of the worker lives, under another name, synced and
renamed.  So whoever sees the file sees all of it, and a missing file means that the supervisor
has not finished or did not live to finish.  Reading never raises: a damaged file is an answer.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH104, PTH118, PTH123

import errno
import json
import os
from typing import NamedTuple

RECORD_BYTES_MAX = 1024 * 1024
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class ExitRecord(NamedTuple):
    """How one worker ended.

        Times are milliseconds since the epoch.  `ended_at` is the end of the worker's main process,
        `gone_at` the moment from which no process of it lived.  At most one of `timed_out`, `stopped`
        and `left_late` is set: the one that began the stop.  `killed` says that a SIGKILL was needed,
        `leftovers` counts what lived on after the main process and was stopped.  Processor times and
        memory include every descendant that was collected.  The memory of a small program is not told
        below that of the supervisor it was forked from, about 10 MB.  `output_sha256` is the hash of what
        the log was given; without output there is none.  `environment` is the keyed digest of the
        variables that the worker was started with, and `variables` are their names; those that the board
    sets itself are in neither.  `runtime` is `host` or `container:IMAGE`; of a command in a container, times
        and memory are those of the engine's client.
    """

    run: int
    never_started: bool = False
    spawn_error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    stopped: bool = False
    left_late: bool = False
    fenced: bool = False
    killed: bool = False
    leftovers: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    gone_at: int | None = None
    user_ms: int = 0
    system_ms: int = 0
    max_rss_kb: int = 0
    output_bytes: int = 0
    guard_refused: str | None = None
    output_sha256: str | None = None
    environment: str | None = None
    variables: str | None = None
    runtime: str = "host"
    container: str | None = None


class Damaged(NamedTuple):
    """A file that is there and is not an exit record, and why."""

    path: str
    reason: str


_TEXTS = (
    "spawn_error",
    "guard_refused",
    "output_sha256",
    "environment",
    "variables",
    "container",
)
_KINDS: dict[str, type] = {
    name: str if name in _TEXTS else type(default)
    for name, default in ExitRecord._field_defaults.items()
}
_MAY_BE_NULL = {name for name, default in ExitRecord._field_defaults.items() if default is None}


def encoded(record: ExitRecord) -> bytes:
    """The record as JSON.

    Put together here, because a supervisor encodes one thing in its life: waking up the encoder for
    it would copy a hundred pages of memory that it shares with the others.
    """
    fields = [
        f'"{name}": {_word(value)}' for name, value in zip(record._fields, record, strict=True)
    ]
    return f"{{{', '.join(fields)}}}".encode()


def _word(value: str | int | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        plain = value.isascii() and value.isprintable() and not {'"', "\\"} & set(value)
        return f'"{value}"' if plain else json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def write(fd: int, temporary: str, path: str, record: ExitRecord) -> None:
    """Write the record into the open temporary file and put it in its place.

    OSError when the disk does not take it; then all of it may be tried again.
    """
    data = encoded(record)
    written = os.pwrite(fd, data, 0)
    os.ftruncate(fd, written)
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(fd)
    os.rename(temporary, path)


def read(run_dir: str, name: str = "exit.json") -> ExitRecord | None:
    """Return the record; None when there is none or the file is damaged (`examine` says which)."""
    found = examine(run_dir, name)
    return found if isinstance(found, ExitRecord) else None


def examine(run_dir: str, name: str = "exit.json") -> ExitRecord | Damaged | None:
    """Return the record, what is wrong with the file, or None when there is no file."""
    path = os.path.join(run_dir, name)
    try:
        with open(path, "rb") as file:
            text = file.read(RECORD_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Damaged(path, f"The exit record {path} cannot be read: {error.strerror}.")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return Damaged(path, f"The exit record {path} is not complete JSON.")
    wrong = _wrong_field(told)
    if wrong is not None:
        return Damaged(path, f"The exit record {path} is not usable: {wrong}.")
    # A field that a newer supervisor added is left out.
    return ExitRecord(**{key: told[key] for key in ExitRecord._fields if key in told})


def _wrong_field(told: object) -> str | None:
    if not isinstance(told, dict):
        return "it is not an object"
    if type(told.get("run")) is not int:
        return "the run's number is missing"
    for name, kind in _KINDS.items():
        value = told.get(name)
        if value is None and (name in _MAY_BE_NULL or name not in told):
            continue
        wanted = int if kind is type(None) else kind
        if type(value) is not wanted:
            return f"{name} is {value!r:.40}"
    return None
