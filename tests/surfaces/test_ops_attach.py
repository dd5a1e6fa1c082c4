"""`task.attach` with an address: what is kept, what is not done twice, and for whom nothing is fetched."""

from functools import partial

import pytest

from shopfloor.domain.errors import Forbidden, Invalid, NotFound, Refused, Stale
from shopfloor.process.download import download
from tests.support.places import board, board_database, board_url, place
from tests.support.web_place import Page, web_place

__all__ = ["board", "board_database", "board_url", "place"]


@pytest.fixture
def web(board):
    """A server of the web, and a board that may fetch from it."""
    with web_place() as server:
        board.service.files.download = partial(download, allowed=lambda one: one == "127.0.0.1")
        yield server


def kept(board, task):
    folder = board.folder / "attachments" / str(task)
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_a_file_from_the_web_is_kept_under_a_safe_name_of_its_own(board, web):
    task = board.create()
    name = (("Content-Disposition", 'attachment; filename="../../.board.json"'),)
    web.pages["/a"] = Page(b"one", headers=name)
    web.pages["/b"] = Page(b"two")
    asked = [("/a", None), ("/b", None), ("/b", "plan.txt"), ("/b", "plan.txt")]
    names = [
        board.ask("task.attach", id=task, url=web.url(path), name=name).name for path, name in asked
    ]
    assert names == ["board.json", "b", "plan.txt", "plan-2.txt"]
    assert kept(board, task) == {
        "board.json": b"one", "b": b"two", "plan.txt": b"two", "plan-2.txt": b"two",
    }  # fmt: skip


def test_the_same_request_sent_again_fetches_nothing(board, web):
    task = board.create()
    web.pages["/a"] = Page(b"one")
    first, second = (
        board.ask("task.attach", request_id="same", id=task, url=web.url("/a")) for _ in range(2)
    )
    assert first == second
    assert web.asked == ["/a"]
    assert len(board.ask("task.attachments", id=task)) == 1


def test_what_fails_leaves_nothing_behind(board, web):
    task = board.create()
    with pytest.raises(Refused, match="answered 404"):
        board.ask("task.attach", id=task, url=web.url("/nothing"))
    assert kept(board, task) == {}
    assert board.ask("task.attachments", id=task) == []


def test_nothing_is_fetched_for_a_task_that_is_not_there(board, web):
    with pytest.raises(NotFound):
        board.ask("task.attach", id=99, url=web.url("/a"))
    assert web.asked == []


def test_nothing_is_fetched_for_a_worker_that_may_not_write_and_that_is_recorded(board, web):
    task, other = board.create(), board.create()
    one = board.claim(task)
    with pytest.raises(Forbidden):
        board.ask_as(one.run, one.token, "task.attach", id=other, url=web.url("/a"))
    board.ask("task.reclaim", id=task)
    with pytest.raises(Stale):
        board.ask_as(one.run, one.token, "task.attach", id=task, url=web.url("/a"))
    assert web.asked == []
    refused = [
        one for one in board.ask("event.list", wait_s=0.1).events if one.kind == "write_refused"
    ]
    assert [one.data["code"] for one in refused] == ["forbidden", "stale"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "a"},
        {"name": "a", "content": "eA==", "url": "https://example.org/a"},
        {"content": "eA=="},
        {"url": "/etc/passwd"},
        {"url": ""},
        {"url": "https://example.org/" + "a" * 5_000},
    ],
)
def test_a_file_comes_either_as_named_bytes_or_from_an_address(board, given):
    with pytest.raises(Invalid):
        board.ask("task.attach", id=board.create(), **given)
