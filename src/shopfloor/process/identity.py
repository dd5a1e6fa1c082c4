"""Which process is meant: a number alone is never believed.

Numbers are given again when a process has gone, so a process is (boot id, pid, start time).
Everything that asks whether a process lives, or sends it a signal, goes through here.
"""

import errno
import functools
import os
import signal
from typing import NamedTuple

from shopfloor.process import proc, ps

BOOT_ID_PATH = "/proc/sys/kernel/random/boot_id"


class Identity(NamedTuple):
    """One process of one boot; `started` as in `proc.Stat`."""

    boot_id: str
    pid: int
    started: int


@functools.cache
def boot_id() -> str:
    """Name this boot of the machine; another one after a restart."""
    text = proc.read(BOOT_ID_PATH, 64)
    return text.decode().strip() if text else ps.boot_id()


def of(pid: int) -> Identity | None:
    """Return the identity of the process that has this number now; None when it is dead."""
    started = proc.started(pid)
    return None if started is None else Identity(boot_id(), pid, started)


def mine() -> Identity:
    found = of(os.getpid())
    if found is None:
        raise ProcessLookupError("The system does not tell this process's own start time.")
    return found


def alive(identity: Identity) -> bool:
    """Say whether this very process lives; one that ended and was not yet collected is dead."""
    return identity.pid > 0 and identity.boot_id == boot_id() and of(identity.pid) == identity


def hold(identity: Identity) -> int | None:
    """Open a descriptor of this very process; None when it is dead.

    The caller closes it.  It becomes readable when the process ends.  Raises NotImplementedError
    where the system has no such descriptors.
    """
    if not hasattr(os, "pidfd_open"):
        raise NotImplementedError("This system has no process descriptors.")
    if identity.pid <= 0:
        return None
    try:
        fd = os.pidfd_open(identity.pid)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):
            raise NotImplementedError("This kernel has no process descriptors.") from error
        if error.errno in (errno.ESRCH, errno.EINVAL):
            return None
        raise
    # Checked after opening: if the number was given again in between, the start time differs.
    if alive(identity):
        return fd
    os.close(fd)
    return None


def send(identity: Identity, number: int) -> bool:
    """Send a signal to this very process; False when it is dead.

    A process that has got the same number since is never signalled.
    """
    try:
        fd = hold(identity)
    except NotImplementedError:
        return _send_by_number(identity, number)
    if fd is None:
        return False
    try:
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


def _send_by_number(identity: Identity, number: int) -> bool:
    """Check and signal in two steps: what is left where no descriptor holds the process."""
    if not alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True
