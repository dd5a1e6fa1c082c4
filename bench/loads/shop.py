"""The board itself: create, claim and complete as operations, each with a request id.

It is reached in one of three ways.  `call`: the single door of the operations, in this process.
`door`: the Unix socket of a running `shop up`.  `alone`: as a command does where nothing runs, so
that every request takes the board's lock, opens the board, is carried out and closes it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from bench.loads.turns import options, serve, through
from shopfloor.app.boards import HomeBoards
from shopfloor.app.own_door import prepare_board, release_board
from shopfloor.app.reach import DoorClient, HomeClient
from shopfloor.app.service import BoardService, open_database
from shopfloor.config import find_home
from shopfloor.ops.call import Envelope, call
from shopfloor.surfaces.cli.client import Ask as Request

Ask = Callable[[Request], bytes]


def main() -> None:
    """Serve turns: a time full of lives, or one `step` of a life."""
    chosen = options()
    ask = reached(chosen["way"], chosen["home"])
    encode, decode = msgspec.json.encode, msgspec.json.decode
    name, sent = f"bench-{os.getpid()}", 0
    told: dict[str, list[int]] = {"created": [], "claimed": [], "completed": []}

    def request(op: str, run: dict[str, Any] | None = None, /, **args: Any) -> dict[str, Any]:
        nonlocal sent
        sent += 1
        asked = Request(
            op,
            encode(args),
            request_id=f"{name}-{sent}",
            actor="bench",
            run=None if run is None else run["run"],
            token=None if run is None else run["token"],
        )
        answer = decode(ask(asked))
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def life() -> Iterator[None]:
        made = request("task.create", title="A task of the benchmark", assignee="worker")["task"]
        told["created"].append(made["id"])
        yield
        # By its number, or the next of all that wait.
        which = {"id": made["id"]} if chosen["own"] else {"assignee": "worker"}
        run = request("run.claim", **which)
        told["claimed"].append(run["task"])
        yield
        request("task.complete", run, id=run["task"], summary="done")
        told["completed"].append(run["task"])
        yield

    steps = life()

    def turn(asked: dict[str, Any]) -> dict[str, Any]:
        nonlocal steps
        if "step" in asked:
            next(steps)
            if asked["step"] == "complete":
                steps = life()
            return {}
        for numbers in told.values():
            numbers.clear()
        answer = through(life, asked["seconds"], forgiving=asked.get("forgiving", False))
        return {**answer, **told}

    serve(turn)


def reached(way: str, folder: str) -> Ask:
    """How a request reaches the board."""
    home = find_home(folder)
    if way == "door":
        door = DoorClient(str(home.socket))
        return lambda asked: door.ask(asked.encode())
    if way == "alone":
        return HomeClient(home, None).ask
    boards = HomeBoards(home, prepare=prepare_board, release=release_board)
    board = boards.resolve(None)
    service = BoardService(home, board, open_database(board), boards)
    return lambda asked: call(
        service, Envelope(**{**asked._asdict(), "args": msgspec.Raw(asked.args)})
    )


if __name__ == "__main__":
    main()
