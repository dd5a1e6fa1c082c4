"""A file of the web that a command fetches by itself: nobody waits for it, and nothing is left of one that was killed."""

import os
import signal
import subprocess

import pytest

from tests.support.waiting import eventually
from tests.support.web_place import Page, take_for_public, web_place

LONG_AGO = 1_000_000_000


@pytest.fixture
def web():
    """A server that drips until the test is over with it."""
    with web_place() as server:
        server.pages["/plan.txt"] = Page(None)
        yield server


@pytest.fixture
def task(home):
    take_for_public(home)
    return home.create("Read")


def fetching(home, task, web):
    """A command that fetches at this moment."""
    command = subprocess.Popen(
        [str(home.python), "-m", "shopfloor", "attach", str(task), web.url("/plan.txt")],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: web.asked and unfinished(home, task))
    return command


def unfinished(home, task):
    return list((home.board() / "attachments" / str(task)).glob(".new-*"))


def names(home, task):
    """The files kept with a task: on the board, which are those on the disk."""
    kept = sorted(one["name"] for one in home.ask("task.attachments", id=task))
    folder = home.board() / "attachments" / str(task)
    assert sorted(path.name for path in folder.iterdir()) == kept
    return kept


def test_others_have_the_board_while_a_command_fetches(home, task, web):
    command = fetching(home, task, web)
    assert home.shop("create", "meanwhile").returncode == 0
    assert home.shop("board", "list").returncode == 0
    web.over.set()
    assert command.communicate()[1] == ""
    assert names(home, task) == ["plan.txt"]


def test_a_command_that_finds_the_board_served_when_it_has_fetched_asks_there(home, task, web):
    command = fetching(home, task, web)
    home.up()
    web.over.set()
    assert command.communicate()[1] == ""
    assert names(home, task) == ["plan.txt"]


def test_what_fails_meanwhile_is_said_and_the_board_is_free(home, task, web):
    web.pages["/plan.txt"] = Page(b"x", headers=(("Content-Length", "5"),))
    done = home.shop("attach", str(task), web.url("/plan.txt"))
    assert done.returncode == 75
    assert "broke off after 1 of 5 bytes" in done.stderr
    assert names(home, task) == []


@pytest.mark.parametrize("by", ["gc", "up"])
def test_what_a_killed_command_left_half_written_goes_when_it_is_old(home, task, web, by):
    command = fetching(home, task, web)
    command.send_signal(signal.SIGKILL)
    command.communicate()
    web.over.set()
    (left,) = unfinished(home, task)
    # Who fetched for it lives on, and writes a last piece.
    eventually(lambda: not home.processes())
    os.utime(left, (LONG_AGO, LONG_AGO))
    fresh = left.with_name(".new-fresh")
    fresh.touch()
    if by == "gc":
        assert home.ask("admin.gc")["unfinished"] == 1
    else:
        home.up()
    eventually(lambda: not left.exists())
    assert fresh.exists()
