"""What the system says about one process: its state, parent, group, session, times.

Read from /proc where there is one, by `ps` elsewhere.  Every answer is a photograph: the process
may be gone when the caller looks at it, so nobody may send a signal to a bare number found here
(`identity.send` and `tree.signal_all` check again with the process held by a descriptor).
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH110, PTH208

import os
from typing import NamedTuple

from shopfloor.process import ps

HAS_PROC = os.path.exists("/proc/self/stat")
# On 64-bit Linux no system can have more processes than this.
PIDS_MAX = 4_194_304
STAT_BYTES_MAX = 4096
# In /proc/PID/stat, counted from the state: the states of the dead, and where the start time is.
DEAD = (b"Z", b"X", b"x")
STARTED = 19
PIECE_BYTES = 65_536


class Stat(NamedTuple):
    """One process at one moment.

    `cpu_ticks` holds its own time and that of its children that have ended.  `started` is in
    clock ticks since the boot (without /proc: seconds since the epoch).
    """

    pid: int
    state: str
    parent: int
    group: int
    session: int
    cpu_ticks: int
    started: int

    @property
    def dead(self) -> bool:
        return self.state in "ZXx"


def stat(pid: int) -> Stat | None:
    """Return what is known of a process; None when there is none with this number."""
    if not HAS_PROC:
        row = ps.row(pid)
        return None if row is None else Stat(*row)
    text = read(f"/proc/{pid}/stat", STAT_BYTES_MAX)
    if not text:
        return None
    # The name stands in parentheses and may itself hold spaces and parentheses.
    field = text[text.rindex(b")") + 2 :].split()
    return Stat(
        pid,
        field[0].decode(),
        int(field[1]),
        int(field[2]),
        int(field[3]),
        int(field[11]) + int(field[12]) + int(field[13]) + int(field[14]),
        int(field[19]),
    )


def started(pid: int, *, dead: bool = False) -> int | None:
    """Return a living process's start time, as in `Stat`; with `dead` that of one not yet collected too.

    Asked for by every supervisor, and so without the rest of what `stat` would make.
    """
    if not HAS_PROC:
        found = stat(pid)
        return None if found is None or (found.dead and not dead) else found.started
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, STAT_BYTES_MAX)
    except OSError:
        return None
    finally:
        os.close(fd)
    field = text[text.rindex(b")") + 2 :].split(None, STARTED + 1)
    return None if field[0] in DEAD and not dead else int(field[STARTED])


def everyone() -> list[Stat]:
    """Return every process that this user may see."""
    if not HAS_PROC:
        return [Stat(*row) for row in ps.rows()]
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [found for pid in pids if (found := stat(pid)) is not None]


def children(pid: int) -> list[int]:
    """Return the children of a process, those of all its threads, zombies too.

    The kernel's own list can miss one when another ends while it is read; who needs all of them
    asks again until a wait says that nobody is left.
    """
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return [] if HAS_PROC else [one.pid for one in everyone() if one.parent == pid]
    for thread in threads:
        text = read(f"/proc/{pid}/task/{thread}/children", PIDS_MAX * 8)
        if text is None and not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            # A kernel built without these lists: look at every process's parent instead.
            return [one.pid for one in everyone() if one.parent == pid]
        found.extend(int(number) for number in (text or b"").split())
    return found


def environment_has(pid: int, entry: bytes) -> bool:
    """Say whether a process was started with this NAME=value in its environment."""
    if not HAS_PROC:
        return entry in ps.command_with_environment(pid).split()
    text = read(f"/proc/{pid}/environ", PIDS_MAX)
    return text is not None and entry in text.split(b"\0")


def read(path: str, bytes_max: int) -> bytes | None:
    """Read a small file of /proc; None when it is gone or not for this user."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        parts = []
        left = bytes_max
        while left > 0 and (part := os.read(fd, min(left, PIECE_BYTES))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    except (ProcessLookupError, PermissionError):
        return None
    finally:
        os.close(fd)
