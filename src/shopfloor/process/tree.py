"""The processes below one process: who they are, and how all of them are stopped.

The caller is their subreaper, so nobody below it can get out by leaving a group or a session or
by losing its parent.  A number is signalled only while a descriptor holds the process and its
parent is seen to belong to the tree; so a number that was given again is left alone.
"""

import os
import signal
from collections.abc import Iterable

from shopfloor.process import proc

DESCENDANTS_MAX = 100_000
NOBODY: frozenset[int] = frozenset()


def descendants(root: int, spare: frozenset[int] = NOBODY) -> list[int]:
    """Return every process below one, nearest first, those included that ended uncollected.

    The spared ones are left out, and what is below them too.
    """
    found: list[int] = []
    known = {root, *spare}
    waiting = [root]
    while waiting and len(found) < DESCENDANTS_MAX:
        below = [pid for pid in proc.children(waiting.pop(0)) if pid not in known]
        known.update(below)
        found.extend(below)
        waiting.extend(below)
    return found


def living(root: int, spare: frozenset[int] = NOBODY) -> list[proc.Stat]:
    """Return what is known of every living process below one."""
    stats = (proc.stat(pid) for pid in descendants(root, spare))
    return [found for found in stats if found is not None and not found.dead]


def cpu_ticks(root: int) -> int:
    """Return the processor time that everything below one has used."""
    return sum(found.cpu_ticks for found in living(root))


def ask_to_leave(root: int) -> int:
    """Send SIGTERM once to each process below one; return how many live.

    A group is told as one where its leader's number names it, so that no process of it hears the
    signal twice: many programs take a second SIGTERM for an order to skip their clean-up.
    """
    alive = living(root)
    groups = {found.group for found in alive} - {os.getpgid(0)}
    for group in groups:
        _signal_group(group, signal.SIGTERM)
        if any(found.state in "Tt" for found in alive if found.group == group):
            # A stopped process would hear of it only when somebody lets it go on.
            _signal_group(group, signal.SIGCONT)
    signal_all(root, (found.pid for found in alive if found.group not in groups), signal.SIGTERM)
    return len(alive)


def kill(root: int, spare: frozenset[int] = NOBODY) -> list[proc.Stat]:
    """Send SIGKILL to everything below one; return who lived.

    The groups come first: the kernel signals a whole group at one moment, and nobody in it can
    start another process past that.  Called again until a wait says that nobody is left.
    """
    alive = living(root, spare)
    for group in {found.group for found in alive} - {os.getpgid(0)}:
        _signal_group(group, signal.SIGKILL)
    signal_all(root, (found.pid for found in alive), signal.SIGKILL)
    return alive


def signal_all(root: int, pids: Iterable[int], number: int) -> None:
    """Signal processes of the tree one by one, each held while it is checked."""
    family = {root, *descendants(root)}
    for pid in pids:
        try:
            fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        except OSError:
            continue
        try:
            found = proc.stat(pid)
            if found is None or found.dead or found.parent not in family:
                continue
            if fd is None:
                os.kill(pid, number)
            else:
                signal.pidfd_send_signal(fd, number)
        except (ProcessLookupError, PermissionError):
            continue
        finally:
            if fd is not None:
                os.close(fd)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # Gone, or of another user: the wait for the end goes on, the caller asks again.
        return
