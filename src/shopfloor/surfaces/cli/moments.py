"""Times and spans as people read them: in their own zone, and as `3m`, `2h`, `5d`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from shopfloor.domain.durations import duration_ms
from shopfloor.domain.errors import Invalid

_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_STEPS = ((60, 1, "s"), (3_600, 60, "m"), (86_400, 3_600, "h"), (float("inf"), 86_400, "d"))


def age(seconds: float) -> str:
    """A span in its largest unit: 45s, 3m, 2h, 5d."""
    whole = max(int(seconds), 0)
    return next(f"{whole // unit}{name}" for limit, unit, name in _STEPS if whole < limit)


def span(seconds: float) -> str:
    """A duration in two units: 0.4s, 12s, 3m12s, 2h05m, 1d03h."""
    seconds = max(seconds, 0.0)
    if seconds < 10:  # noqa: PLR2004 - below this a tenth matters
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole}s"
    if whole < 3_600:  # noqa: PLR2004 - seconds in an hour
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:  # noqa: PLR2004 - seconds in a day
        return f"{whole // 3_600}h{whole % 3_600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3_600:02}h"


def parse(text: str) -> datetime | None:
    """The time that an answer holds, or None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def local(text: str, zone: tzinfo | None) -> str:
    """A time of an answer in the reader's zone, to the second."""
    found = parse(text)
    return text if found is None else f"{found.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def seconds_between(begin: str, end: str) -> float:
    """From one time of an answer to another."""
    first, last = parse(begin), parse(end)
    return 0.0 if first is None or last is None else (last - first).total_seconds()


def seconds_since(text: str, now_ms: int) -> float:
    """From a time of an answer until now."""
    found = parse(text)
    return 0.0 if found is None else now_ms / 1000 - found.timestamp()


def from_words(word: str, now_ms: int, zone: tzinfo | None, *, past: bool = False) -> str | None:
    """The time that is meant, in UTC: an ISO time, a time of the day, or a span.

    Without a zone it is local.  A time of the day is the next one, a span counts from now; with `past` it is
    the latest one, and the span counts back.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        length = timedelta(milliseconds=duration_ms(word))
        return (now - length if past else now + length).isoformat()
    except Invalid:
        pass
    try:
        if _CLOCK.fullmatch(word):
            return _time_of_day(word, now, zone, past=past).isoformat()
        return _iso(word, zone).isoformat()
    except (ValueError, OverflowError):
        return None


def _iso(word: str, zone: tzinfo | None) -> datetime:
    then = datetime.fromisoformat(word)
    return (then if then.tzinfo is not None else then.replace(tzinfo=zone)).astimezone(UTC)


def _time_of_day(word: str, now: datetime, zone: tzinfo | None, *, past: bool) -> datetime:
    """The nearest moment at which a clock in the zone shows it."""
    hour, minute = map(int, word.split(":"))
    today = now.astimezone(zone).replace(
        hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None
    )
    # Each day is looked at by itself: its offset may be another one.
    then, other = (
        _iso((today + timedelta(days=days)).isoformat(), zone) for days in (0, -1 if past else 1)
    )
    return then if (then <= now if past else then > now) else other
