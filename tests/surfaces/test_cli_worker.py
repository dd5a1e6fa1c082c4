"""The command line in a worker's hands: its own task, its run's token, its board."""

import pytest

from shopfloor.surfaces.cli.main import WorkerIdentity
from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def test_a_worker_reports_on_its_task_without_naming_it(shop):
    shop.create("first")
    shop.create("mine")
    worker = shop.work_on(2)
    assert worker("heartbeat", "reading").code == 0
    assert worker("comment", "half of it is done").code == 0
    assert worker("show", "--json").json["task"]["id"] == 2
    assert worker("complete", "--summary", "all of it").out == "#2 done: mine\n"
    run = shop("runs", "2", "--json").json[0]
    assert (run["outcome"], run["summary"], run["heartbeat_note"]) == (
        "completed",
        "all of it",
        "reading",
    )


def test_a_worker_blocks_its_own_task_with_a_reason_alone(shop):
    shop.create()
    assert shop.work_on(1)("block", "the key is missing").code == 0
    assert "the key is missing" in shop("why", "1").out


def test_a_task_that_a_worker_makes_comes_from_its_own(shop):
    shop.create()
    made = shop.work_on(1)("create", "a follow-up", "--json").json["task"]
    assert made["origin"] == 1


def test_a_stale_worker_changes_nothing_and_is_told_so(shop):
    shop.create()
    worker = shop.work_on(1)
    shop("reclaim", "1")
    said = worker("complete", "--json")
    assert said.code == 4
    assert said.error["code"] == "stale"
    assert shop("show", "1", "--json").json["task"]["status"] == "ready"


def test_a_worker_may_not_do_what_is_for_people(shop):
    shop.create()
    said = shop.work_on(1)("delete", "1", "--yes")
    assert said.code == 5
    assert "a worker reports with complete, block, comment" in said.err


def test_a_worker_touches_no_other_task_and_no_other_board(shop):
    shop.create()
    shop.create()
    worker = shop.work_on(1)
    assert worker("comment", "2", "hello").code == 5
    said = worker("show", "tools/1")
    assert said.code == 5
    assert "a worker stays on its board 'default'" in said.err


def test_a_wrong_token_opens_nothing(shop):
    shop.create()
    worker = shop.work_on(1)
    assert worker.worker is not None
    worker.worker = worker.worker._replace(token="guessed")
    assert worker("complete").code in (4, 5)
    assert shop("show", "1", "--json").json["task"]["status"] == "running"


def test_the_board_is_handed_to_the_client(shop):
    shop("board", "create", "tools")
    shop.boards.clear()
    assert shop("create", "there", "--board", "Tools").code == 0
    assert shop("show", "tools/1").out.startswith("#1 there")
    assert shop("--board", "tools", "list", "-q").out == "1\n"
    assert shop("list", "-q").out == ""
    assert shop.boards == ["tools", "tools", "tools", None]
    worker = Shop(shop.home.root, worker=WorkerIdentity(1, 1, "t", "tools"))
    worker("show")
    assert worker.boards == ["tools"]
