"""What the figures were measured on.  Without these facts no figure means anything.

The time of an fsync is measured where the boards are made: 200 times 4 KiB appended to a file and
`fdatasync`, the middle one and the 99th of a hundred.
"""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

from bench.rounds import percentile

SYNCS = 200
BLOCK = bytes(4096)
DRIFT_MAX = 2.0


def facts(folder: Path) -> dict[str, Any]:
    """The machine, as far as it matters here; `folder` is where the boards are made."""
    syncs_ms = sync_times_ms(folder)
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "processor": processor(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "file_system": file_system(folder),
        "fsync_p50_ms": round(percentile(syncs_ms, 50), 3),
        "fsync_p99_ms": round(percentile(syncs_ms, 99), 3),
        "load": round(os.getloadavg()[0], 2),
    }


def sentence(told: dict[str, Any]) -> str:
    """The facts in two lines."""
    return (
        f"{told['cores']} cores ({told['processor']}), {told['memory_gb']} GB, {told['system']},"
        f" load {told['load']}\n"
        f"Python {told['python']}, SQLite {told['sqlite']}, {told['file_system']},"
        f" fsync of 4 KiB p50 {told['fsync_p50_ms']} ms, p99 {told['fsync_p99_ms']} ms"
    )


def disturbance(told: dict[str, Any], folder: Path) -> str | None:
    """What to doubt in the figures: a machine that others kept busy, or a disk that changed."""
    doubts = []
    if told["load"] > told["cores"] / 2:
        doubts.append(f"the load was {told['load']} before anything began")
    after_ms = percentile(sync_times_ms(folder), 50)
    before_ms = told["fsync_p50_ms"]
    if not 1 / DRIFT_MAX < after_ms / before_ms < DRIFT_MAX:
        doubts.append(f"an fsync took {before_ms:.2f} ms before and {after_ms:.2f} ms after")
    if not doubts:
        return None
    return f"others used this machine meanwhile ({'; '.join(doubts)}); judge by a quieter run"


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1] if found else platform.machine()


def file_system(folder: Path) -> str:
    """The kind of the file system that holds the folder."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown file system"
    path = folder.resolve()
    holding = [line.split()[1:3] for line in mounts if path.is_relative_to(line.split()[1])]
    return max(holding, key=lambda mount: len(mount[0]), default=["", "unknown file system"])[1]


def sync_times_ms(folder: Path) -> list[float]:
    """How long the disk takes to keep 4 KiB."""
    # macOS has no fdatasync; its fsync is the nearest there is.
    sync = getattr(os, "fdatasync", os.fsync)
    path = folder / "sync-test"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        times = []
        for number in range(SYNCS):
            os.pwrite(descriptor, BLOCK, number * len(BLOCK))
            begun = time.perf_counter()
            sync(descriptor)
            times.append((time.perf_counter() - begun) * 1000)
        return times
    finally:
        os.close(descriptor)
        path.unlink()
