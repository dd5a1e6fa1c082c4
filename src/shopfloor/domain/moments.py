"""Moments as they are stored: milliseconds since the epoch, and only such as can be told again.

A row with a moment outside the calendar would spoil every list that it is in, so none gets in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from shopfloor.domain.errors import Invalid

# A day from the calendar's ends, because every time zone must be able to tell them.
FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)


def moment_ms(when: datetime) -> int:
    """A time with a zone as it is stored; raises Invalid for one at the ends of the calendar."""
    if not FIRST <= when <= LAST:
        raise Invalid(
            f"{when.isoformat()} is too far away to be kept; "
            f"name a time from {FIRST.date()} to {LAST.date()}"
        )
    return round(when.timestamp() * 1000)
