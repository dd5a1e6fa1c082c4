"""Self-fencing: a worker on a shared board is killed when its dispatcher stops renewing.

The dispatcher writes the time since the boot into a file on every renewal, the supervisor reads
it when it is due.  That clock goes on while the machine is suspended and is not set by anyone, so
a machine that slept past its lease knows it at once.  The stamp has a fixed width and is written
in place: renewing needs no free block on a full disk.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH123

import os

from shopfloor.process import syscalls

STAMP_DIGITS = 20
NS_PER_MS = 1_000_000


def write_fence(path: str) -> None:
    """Renew: write the present moment into the file."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, f"{syscalls.boottime_ns():0{STAMP_DIGITS}d}\n".encode(), 0)
    finally:
        os.close(fd)


def read_stamp(path: str) -> int | None:
    """Return the last renewal; None when the file is missing or holds anything else."""
    try:
        with open(path, "rb") as file:
            text = file.read(STAMP_DIGITS + 2).strip()
    except OSError:
        return None
    return int(text) if len(text) == STAMP_DIGITS and text.isdigit() else None


class Fence:
    """The watch over one fence file.

    Until the first stamp is seen, the start counts as one.  A stamp from the future is not
    believed.  `fd` wakes a poll at the end of the lease, also right after a suspend.
    """

    def __init__(self, path: str, length_ms: int) -> None:
        self._path = path
        self._length_ns = length_ms * NS_PER_MS
        self._renewed_ns = syscalls.boottime_ns()
        self.fd = syscalls.boottime_timer()
        self._arm()

    def expired(self) -> bool:
        """Say whether the lease has run out, looking at the file only when it seems so."""
        now = syscalls.boottime_ns()
        if now - self._renewed_ns < self._length_ns:
            return False
        stamp = read_stamp(self._path)
        if stamp is not None and self._renewed_ns < stamp <= now:
            self._renewed_ns = stamp
        self._arm()
        return now - self._renewed_ns >= self._length_ns

    def left_s(self) -> float:
        """Return the seconds until the next look, for a poll on a system without the timer."""
        left_ns = self._renewed_ns + self._length_ns - syscalls.boottime_ns()
        return max(left_ns, 0) / syscalls.NS_PER_S

    def _arm(self) -> None:
        if self.fd is not None:
            syscalls.set_boottime_timer(self.fd, self._renewed_ns + self._length_ns)
