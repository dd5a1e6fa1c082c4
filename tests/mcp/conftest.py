"""A home with a running `shop up` for the tests that only ask, and one of its own for those that kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in
from tests.support.notes import Notes
from tests.support.tools import Agent, claim


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")


@pytest.fixture(scope="module")
def open_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One home for a module: its process that serves tools is started once."""
    for home in home_in(tmp_path_factory.mktemp("tools") / "h"):
        home.up()
        yield home


@pytest.fixture
def agent(open_home: Home) -> Agent:
    """The agent of a task of its own, that nobody else works on."""
    return Agent(open_home, claim(open_home, open_home.create("read the meter")))
