"""What people write for a schedule, and the rule that it means: a small, exact grammar.

    0 9 * * 1-5 · @daily                        cron, five fields or a name
    every 90m · every 2 hours · hourly          an interval of elapsed time
    every day at 9 · weekdays at 18:30          days at times; without a time at midnight
    every monday, friday at 9am and 5pm
    first of the month · 15th of the month at noon · last day of the month
    first monday of the month at 10
    at 2026-12-01T09:00 · today at 18:30 · tomorrow at 8 · next monday at 9 · in 2h       once

A word that is not in it is refused with examples: nothing is guessed.  A time of the day means local time
of the schedule's zone; several times stand in one rule when their minutes are the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

from shopfloor.domain.durations import duration_ms
from shopfloor.domain.errors import Invalid
from shopfloor.domain.recurrence import (
    ALIASES,
    Rule,
    at,
    cron,
    every,
    existing,
    next_after,
    zone_of,
)

EXAMPLES: Final = (
    "`0 9 * * 1-5`, `@daily`, `every 90m`, `every day at 9`, `weekdays at 18:30`, `every monday at 9`, "
    "`first of the month`, `at 2026-12-01T09:00`, `tomorrow at 8`"
)
_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WEEK: Final[dict[str, str]] = {
    **{day: str(number) for number, day in enumerate(_DAYS)},
    **{f"{day}s": str(number) for number, day in enumerate(_DAYS)},
    **{day[:3]: str(number) for number, day in enumerate(_DAYS)},
    **dict.fromkeys(("day", "days", "daily"), "*"),
    **dict.fromkeys(("weekday", "weekdays"), "1-5"),
    **dict.fromkeys(("weekend", "weekends"), "0,6"),
}
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_UNITS: Final = {"second": "s", "minute": "m", "min": "m", "hour": "h", "week": "w"}
_ALONE: Final = {
    "hourly": "@hourly",
    "weekly": "@weekly",
    "monthly": "@monthly",
    "yearly": "@yearly",
}
_CLOCK: Final = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?")
_NUMBER: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH: Final = re.compile(r"of (?:the|every|each) month")
NOON: Final = 12
DAYS_MAX: Final = 31


class TimeOfDay(NamedTuple):
    """Hour and minute of a day."""

    hour: int
    minute: int


def rule_of(words: str, zone: str, now: int) -> Rule:
    """The rule that the words mean in a zone; `now` is when they were said, in milliseconds.

    Raises Invalid for words that are not in the grammar, and for a single time that has passed.
    """
    text = " ".join(words.split())
    if not text:
        raise Invalid(f"a schedule needs to know when: {EXAMPLES}")
    zone_of(zone)
    rule = (
        _cron(text, zone) or _once(text.lower(), zone, now) or _recurring(text.lower(), zone, now)
    )
    if next_after(rule, now) is None:
        if rule.kind == "at":
            raise Invalid(f"{text!r} has passed already; name a time that is still to come")
        raise Invalid(f"{text!r} is never due: there is no such day")
    return rule


def _refuse(text: str, part: str) -> NoReturn:
    """Say which words are not understood, and what would be."""
    which = f"{part!r} in {text!r}" if part and part != text else repr(text)
    raise Invalid(f"{which} is not understood as a time; write for example {EXAMPLES}")


def _cron(text: str, zone: str) -> Rule | None:
    """A cron expression, if the words look like one."""
    if text.startswith("@"):
        if text.lower() not in ALIASES:
            raise Invalid(f"{text!r} is not known; there are {', '.join(ALIASES)}")
        return cron(ALIASES[text.lower()], zone)
    looks_like_it = re.match(r"[\d*][\d*,/-]*\s", text) and not _DATE.match(text)
    return cron(text, zone) if looks_like_it else None


def _once(text: str, zone: str, now: int) -> Rule | None:
    """A rule that is due once, if the words are of that kind."""
    first, _, rest = text.partition(" ")
    given = _iso(rest if first == "at" else text)
    if given is not None:
        return at(given, zone)
    today = datetime.fromtimestamp(now / 1000, zone_of(zone)).replace(tzinfo=None)
    match first:
        case "in":
            return at(datetime.fromtimestamp((now + _span(text, rest)) / 1000, UTC), zone)
        case "today" | "tomorrow":
            return _on(today + timedelta(days=first == "tomorrow"), rest, text, zone)
        case "next":
            day, _, rest = rest.partition(" ")
            return _on(today + timedelta(days=_days_until(today, day, text)), rest, text, zone)
        case "at":
            passed = (
                existing(_at(today, _time(text, rest)), zone_of(zone)).timestamp() * 1000 <= now
            )
            return _on(today + timedelta(days=passed), text, text, zone)
        case _:
            return None


def _days_until(today: datetime, day: str, text: str) -> int:
    """From today to the next such day of the week, which is not today."""
    if not _WEEK.get(day, "").isdigit():
        _refuse(text, day)
    return (int(_WEEK[day]) - today.isoweekday() - 1) % 7 + 1


def _at(day: datetime, time: TimeOfDay) -> datetime:
    return day.replace(hour=time.hour, minute=time.minute, second=0, microsecond=0)


def _on(day: datetime, rest: str, text: str, zone: str) -> Rule:
    """The one time `rest` of a day."""
    times = _times(text, rest)
    if len(times) != 1:
        raise Invalid(f"{text!r} is due once, so it has one time; add a schedule for each")
    return at(_at(day, times[0]), zone)


def _iso(text: str) -> datetime | None:
    """A date with a time in ISO's form; a date alone is midnight."""
    if not _DATE.match(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise Invalid(f"{text!r} is no time; write it like 2026-12-01T09:00") from None


def _recurring(text: str, zone: str, now: int) -> Rule:
    """A rule that recurs: an interval, or days at times."""
    if text in _ALONE:
        return cron(ALIASES[_ALONE[text]], zone)
    what, _, when = text.partition(" at ")
    what = what.removeprefix("on ")
    said = what.removeprefix("every ").removeprefix("each ")
    if said != what and not when and (interval := _interval(said)) is not None:
        return every(interval, now, zone)
    times = _times(text, f"at {when}" if when else "")
    days = _days_of_month(said, text) or f"* * {_days_of_week(said, text)}"
    minute = times[0].minute
    if any(time.minute != minute for time in times):
        raise Invalid(
            f"the times in {text!r} have different minutes; add a schedule for each of them"
        )
    hours = ",".join(str(hour) for hour in sorted({time.hour for time in times}))
    return cron(f"{minute} {hours} {days}", zone)


def _interval(said: str) -> int | None:
    """The milliseconds of `90m`, `2 hours` or `hour`; None: it is no interval."""
    count, _, unit = said.rpartition(" ")
    short = _UNITS.get(unit.removesuffix("s"), "d" if count and unit in ("day", "days") else "")
    if short and (not count or count.isdigit()):
        return duration_ms(f"{count or 1}{short}")
    return duration_ms(said) if re.match(r"\d", said) and " " not in said else None


def _span(text: str, said: str) -> int:
    found = _interval(said)
    if found is None:
        _refuse(text, said)
    return found


def _days_of_month(said: str, text: str) -> str | None:
    """The last three fields for days of the month; None: it speaks of days of the week."""
    if said == "month":
        return "1 * *"
    found = _MONTH.search(said)
    if found is None:
        return None
    if found.end() != len(said):
        _refuse(text, said[found.end() :].strip())
    which = said[: found.start()].strip().removeprefix("the ").removesuffix(" day")
    numbers = [_day_number(word, text) for word in _listed(which)] if " " not in which else []
    if numbers:
        return f"{','.join(numbers)} * *"
    nth, _, day = which.partition(" ")
    if day not in _WEEK or not _WEEK[day].isdigit():
        return f"{','.join(_day_number(word, text) for word in _listed(which))} * *"
    if nth == "last":
        return f"* * {_WEEK[day]}L"
    if nth not in _NTH:
        _refuse(text, nth)
    return f"* * {_WEEK[day]}#{_NTH[nth]}"


def _day_number(word: str, text: str) -> str:
    if word == "last":
        return "L"
    if word in _NTH:
        return str(_NTH[word])
    number = _NUMBER.fullmatch(word)
    if number is None or not 1 <= int(number[1]) <= DAYS_MAX:
        _refuse(text, word)
    return number[1]


def _days_of_week(said: str, text: str) -> str:
    """The last field for `monday, friday`; nothing but days may stand in it."""
    words = _listed(said)
    for word in words:
        if word not in _WEEK:
            _refuse(text, word)
    if len(words) > 1 and "*" in (_WEEK[word] for word in words):
        _refuse(text, said)
    return ",".join(dict.fromkeys(_WEEK[word] for word in words))


def _times(text: str, rest: str) -> list[TimeOfDay]:
    """The times after `at`; midnight where none is said."""
    if not rest:
        return [TimeOfDay(0, 0)]
    if not rest.startswith("at "):
        _refuse(text, rest)
    return [_time(text, word) for word in _listed(rest.removeprefix("at "))]


def _time(text: str, said: str) -> TimeOfDay:
    if said in ("noon", "midnight"):
        return TimeOfDay(NOON if said == "noon" else 0, 0)
    found = _CLOCK.fullmatch(said)
    if found is None:
        _refuse(text, said)
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= NOON:
            _refuse(text, said)
        hour = hour % NOON + (NOON if found[3] == "pm" else 0)
    if hour > 23 or minute > 59:  # noqa: PLR2004 - the clock's
        _refuse(text, said)
    return TimeOfDay(hour, minute)


def _listed(said: str) -> list[str]:
    """The members of `a, b and c`."""
    return [word for word in re.split(r",\s*(?:and\s+)?|\s+and\s+", said) if word] or [""]
