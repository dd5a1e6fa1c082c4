"""Learns of the end of processes that are not our children.

One descriptor per process, held in one poll object, whose own number can be put into another
selector.  Nothing is collected here: whose child a process is, that one collects it.
"""

import os
import select
import sys
from collections.abc import Hashable
from typing import Generic, TypeVar

from shopfloor.process import identity
from shopfloor.process.identity import Identity

Key = TypeVar("Key", bound=Hashable)


if sys.platform == "darwin":

    class ExitWatch(Generic[Key]):
        """The same by kqueue, which watches a number; the start time is compared after adding."""

        def __init__(self) -> None:
            self._queue = select.kqueue()
            self._pids: dict[Key, int] = {}

        def add(self, key: Key, process: Identity) -> bool:
            self.remove(key)
            try:
                self._change(process.pid, select.KQ_EV_ADD | select.KQ_EV_ONESHOT)
            except ProcessLookupError:
                return False
            self._pids[key] = process.pid
            if not identity.alive(process):
                self.remove(key)
                return False
            return True

        def remove(self, key: Key) -> None:
            pid = self._pids.pop(key, None)
            if pid is not None:
                try:
                    self._change(pid, select.KQ_EV_DELETE)
                except (FileNotFoundError, ProcessLookupError):
                    return

        def fileno(self) -> int:
            return self._queue.fileno()

        def ready(self) -> list[Key]:
            ended = {event.ident for event in self._queue.control(None, 1024, 0)}
            keys = [key for key, pid in self._pids.items() if pid in ended]
            for key in keys:
                del self._pids[key]
            return keys

        def close(self) -> None:
            self._queue.close()

        def _change(self, pid: int, flags: int) -> None:
            event = select.kevent(
                pid, filter=select.KQ_FILTER_PROC, flags=flags, fflags=select.KQ_NOTE_EXIT
            )
            self._queue.control([event], 0, 0)

else:

    class ExitWatch(Generic[Key]):
        """The processes that somebody waits for, each under a key of the caller's."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._held: dict[Key, int] = {}
            self._keys: dict[int, Key] = {}

        def add(self, key: Key, process: Identity) -> bool:
            """Watch a process; False when it is dead already.  A key watched before is replaced."""
            self.remove(key)
            fd = identity.hold(process)
            if fd is None:
                return False
            self._epoll.register(fd, select.EPOLLIN)
            self._held[key] = fd
            self._keys[fd] = key
            return True

        def remove(self, key: Key) -> None:
            """Stop watching; a key that is not watched is no error."""
            fd = self._held.pop(key, None)
            if fd is not None:
                del self._keys[fd]
                os.close(fd)

        def fileno(self) -> int:
            """Return what becomes readable when a watched process has ended."""
            return self._epoll.fileno()

        def ready(self) -> list[Key]:
            """Return the keys whose processes have ended, each once; they are watched no more."""
            keys = [self._keys[fd] for fd, _ in self._epoll.poll(0)]
            for key in keys:
                self.remove(key)
            return keys

        def close(self) -> None:
            for key in list(self._held):
                self.remove(key)
            self._epoll.close()
