"""huey on SQLite with its consumer: commands from a queue to stored results, so many at a time.

The queue is filled first, each entry a durable commit; the time is taken from the consumer's start
to the last stored result.  The consumer's workers are processes, its own way to use several cores.
"""

from __future__ import annotations

import subprocess
import time
from typing import Any

from huey import SqliteHuey

from bench.loads.turns import options, serve

PAUSE_S = 0.002
LIMIT_S = 240.0


def main() -> None:
    """Serve turns of so many commands."""
    chosen = options()
    queue = SqliteHuey(filename=chosen["path"], fsync=True)
    command: list[str] = chosen["command"]

    def work() -> int:
        return subprocess.run(command, check=True).returncode

    task = queue.task()(work)

    def turn(request: dict[str, Any]) -> dict[str, Any]:
        queue.flush()
        for _ in range(request["tasks"]):
            task()
        consumer = queue.create_consumer(
            workers=chosen["workers"],
            worker_type="process",
            periodic=False,
            initial_delay=0.01,
            check_worker_health=False,
        )
        begun = time.perf_counter()
        consumer.start()
        while queue.result_count() < request["tasks"]:
            assert time.perf_counter() - begun < LIMIT_S, "huey did not finish its queue"
            time.sleep(PAUSE_S)
        seconds = time.perf_counter() - begun
        consumer.stop(graceful=True)
        return {"count": request["tasks"], "seconds": seconds}

    serve(turn)


if __name__ == "__main__":
    main()
