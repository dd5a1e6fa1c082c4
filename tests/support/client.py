"""A client that creates tasks, made to be killed and started again with the same requests.

    python -m tests.support.client HOME FIRST COUNT ARGV…

Each task's request has the id that its number gives, so whoever starts this again creates nothing twice.
Every third task has a check.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.domain.errors import Unavailable
from shopfloor.surfaces.cli.client import Ask

CHECKED = 3


def main(root: Path, first: int, count: int, argv: list[str]) -> None:
    """Create the tasks one after the other; ends with an error if one is refused."""
    client = HomeClient(Home(root), None)
    for number in range(first, first + count):
        args: dict[str, object] = {"title": f"task {number}", "command": {"argv": argv}}
        if number % CHECKED == 0:
            args["check"] = ["true"]
        request = Ask("task.create", json.dumps(args).encode(), None, f"create-{number}", "ann")
        answer = json.loads(answer_to(client, request))
        assert "result" in answer, answer
        print(answer["result"]["task"]["id"], flush=True)
    client.close()


def answer_to(client: HomeClient, request: Ask) -> bytes:
    """The answer, asked for again where a busy machine gave none in time: it is the same request."""
    while True:
        try:
            return client.ask(request)
        except Unavailable as busy:
            if type(busy) is not Unavailable:
                raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
