"""Schedules under a clock that the test turns, with the errand that a dispatcher has."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shopfloor.daemon.schedules import ScheduleErrand
from shopfloor.ops.schedule_tasks import maker
from tests.support.board import BoardHandle

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = "Europe/Berlin"


class Floor:
    """A board with the errand that a dispatcher has, and short words for its schedules."""

    def __init__(self, board: BoardHandle) -> None:
        self.board = board
        self.elapsed_s = 0.0
        self.restart()

    def restart(self) -> None:
        """What a new process does: nothing is remembered."""
        self.errand = ScheduleErrand(
            self.board.database,
            maker(self.board.service),
            lambda: self.board.service.files,
            clock=lambda: self.elapsed_s,
        )

    def add(self, rule: str, title: str = "t", **more: Any) -> str:
        """Add a schedule; its name."""
        told = self.board.ask("schedule.add", rule=rule, title=title, **{"zone": ZONE, **more})
        return str(told.schedule.name)

    def at(self, moment: str) -> float | None:
        """Turn the clock to a moment, and let the errand look."""
        return self.after(ms(moment) - self.board.now)

    def after(self, span_ms: int) -> float | None:
        """Let time pass, or put the clock back; what counts seconds goes forward in any case."""
        self.elapsed_s += max(span_ms / 1000, 1)
        self.board.clock.advance(span_ms)
        return self.errand.look()

    def show(self, name: str = "t") -> Any:
        return self.board.ask("schedule.show", name=name).schedule

    def history(self, name: str = "t") -> list[Any]:
        """What became of its due times, the oldest first."""
        found: list[Any] = self.board.ask("schedule.history", name=name, limit=1_000).items
        return found[::-1]

    def outcomes(self, name: str = "t") -> list[str]:
        return [one.outcome for one in self.history(name)]

    def tasks(self) -> list[str]:
        """The titles of all tasks, in the order in which they were made."""
        with self.board.connection() as execute:
            return [title for (title,) in execute("SELECT title FROM task ORDER BY id")]


def ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def local(moment: datetime, zone: str = ZONE) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M%z}"
