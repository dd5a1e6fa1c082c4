"""What processes cost, by /proc: memory in three honest sizes, and processor time.

RSS counts shared pages in every process that maps them; PSS divides a shared page among its
mappers, so that the sum over a family is what it really takes; USS counts only pages that nobody
else has: what is given back when this process ends, and what one more of its kind costs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bench.env import CouldNotMeasure

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """A process's memory in MB (of 1,000,000 bytes)."""

    rss: float
    pss: float
    uss: float


def memory(pid: int) -> Memory:
    """The memory of one process."""
    told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", read(pid, "smaps_rollup"), re.MULTILINE))
    megabytes = {name: int(kib) * 1024 / 1e6 for name, kib in told.items()}
    own = megabytes["Private_Clean"] + megabytes["Private_Dirty"]
    return Memory(megabytes["Rss"], megabytes["Pss"], own)


def processor_s(pids: Iterable[int]) -> float:
    """The processor time that these processes have used so far, in seconds."""
    return sum(sum(int(ticks) for ticks in fields(pid)[11:13]) for pid in pids) / TICKS_PER_S


def family(root: int) -> list[int]:
    """A process and everything below it, parents first."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                above = parent(int(entry.name))
            except CouldNotMeasure:
                continue
            children.setdefault(above, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(sorted(children.get(pid, [])))
    return found


def parent(pid: int) -> int:
    """Who a process belongs to."""
    return int(fields(pid)[1])


def command(pid: int) -> str:
    """The name that the system shows for a process."""
    return read(pid, "comm").strip()


def fields(pid: int) -> list[str]:
    """What `stat` says after the name: state, parent, and so on."""
    return read(pid, "stat").rpartition(")")[2].split()


def read(pid: int, name: str) -> str:
    """One file of a process."""
    try:
        return (PROC / str(pid) / name).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CouldNotMeasure(f"process {pid} cannot be looked at: {error.strerror}") from None
