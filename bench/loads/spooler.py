"""task-spooler: commands from a full queue to their end, four at a time.

Each queued job is a process that waits for its turn and is nobody's child; this load is the subreaper
of all it starts and takes leave of them, because not every machine's first process does.  Nothing of
the queue is on disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.loads.turns import options, serve

PR_SET_CHILD_SUBREAPER = 36
SLOTS = "4"


def main() -> None:
    """Serve turns of so many commands."""
    chosen = options()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = Path(chosen["folder"])
    gate = folder / "gate"
    os.mkfifo(gate)
    told = {"TS_SOCKET": str(folder / "socket"), "TMPDIR": str(folder), "TS_MAXFINISHED": "10"}
    variables = {**os.environ, **told}

    def tsp(*words: str) -> None:
        subprocess.run([chosen["program"], *words], check=True, env=variables)

    def turn(request: dict[str, Any]) -> dict[str, Any]:
        tsp("-S", SLOTS)
        # A job that takes all four slots and waits for the pipe holds the queue until it is full.
        tsp("-n", "-N", SLOTS, "sh", "-c", f"read _ < {gate}")
        for _ in range(request["tasks"]):
            tsp("-n", *chosen["command"])
        # Another one with all slots starts when every job before it has ended.
        tsp("-n", "-N", SLOTS, *chosen["command"])
        with gate.open("w") as opened:
            begun = time.perf_counter()
            opened.write("go\n")
        tsp("-w")
        seconds = time.perf_counter() - begun
        tsp("-K")
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        return {"count": request["tasks"], "seconds": seconds}

    serve(turn)


if __name__ == "__main__":
    main()
