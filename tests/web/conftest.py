"""A home with a running `shop up` whose web the tests ask: one for all browsers, or one for a module."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Site as Board
from tests.support.browser import launched
from tests.support.home import Daemon, Home, home_in
from tests.support.web import Web, web_of


class Site(NamedTuple):
    """A home that is served, and its web for an administrator with a token."""

    home: Home
    daemon: Daemon
    web: Web


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of the test's own."""
    yield from home_in(tmp_path / "h")


PLAIN = "[web]\nport = 0\n"


def served(folder: Path, configuration: str) -> Iterator[Site]:
    """A home that is served until the fixture is over."""
    for home in home_in(folder):
        home.configure(configuration)
        daemon = home.up()
        yield Site(home, daemon, web_of(home, daemon))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One home for all tests with a browser: each has a board of its own in it, and starting one takes seconds."""
    yield from served(tmp_path_factory.mktemp("shared") / "h", PLAIN)


@pytest.fixture(scope="module")
def configuration(request: pytest.FixtureRequest) -> str | None:
    """What a module's own home is set to; None for a module that needs none of its own."""
    # The tests of the API are rough with boards, tokens and processes.
    return PLAIN if "test_api_" in request.module.__name__ else None


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, configuration: str | None) -> Iterator[Site]:
    """The home of a module's tests: its process is started once."""
    if configuration is None:
        yield request.getfixturevalue("shared")
    else:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("web") / "h"
        yield from served(folder, configuration)


@pytest.fixture
def web(site: Site) -> Web:
    """The web for an administrator with a token."""
    return site.web


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    with launched() as found:
        yield found


@pytest.fixture
def board(site: Site, browser: Browser) -> Iterator[Board]:
    """A fresh board, and browsers that have it open."""
    slug = f"b{next(_numbers)}"
    site.home.ask("board.create", slug=slug)
    opened = Board(site.home, site.web, browser, slug)
    yield opened
    opened.close()


@pytest.fixture
def page(board: Board) -> Page:
    """The board in a browser of somebody who is logged in."""
    return board.open()
