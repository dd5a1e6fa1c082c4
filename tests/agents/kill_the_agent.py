"""Run by an agent's own shell tool: kills the agent, as a crash in the middle of a turn does.

The agent is the ancestor of this process whose parent is the runner.  Where the runner is not found,
the parent's parent is killed, which is the agent of a shell that it started directly.
"""

import os
import signal
from pathlib import Path

RUNNER = "shopfloor.runners"


def parent(pid: int) -> int:
    """The parent's number; the name in brackets before it may hold anything."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_runner(pid: int) -> bool:
    return RUNNER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()


def agent() -> int:
    """The process to kill."""
    pid = os.getpid()
    while pid > 1:
        above = parent(pid)
        if above > 1 and is_runner(above):
            return pid
        pid = above
    return parent(os.getppid())


if __name__ == "__main__":
    os.kill(agent(), signal.SIGKILL)
