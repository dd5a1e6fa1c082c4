"""What can be wrong with the board as a whole, or with this host, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain.diagnostics import (
    CLOCK_MOVED_MS,
    DISK_FREE_LEAST,
    DISK_FREE_LOW,
    Advice,
    Circumstances,
    Severity,
    Step,
)
from shopfloor.kernel.task_rules import Hit
from shopfloor.kernel.why import Surroundings

MEGABYTE = 1024 * 1024


class BoardLook(NamedTuple):
    """What the rules see: this host, its neighbours, and a few figures of the board."""

    now: int
    around: Surroundings
    here: Circumstances
    waiting: int
    waits_since: int | None
    newest: int | None


class Told(NamedTuple):
    """What was found, with what to do."""

    hit: Hit
    advice: Advice


BoardRule = Callable[[BoardLook], Told | None]


def _no_dispatcher(look: BoardLook) -> Told | None:
    if not look.waiting or look.waits_since is None or look.around.dispatchers:
        return None
    number = "one task waits" if look.waiting == 1 else f"{look.waiting} tasks wait"
    sentence = f"{number} for a dispatcher, and none is running"
    start = Step("start one on this host", "shop up")
    return Told(Hit("error", look.waits_since), Advice(sentence, (start,)))


def _disk_nearly_full(look: BoardLook) -> Told | None:
    free = look.here.disk_free
    if free >= DISK_FREE_LOW:
        return None
    sentence = f"{free // MEGABYTE} MB are free on the disk of {look.here.disk}; when it is full, no change can be written"
    steps = (
        Step(
            "delete logs that nobody has written for a week",
            "shop gc --log-retention-days 7",
            "admin.gc",
            {"log_days": 7},
            ends=False,
        ),
        Step("see what takes the room", f"du -xsh {look.here.disk}/boards/*/*", ends=False),
    )
    severity: Severity = "error" if free < DISK_FREE_LEAST else "warning"
    return Told(Hit(severity, look.now), Advice(sentence, steps))


def _clock_moved(look: BoardLook) -> Told | None:
    ahead = 0 if look.newest is None else look.newest - look.now
    see = Step("see whether this host's clock is right now", "date --utc", ends=False)
    if ahead >= CLOCK_MOVED_MS:
        sentence = (
            f"the board wrote its last event {_span(ahead)} in the future: the clock was set back since, so due "
            "times and leases of before lie too far ahead"
        )
        return Told(Hit("error", look.now), Advice(sentence, (see,)))
    shift = look.here.clock_shift_ms
    if abs(shift) < CLOCK_MOVED_MS:
        return None
    way = "forward" if shift > 0 else "back"
    sentence = f"this host's clock was set {way} by {_span(abs(shift))} while `shop up` was running"
    anew = Step("begin anew with the clock as it is; workers go on", "shop down && shop up")
    return Told(Hit("warning", look.now), Advice(sentence, (see, anew)))


def _span(ms: int) -> str:
    seconds = ms // 1000
    if seconds < 120:  # noqa: PLR2004 - below two minutes seconds say more
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes" if seconds < 2 * 3600 else f"{seconds // 3600} hours"


BOARD_RULES: dict[str, BoardRule] = {
    "no_dispatcher": _no_dispatcher,
    "disk_nearly_full": _disk_nearly_full,
    "clock_moved": _clock_moved,
}
