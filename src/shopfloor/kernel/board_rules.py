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
from shopfloor.domain.model import HookState
from shopfloor.domain.targets import shown
from shopfloor.kernel.task_rules import Hit
from shopfloor.kernel.why import Surroundings
from shopfloor.store.diagnostics import Troubled

MEGABYTE = 1024 * 1024
SUBSCRIPTIONS_NAMED = 3
ERROR_END = 100


class BoardLook(NamedTuple):
    """What the rules see: this host, its neighbours, and a few figures of the board."""

    now: int
    around: Surroundings
    here: Circumstances
    waiting: int
    waits_since: int | None
    newest: int | None
    troubled: list[Troubled]
    hooks: list[HookState]


class Told(NamedTuple):
    """What was found, with what to do."""

    hit: Hit
    advice: Advice


BoardRule = Callable[[BoardLook], list[Told]]


def _no_dispatcher(look: BoardLook) -> list[Told]:
    if not look.waiting or look.waits_since is None or look.around.dispatchers:
        return []
    number = "one task waits" if look.waiting == 1 else f"{look.waiting} tasks wait"
    sentence = f"{number} for a dispatcher, and none is running"
    start = Step("start one on this host", "shop up")
    return [Told(Hit("error", look.waits_since), Advice(sentence, (start,)))]


def _deliveries_failing(look: BoardLook) -> list[Told]:
    by_target: dict[str, list[Troubled]] = {}
    for one in look.troubled:
        by_target.setdefault(one.target, []).append(one)
    return [_failing(target, troubled) for target, troubled in by_target.items()]


def _failing(target: str, troubled: list[Troubled]) -> Told:
    """One target that messages do not arrive at, the newest message first."""
    last = troubled[0]
    given_up = sum(one.state == "given_up" for one in troubled)
    number = "one message" if len(troubled) == 1 else f"{len(troubled)} messages"
    sentence = f"{number} to {shown(target)} did not arrive, {given_up} given up; the last one: {last.error}"
    subscriptions = sorted({one.subscription for one in troubled if one.subscription is not None})
    again = Step(
        "send it again, when the cause is gone",
        f"shop notify retry {last.id}",
        "delivery.retry",
        {"id": last.id},
        ends=False,
    )
    ending = [
        Step(
            "tell it nothing more",
            f"shop notify unsubscribe {number}",
            "subscription.remove",
            {"id": number},
            ends=len(subscriptions) == 1,
        )
        for number in subscriptions[:SUBSCRIPTIONS_NAMED]
    ]
    severity: Severity = "error" if given_up else "warning"
    since = min(one.created_at for one in troubled)
    return Told(Hit(severity, since), Advice(sentence, (again, *ending)))


def _hook_failing(look: BoardLook) -> list[Told]:
    see = Step("see how far it is, and what it said", "shop hook list", ends=False)
    return [
        Told(
            Hit("warning", one.last_error_at or look.now),
            Advice(f"hook {one.name} failed when it was run last: {_ends(one.last_error)}", (see,)),
        )
        for one in look.hooks
    ]


def _ends(error: str | None) -> str:
    """The beginning and the end of what a program said: how it ended, and why, which stands last."""
    said = error or "nobody knows how"
    if len(said) <= 2 * ERROR_END:
        return said
    return f"{said[:ERROR_END].rstrip()} … {said[-ERROR_END:].lstrip()}"


def _disk_nearly_full(look: BoardLook) -> list[Told]:
    free = look.here.disk_free
    if free >= DISK_FREE_LOW:
        return []
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
    return [Told(Hit(severity, look.now), Advice(sentence, steps))]


def _clock_moved(look: BoardLook) -> list[Told]:
    ahead = 0 if look.newest is None else look.newest - look.now
    see = Step("see whether this host's clock is right now", "date --utc", ends=False)
    if ahead >= CLOCK_MOVED_MS:
        sentence = (
            f"the board wrote its last event {_span(ahead)} in the future: the clock was set back since, so due "
            "times and leases of before lie too far ahead"
        )
        return [Told(Hit("error", look.now), Advice(sentence, (see,)))]
    shift = look.here.clock_shift_ms
    if abs(shift) < CLOCK_MOVED_MS:
        return []
    way = "forward" if shift > 0 else "back"
    sentence = f"this host's clock was set {way} by {_span(abs(shift))} while `shop up` was running"
    anew = Step("begin anew with the clock as it is; workers go on", "shop down && shop up")
    return [Told(Hit("warning", look.now), Advice(sentence, (see, anew)))]


def _span(ms: int) -> str:
    seconds = ms // 1000
    if seconds < 120:  # noqa: PLR2004 - below two minutes seconds say more
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes" if seconds < 2 * 3600 else f"{seconds // 3600} hours"


BOARD_RULES: dict[str, BoardRule] = {
    "no_dispatcher": _no_dispatcher,
    "deliveries_failing": _deliveries_failing,
    "hook_failing": _hook_failing,
    "disk_nearly_full": _disk_nearly_full,
    "clock_moved": _clock_moved,
}
