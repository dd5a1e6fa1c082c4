"""Durations as people write them: `90s`, `10m`, `1h30m`, `2d`; a plain number is seconds."""

from __future__ import annotations

import re

from shopfloor.domain.errors import Invalid

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
DURATION_MS_MAX = 100 * 365 * 86_400_000


def duration_ms(given: str | float) -> int:
    """The duration in milliseconds; raises Invalid for what is none, and for more than 100 years."""
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise Invalid(f"{given!r} is no duration; write 90s, 10m, 1h30m or 2d")
    text = str(given).strip()
    try:
        total = float(text) * 1_000
    except ValueError:
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise Invalid(f"{text!r} is no duration; write 90s, 10m, 1h30m or 2d") from None
        total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 <= total <= DURATION_MS_MAX:
        raise Invalid(f"{text!r} is outside what can be waited for (0 to 100 years)")
    return round(total)


def words(ms: int) -> str:
    """A duration as a sentence has it: its two largest units, rounded up to the next second."""
    seconds = -(-ms // 1_000)
    for unit, size, below, smaller in _WORDS:
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{seconds} s"


def short(ms: int) -> str:
    """A duration as it is written: 90s, 1h30m, 2d; what `duration_ms` reads again."""
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms"):
        if ms >= _UNITS[unit]:
            parts.append(f"{ms // _UNITS[unit]}{unit}")
            ms %= _UNITS[unit]
    return "".join(parts) or "0s"


_WORDS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))
