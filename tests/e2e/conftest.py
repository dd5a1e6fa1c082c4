"""A home for each test, closed and checked at its end, and the notes of its workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in
from tests.support.notes import Notes


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")
