"""When a schedule is due: cron expressions, intervals and single times, each in a time zone.  Pure.

A `Rule` is what the words of a schedule mean, in a form that never changes its meaning: five fields of
cron, an interval from an anchor, or one moment.  `next_after` is strictly after the moment that it is
given, so who follows it sees each due time once and goes forward only.

A cron expression means local time.  cronsim follows Debian's cron at the two changes of the clock: what is
due at an hour that is left out comes at the end of the gap, what is due in an hour that comes twice comes in
the first one, and what comes every hour or every few minutes comes in both.  An interval is elapsed time
and knows no zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from shopfloor.domain.errors import Invalid
from shopfloor.domain.moments import moment_ms

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EVERY_MS_MIN: Final = 1_000
# How many times in a row may lie in hours that come a second time: more than such hours have minutes.
STALE_MAX: Final = 2_000
# The steps in which a due time is looked for backwards: an hour, and each eight times as long, to 60 years.
BACK_STEP_MS: Final = 3_600_000
BACK_STEPS: Final = 8


class Rule(NamedTuple):
    """What recurs: five fields of `cron`, milliseconds of an interval (`every`), or a moment (`at`).

    An interval counts from `anchor`, which is a moment in milliseconds since the epoch.
    """

    kind: str
    expression: str
    zone: str
    anchor: int = 0


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; raises Invalid for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"{name!r} is no time zone that this machine knows; write one like Europe/Berlin or UTC"
        ) from None


def cron(expression: str, zone: str) -> Rule:
    """A rule of five fields; raises Invalid for one that is wrong or never due."""
    fields = " ".join(expression.split())
    if len(fields.split()) != len(_FIELDS):
        raise Invalid(
            f"{expression!r} has {len(fields.split())} fields; cron has five: {', '.join(_FIELDS)}"
        )
    zone_of(zone)
    try:
        CronSim(fields, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as wrong:
        said = str(wrong)
        raise Invalid(
            f"{expression!r} is no cron expression: {said[:1].lower()}{said[1:]}"
        ) from None
    return Rule("cron", fields, zone)


_FIELDS: Final = ("minute", "hour", "day of the month", "month", "day of the week")


def every(interval_ms: int, anchor: int, zone: str) -> Rule:
    """A rule of an interval; raises Invalid for one below a second."""
    if interval_ms < EVERY_MS_MIN:
        raise Invalid("an interval is a second or longer; write every 90m, every 2h or every 1d")
    return Rule("every", str(interval_ms), zone, anchor)


def at(moment: datetime, zone: str) -> Rule:
    """A rule that is due once; a time without a zone is local time of the schedule's."""
    if moment.tzinfo is None:
        # Refuses what is too near to the calendar's ends to be converted.
        moment_ms(moment.replace(tzinfo=UTC))
        moment = existing(moment, zone_of(zone))
    return Rule("at", str(moment_ms(moment)), zone)


def existing(local: datetime, zone: ZoneInfo) -> datetime:
    """A local time as a moment: the first of two; one that is left out is the end of the gap."""
    if not _exists(local, zone):
        local = local.replace(second=0, microsecond=0)
        while not _exists(local, zone):
            local += timedelta(minutes=1)
    return local.replace(tzinfo=zone, fold=0)


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    given = local.replace(tzinfo=zone, fold=0)
    return given.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def next_after(rule: Rule, after: int) -> int | None:
    """The first due time after a moment, both in milliseconds; None: there is none any more."""
    if rule.kind == "at":
        due = int(rule.expression)
        return due if due > after else None
    if rule.kind == "every":
        interval = int(rule.expression)
        return rule.anchor + ((after - rule.anchor) // interval + 1) * interval
    begin = datetime.fromtimestamp(after // 1000, zone_of(rule.zone))
    try:
        simulated = CronSim(rule.expression, begin)
        for _ in range(STALE_MAX):
            due = round(next(simulated).timestamp()) * 1000
            if due > after:
                return due
    except (StopIteration, OverflowError, ValueError):
        return None
    raise AssertionError(f"{rule} stands still at {after}")


def coming(rule: Rule, after: int) -> Iterator[int]:
    """The due times after a moment, each once."""
    due = next_after(rule, after)
    while due is not None:
        yield due
        due = next_after(rule, due)


def last_until(rule: Rule, after: int, until: int) -> int | None:
    """The latest due time after one moment and not after another; None: there is none between them."""
    if rule.kind == "every":
        interval = int(rule.expression)
        due = rule.anchor + (until - rule.anchor) // interval * interval
        return due if due > after else None
    step = BACK_STEP_MS
    for _ in range(BACK_STEPS):
        begin = max(after, until - step)
        found = None
        for due in coming(rule, begin):
            if due > until:
                break
            found = due
        if found is not None or begin == after:
            return found
        step *= 8
    return None
