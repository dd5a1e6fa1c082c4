"""Facts about processes by the program `ps`, for systems without /proc (macOS, the BSDs).

It is slow (a process per question) and coarse (a start time in seconds); `proc.py` uses it only
where nothing better is there.  The options are those that macOS, the BSDs and Linux share, so the
tests run this file on Linux too.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH123

import os
import time

PS = "/bin/ps"
SYSCTL = "/usr/sbin/sysctl"
COLUMNS = "pid=,ppid=,pgid=,state=,time=,lstart="
TICKS_PER_S = 100

Row = tuple[int, str, int, int, int, int, int]


def row(pid: int) -> Row | None:
    """Return (pid, state, parent, group, session, cpu ticks, started); None when it is gone."""
    found = _parse(_ps("-o", COLUMNS, "-p", str(pid)))
    return found[0] if found else None


def rows() -> list[Row]:
    """Return every process of the machine."""
    return _parse(_ps("-ax", "-o", COLUMNS))


def command_with_environment(pid: int) -> bytes:
    """Return a process's command line followed by its environment, as far as `ps` may show it."""
    return _ps("-E", "-ww", "-o", "command=", "-p", str(pid)).encode(errors="surrogateescape")


def boot_id() -> str:
    """Name this boot of the machine."""
    told = _run([SYSCTL, "-n", "kern.bootsessionuuid"]).strip()
    return told or _run([SYSCTL, "-n", "kern.boottime"]).strip() or "unknown"


def _parse(text: str) -> list[Row]:
    return [parsed for line in text.splitlines() if (parsed := _parse_line(line)) is not None]


def _parse_line(line: str) -> Row | None:
    part = line.split(None, 5)
    try:
        pid, parent, group = int(part[0]), int(part[1]), int(part[2])
        # The C locale's form: "Thu Jan  1 00:00:00 1970".
        started = int(time.mktime(time.strptime(part[5].strip(), "%a %b %d %H:%M:%S %Y")))
        ticks = _ticks(part[4])
    except (IndexError, ValueError):
        return None
    try:
        session = os.getsid(pid)
    except OSError:
        session = group
    return pid, part[3][0], parent, group, session, ticks, started


def _ticks(text: str) -> int:
    """Turn [days-][hours:]minutes:seconds[.hundredths] into clock ticks."""
    days, _, rest = text.rpartition("-")
    seconds = 0.0
    for piece in rest.split(":"):
        seconds = seconds * 60 + float(piece)
    return round((int(days or 0) * 86400 + seconds) * TICKS_PER_S)


def _ps(*arguments: str) -> str:
    return _run([PS, *arguments])


def _run(command: list[str]) -> str:
    """Run a program of the system and return what it printed; nothing when it cannot be run.

    Written with `posix_spawn`, because the supervisors' helper loads this file and stays small
    only without the `subprocess` module.
    """
    reading, writing = os.pipe()
    try:
        pid = os.posix_spawn(
            command[0], command, {"LC_ALL": "C"}, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)]
        )
    except OSError:
        os.close(reading)
        return ""
    finally:
        os.close(writing)
    with open(reading, "rb") as output:
        text = output.read()
    os.waitpid(pid, 0)
    return text.decode(errors="surrogateescape")
