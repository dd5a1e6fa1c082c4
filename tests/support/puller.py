"""A worker of its own: claims tasks and completes them until none is ready.

    python -m tests.support.puller HOME

Prints the number of each task that it completed.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.surfaces.cli.client import Ask
from tests.support.client import answer_to


def main(root: Path) -> None:
    """Work until `claim` finds nothing."""
    while (claimed := ask(root, "run.claim")) is not None:
        number, run, token = claimed["task"], claimed["run"], claimed["token"]
        ask(root, "task.complete", run, token, id=number, summary="pulled")
        print(number, flush=True)


def ask(
    root: Path, op: str, run: int | None = None, token: str | None = None, **args: Any
) -> dict[str, Any] | None:
    """One request on a connection of its own; None where nothing was found."""
    client = HomeClient(Home(root), None)
    try:
        request = Ask(op, json.dumps(args).encode(), None, uuid.uuid4().hex, None, run, token)
        answer = json.loads(answer_to(client, request))
    finally:
        client.close()
    if "error" in answer and answer["error"]["code"] == "not_found":
        return None
    result: dict[str, Any] = answer["result"]
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
