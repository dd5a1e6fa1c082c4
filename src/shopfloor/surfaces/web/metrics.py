"""`/metrics` for Prometheus: what there is on every board, and what this process has measured; and how it is.

The figures of the boards are asked for when they are read, with the same operations that people use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from shopfloor import __version__
from shopfloor.domain.errors import BoardError
from shopfloor.surfaces.door import Door
from shopfloor.surfaces.mcp.visitor import result_of
from shopfloor.surfaces.web.answers import API, refusal, value
from shopfloor.surfaces.web.measures import Measures
from shopfloor.surfaces.web.stream import Feeds
from shopfloor.surfaces.web.who import Keys, Who

KIND = "text/plain; version=0.0.4; charset=utf-8"
Labels = dict[str, Any]


class Family(NamedTuple):
    """One metric: its name, what kind of figure it is, its words, and its figures by their labels."""

    name: str
    kind: str
    words: str
    figures: Iterable[tuple[Labels, float]]


class Metrics:
    """Answers those who watch."""

    def __init__(self, door: Door, keys: Keys, measures: Measures, feeds: Feeds) -> None:
        self._door = door
        self._keys = keys
        self._measures = measures
        self._feeds = feeds

    async def show(self, request: Request, who: Who) -> Response:  # noqa: ARG002 - as all are called
        """`GET /metrics`."""
        slugs = [board["slug"] for board in _listed(await self._ask("board.list", None))]
        boards = []
        for slug in slugs:
            try:
                boards.append(await self._board(slug))
            except BoardError:
                # A board that is broken has no figures but this: it is not up.
                continue
        up = {board[0] for board in boards}
        told = [({"board": slug}, int(slug in up)) for slug in slugs]
        families = [
            Family("board_up", "gauge", "Whether a board can be asked.", told),
            *self._of_boards(boards),
            *self._own(),
        ]
        return Response(
            "".join(_text(one) for one in families), headers={**API, "Content-Type": KIND}
        )

    async def _board(self, slug: str) -> tuple[str, Any, Any, Any]:
        """What one board tells of itself; raises what it refuses with."""
        stats = await self._ask("stats.show", slug)
        needs = await self._ask("board.needs", slug, limit=1)
        return slug, stats, needs, _listed(await self._ask("admin.hosts", slug))

    async def ready(self) -> Response:
        """`GET /readyz`: whether the boards can be reached."""
        try:
            await self._ask("board.list", None)
        except BoardError as wrong:
            return refusal(wrong)
        return value({"ok": True})

    async def _ask(self, op: str, board: str | None, **args: Any) -> Any:
        asked: dict[str, object] = {"op": op, "args": args, "board": board}
        return json.loads(result_of(await self._door.ask(asked)))

    def _of_boards(self, boards: list[tuple[str, Any, Any, Any]]) -> Iterator[Family]:
        now = self._keys.now() / 1000
        yield Family("tasks", "gauge", "Tasks by status.", _by(boards, 1, "by_status", "status"))
        yield Family(
            "runs_total",
            "counter",
            "Ended runs by outcome.",
            _by(boards, 1, "by_outcome", "outcome"),
        )
        yield Family(
            "runs_live",
            "gauge",
            "Runs that hold a slot.",
            [({"board": slug}, stats["live_runs"]) for slug, stats, _, _ in boards],
        )
        yield Family(
            "oldest_ready_seconds",
            "gauge",
            "The age of the task that has been ready longest; 0 if none is.",
            [({"board": slug}, stats["oldest_ready_s"] or 0) for slug, stats, _, _ in boards],
        )
        yield Family(
            "needs", "gauge", "What waits for a person, by kind.", _by(boards, 2, "counts", "kind")
        )
        yield Family(
            "host_seen_seconds",
            "gauge",
            "How long ago a host's dispatcher was seen.",
            [
                ({"board": slug, "host": host["name"]}, now - _seconds(host["seen_at"]))
                for slug, _, _, hosts in boards
                for host in hosts
            ],
        )

    def _own(self) -> Iterator[Family]:
        buckets, sum_s = self._measures.door
        answers = sorted(self._measures.answers.items())
        yield Family("info", "gauge", "The version.", [({"version": __version__}, 1)])
        yield Family(
            "http_answers_total",
            "counter",
            "Answers over HTTP since the process began.",
            [({"method": method, "status": status}, count) for (method, status), count in answers],
        )
        yield Family("event_streams", "gauge", "Open event streams.", [({}, self._feeds.readers)])
        yield Family(
            "door_seconds",
            "histogram",
            "How long the door took to answer.",
            [
                *(({"__name": "_bucket", "le": bound}, count) for bound, count in buckets),
                ({"__name": "_sum"}, sum_s),
                ({"__name": "_count"}, buckets[-1][1]),
            ],
        )


def _by(boards: list[Any], at: int, field: str, label: str) -> list[tuple[Labels, float]]:
    """The figures of a table of counts in one of each board's answers."""
    return [
        ({"board": board[0], label: name}, count)
        for board in boards
        for name, count in board[at][field].items()
    ]


def _listed(found: Any) -> Any:
    """The rows of a list, with or without a cursor around them."""
    return found["items"] if isinstance(found, dict) else found


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _text(family: Family) -> str:
    name = f"shopfloor_{family.name}"
    lines = [f"# HELP {name} {family.words}", f"# TYPE {name} {family.kind}"]
    for labels, figure in family.figures:
        suffix = labels.get("__name", "")
        told = ",".join(
            f'{key}="{_escaped(one)}"' for key, one in labels.items() if key != "__name"
        )
        lines.append(
            f"{name}{suffix}{{{told}}} {figure:g}" if told else f"{name}{suffix} {figure:g}"
        )
    return "\n".join(lines) + "\n"


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
