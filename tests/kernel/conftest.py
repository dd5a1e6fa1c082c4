"""The kernel's tests get a board on each database."""

from tests.support.places import board, board_database, board_url, place

__all__ = ["board", "board_database", "board_url", "place"]
