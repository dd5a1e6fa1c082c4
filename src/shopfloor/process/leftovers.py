"""What a dead supervisor left behind: found by marker and session, and killed.

Used when a supervisor ended without an exit record.  Its worker died with it and the helper kills
what it inherits; this finds the rest from outside: processes of this user that carry the run's
marker in their environment or belong to the worker's session, and everything below them.
"""

import os
import select
import signal
from collections.abc import Iterable

from shopfloor.process import identity, proc
from shopfloor.process.folder import RunFolder
from shopfloor.process.identity import Identity
from shopfloor.process.spec import MARKER_NAME


def recorded(run_dir: str) -> Identity | None:
    """Return the worker as its supervisor wrote it down; it led the session of its own number."""
    return RunFolder(run_dir).recorded_worker()


def find(marker: str, sessions: Iterable[Identity] = ()) -> list[Identity]:
    """Return what lives of a run: by its marker, by the sessions that its workers led.

    A session whose leader's number belongs to another process by now is another session.
    """
    everyone = [one for one in proc.everyone() if not one.dead and one.pid != os.getpid()]
    numbers = _own_sessions(sessions, everyone)
    entry = f"{MARKER_NAME}={marker}".encode()
    found = {
        one.pid
        for one in everyone
        if one.session in numbers or (marker and proc.environment_has(one.pid, entry))
    }
    grown = True
    while grown:
        below = {one.pid for one in everyone if one.parent in found} - found
        found |= below
        grown = bool(below)
    boot = identity.boot_id()
    return [Identity(boot, one.pid, one.started) for one in everyone if one.pid in found]


def stop(marker: str, sessions: Iterable[Identity] = (), *, patience_ms: int = 200) -> bool:
    """Kill what lives of a run; True once nothing does, False when the caller should ask again."""
    leaders = tuple(sessions)
    left = find(marker, leaders)
    for one in left:
        _kill(one)
    if not left:
        return True
    _wait_for_ends(left, patience_ms)
    return not find(marker, leaders)


def _own_sessions(sessions: Iterable[Identity], everyone: list[proc.Stat]) -> set[int]:
    started = {one.pid: one.started for one in everyone}
    return {
        leader.pid
        for leader in sessions
        if leader.boot_id == identity.boot_id()
        and started.get(leader.pid, leader.started) == leader.started
    }


def _kill(one: Identity) -> None:
    try:
        identity.send(one, signal.SIGKILL)
    except PermissionError:
        # Of another user by now; it counts as living, and the caller says so.
        return


def _wait_for_ends(left: list[Identity], patience_ms: int) -> None:
    """Wait for the ends of what was killed, at most this long altogether."""
    poll = select.poll()
    held = []
    try:
        for one in left:
            fd = identity.hold(one)
            if fd is not None:
                held.append(fd)
                poll.register(fd, select.POLLIN)
        # One more turn than there are processes is never needed: each end is told once.
        for _ in range(len(held)):
            ended = poll.poll(patience_ms)
            if not ended:
                return
            for fd, _ in ended:
                poll.unregister(fd)
    except NotImplementedError:
        poll.poll(patience_ms)
    finally:
        for fd in held:
            os.close(fd)
