"""The few system calls that Python has no name for: prctl's two and a clock's timer.

On systems other than Linux each of them answers "not here" and the callers do without; the
folder's README says what is lost.
"""

import ctypes
import os
import sys
import time

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
CLOCK_BOOTTIME = 7
TFD_TIMER_ABSTIME = 1
NS_PER_S = 1_000_000_000

# Goes on while the machine is suspended; on macOS the monotonic clock does.
_SLEEPLESS_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# Looked up once, before any fork, so that a forked child finds it in memory that it shares.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PRCTL = None if _LIBC is None else _LIBC.prctl


# The kernel's `struct itimerspec`: interval and first time, each in seconds and nanoseconds.
_TimerSpec = ctypes.c_long * 4


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; False where that cannot be."""
    return _PRCTL is not None and _PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def show_name(name: bytes) -> None:
    """Set what `ps` and `top` show for this process, at most 15 bytes."""
    if _PRCTL is not None:
        _PRCTL(PR_SET_NAME, name[:15], 0, 0, 0)


def boottime_ns() -> int:
    """Nanoseconds since the boot, the time that the machine was suspended included."""
    return time.clock_gettime_ns(_SLEEPLESS_CLOCK)


def boottime_timer() -> int | None:
    """Open a timer's descriptor that wakes a poll also after a suspend; None where there is none."""
    if _LIBC is None:
        return None
    fd = int(_LIBC.timerfd_create(CLOCK_BOOTTIME, os.O_NONBLOCK | os.O_CLOEXEC))
    return fd if fd >= 0 else None


def set_boottime_timer(fd: int, at_ns: int) -> None:
    """Let the timer ring once at this moment of `boottime_ns`; a moment gone by rings at once."""
    if _LIBC is not None:
        spec = _TimerSpec(0, 0, at_ns // NS_PER_S, at_ns % NS_PER_S)
        _LIBC.timerfd_settime(fd, TFD_TIMER_ABSTIME, ctypes.byref(spec), None)
