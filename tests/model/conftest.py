"""The walks get a place for their boards on each database."""

from tests.support.places import board_files, folder, shared_board

__all__ = ["board_files", "folder", "shared_board"]
