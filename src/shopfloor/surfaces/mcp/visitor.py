"""Who asks for tools: the bearer of a run's token, as the board knows it.

The board is asked for every request, so an agent whose run was taken back a moment ago has no tools now.
Nothing of a board is read for a bearer that the board does not know.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from shopfloor.domain.errors import Forbidden, from_dict
from shopfloor.surfaces.door import Door

_RUN = re.compile("[0-9]{1,18}")
SCHEME = "bearer "
HOW = "send `Authorization: Bearer RUN:TOKEN`, with the run's number and its token"
RESULT = b'{"result":'


class Visitor(NamedTuple):
    """The worker of a run, and what it may use."""

    board: str
    run: int
    token: str
    task: int
    open: bool
    reason: str
    workspace: str | None
    tools: tuple[str, ...]
    unread: int

    def envelope(self, op: str, args: dict[str, Any]) -> dict[str, object]:
        """A request in this worker's name."""
        return {
            "op": op,
            "args": args,
            "board": self.board,
            "run": self.run,
            "token": self.token,
        }


def result_of(answer: bytes) -> bytes:
    """The result's JSON; raises the error that was answered."""
    if not answer.startswith(RESULT):
        raise from_dict(json.loads(answer))
    return answer[len(RESULT) : -1]


async def recognise(door: Door, board: str, authorization: str) -> Visitor:
    """The worker that shows these credentials; raises Forbidden for nobody's."""
    run, token = _credentials(authorization)
    asked = {"op": "run.tools", "board": board, "run": run, "token": token}
    found = json.loads(result_of(await door.ask(asked)))
    return Visitor(
        board,
        run,
        token,
        found["task"],
        found["open"],
        found["reason"],
        found["workspace"],
        tuple(found["tools"]),
        found["unread"],
    )


def _credentials(authorization: str) -> tuple[int, str]:
    if authorization[: len(SCHEME)].lower() != SCHEME:
        raise Forbidden(f"the tools are for the workers of a board; {HOW}")
    run, colon, token = authorization[len(SCHEME) :].strip().partition(":")
    if not colon or not token or not _RUN.fullmatch(run):
        raise Forbidden(f"these credentials are no run's; {HOW}")
    return int(run), token
