"""What is done to schedules, to be played with a death at each statement: name, what was before, what is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shopfloor.kernel.schedules import Step, fire_due, retire, say_clock_back
from shopfloor.ops.schedule_tasks import maker
from tests.support.board import BoardHandle

HOUR_MS = 3_600_000


def added(board: BoardHandle, **more: Any) -> str:
    """A schedule that is due in an hour; its name."""
    asked = {"rule": "every 1h", "title": "t", "zone": "UTC", **more}
    return str(board.ask("schedule.add", **asked).schedule.name)


def due(board: BoardHandle, **more: Any) -> str:
    name = added(board, **more)
    board.clock.advance(HOUR_MS)
    return name


def due_again(board: BoardHandle) -> str:
    name = due(board, overlap="queue")
    fire(board, name)
    board.clock.advance(HOUR_MS)
    return name


def due_and_broken(board: BoardHandle) -> str:
    name = due(board)
    board.execute('UPDATE schedule SET request = \'{"title":""}\'')
    return name


def put_back(board: BoardHandle) -> str:
    name = due(board)
    fire(board, name)
    board.clock.advance(-2 * HOUR_MS)
    return name


def outdated(board: BoardHandle) -> str:
    name = due(board, keep=1, overlap="allow")
    for _ in range(2):
        fire(board, name)
        board.clock.advance(HOUR_MS)
    board.ask("task.complete", id=1)
    return name


def fire(board: BoardHandle, _name: str) -> Step:
    return board.write(lambda tx: fire_due(tx, maker(board.service)))


def _asks(op: str, **args: Any) -> Callable[[BoardHandle, str], Any]:
    return lambda board, name: board.ask(f"schedule.{op}", request_id="r", name=name, **args)


SCENES: list[tuple[str, Callable[[BoardHandle], str], Callable[[BoardHandle, str], Any]]] = [
    ("add a schedule", lambda _board: "x", _asks("add", rule="every 1h", title="t", zone="UTC")),
    ("edit a schedule", added, _asks("edit", rule="every 2h", title="u")),
    ("pause a schedule", added, _asks("pause")),
    ("fire by hand", added, _asks("run")),
    ("remove a schedule", due_again, _asks("remove")),
    ("fire what is due", due, fire),
    ("fire behind the one before", due_again, fire),
    ("tell of a request that is none", due_and_broken, fire),
    ("tell of a clock that went back", put_back, lambda b, _: b.write(say_clock_back)),
    ("retire an output", outdated, lambda b, name: b.write(lambda tx: retire(tx, [name]))),
]
