"""Receipts follow the ends of attempts: looked after whenever something was committed."""

from __future__ import annotations

import time
from typing import Final

from shopfloor.ops.context import Service
from shopfloor.ops.receipt_book import Bookkeeper

# How long it rests after a step, in steps, and at most: who ends attempts goes first, receipts may follow later.
REST: Final = 20
REST_MAX_S: Final = 0.5


class ReceiptErrand:
    """Writes the receipts of a served board, and takes a twentieth of the time for it where many end at once."""

    name: Final = "receipts"

    def __init__(self, service: Service) -> None:
        self._book = Bookkeeper(service)
        self._rests_until = 0.0

    def look(self) -> float | None:
        """Write what has ended, some of it at a time."""
        begun = time.monotonic()
        if begun < self._rests_until:
            return self._rests_until - begun
        more = self._book.step()
        ended = time.monotonic()
        rest_s = min(REST * (ended - begun), REST_MAX_S)
        self._rests_until = ended + rest_s
        return rest_s if more else None

    def close(self) -> None:
        """There is nothing to let go of."""
