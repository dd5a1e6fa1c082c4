"""The kernel's tests get a board on each database."""

from tests.support.places import board, board_files, board_url, folder, place, shared_board

__all__ = ["board", "board_files", "board_url", "folder", "place", "shared_board"]
