"""Signals as flags, and a descriptor that wakes a poll when one arrived.

No work is done in a handler: it sets a flag.  The wake-up descriptor only wakes; its bytes are
thrown away, because a full pipe may lose one while a flag is never lost.

The helper makes one inbox and every supervisor forked from it goes on with the same handlers, on a
descriptor of its own.  Two signals are for supervisors alone: they stay blocked in the helper, and
so across the fork, and are heard when the supervisor is ready for them.  The rest of what Python
or a parent would ignore has a handler, too, because a program that is started falls back to the
default from a handler, and from nothing else.
"""

import os
import signal
from types import FrameType

FOR_SUPERVISORS = frozenset({signal.SIGTERM, signal.SIGUSR1})
HEARD = (*FOR_SUPERVISORS, signal.SIGCHLD, signal.SIGCONT)
# Of the terminal, of a closed pipe, of a file size limit: nothing to stop for.
UNHEEDED = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)


class Inbox:
    """The signals that came to this process."""

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, FOR_SUPERVISORS)
        self._seen: set[int] = set()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            default = number not in HEARD and number not in UNHEEDED
            signal.signal(number, signal.SIG_DFL if default else self._note)
        self.fd = self._open()

    def renew(self) -> None:
        """Go on in a forked child: with a descriptor of its own, and hearing everything."""
        self._seen.clear()
        self.fd = self._open()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FOR_SUPERVISORS)

    def drain(self) -> None:
        """Empty the descriptor; called when a poll says that it is readable."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:  # noqa: PLR2004 - the size just asked for
                pass
        except BlockingIOError:
            pass

    def take(self, number: int) -> bool:
        """Say whether this signal came since it was last asked for."""
        if number not in self._seen:
            return False
        self._seen.discard(number)
        return True

    def hear_again(self, number: int) -> None:
        """Set a flag, and wake the next poll, as if the signal had come once more."""
        self._seen.add(number)
        os.write(self._wake, b"\0")

    def _open(self) -> int:
        reading, self._wake = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        return reading

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._seen.add(number)
