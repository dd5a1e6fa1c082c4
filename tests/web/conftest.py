"""A home with a running `shop up` whose web all tests of a module ask."""

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One home for a module: its process is started once."""
    for home in home_in(tmp_path_factory.mktemp("web") / "h"):
        home.configure("[web]\nport = 0\n")
        daemon = home.up()
        yield Site(home, daemon, web_of(home, daemon))


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
