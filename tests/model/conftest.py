"""The walks get a place for their boards on each database."""

from tests.support.places import board_database

__all__ = ["board_database"]
