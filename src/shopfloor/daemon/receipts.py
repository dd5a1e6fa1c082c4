"""Receipts follow the ends of attempts: looked after whenever something was committed."""

from __future__ import annotations

from typing import Final

from shopfloor.ops.context import Service
from shopfloor.ops.receipt_book import Bookkeeper


class ReceiptErrand:
    """Writes the receipts of a served board."""

    name: Final = "receipts"

    def __init__(self, service: Service) -> None:
        self._book = Bookkeeper(service)

    def look(self) -> float | None:
        """Write what has ended, some of it at a time; between two steps all errands rest."""
        return 0.0 if self._book.step() else None

    def close(self) -> None:
        """There is nothing to let go of."""
