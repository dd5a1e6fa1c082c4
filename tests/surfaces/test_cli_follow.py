"""Following: events as they happen, a log as it grows, ended by Ctrl-C or by the task's end."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from shopfloor.domain.errors import Damaged, Unavailable
from shopfloor.surfaces.cli import follow
from shopfloor.surfaces.cli.console import Console
from tests.support.waiting import eventually
from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


@contextmanager
def following(shop, tmp_path, *argv):
    """`shop …` as a process of its own, and a function that reads what it printed so far."""
    path = tmp_path / "followed"
    with path.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "shopfloor", *argv],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SHOPFLOOR_HOME": str(shop.home.root), "TZ": "UTC"},
        )
    try:
        yield process, path.read_text
    finally:
        process.kill()
        process.wait(timeout=120)


def write_log(shop, number, text):
    """Add to a task's log, as its supervisor does."""
    folder = shop.home.boards / "default" / "logs"
    with (folder / f"{number}.log").open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def test_watch_prints_what_happens_until_ctrl_c_which_is_no_failure(shop, tmp_path):
    shop.create("before")
    with following(shop, tmp_path, "watch", "--kind", "blocked", "--after", "0") as (watch, said):
        shop("block", "1", "no key yet")
        eventually(lambda: "no key yet" in said())
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=120) == 0
        assert "created" not in said()


def test_events_are_followed_as_json_lines_after_those_that_were_there(shop, tmp_path):
    shop.create("first")
    with following(shop, tmp_path, "events", "--follow", "--json") as (_, said):
        eventually(lambda: said().count("\n") == 1)
        shop.create("second")
        eventually(lambda: said().count("\n") == 2)
        events = [json.loads(line) for line in said().splitlines()]
    assert [(event["kind"], event["task"]) for event in events] == [("created", 1), ("created", 2)]
    assert events[0]["id"] < events[1]["id"]


def test_tail_prints_the_latest_events_of_one_task_and_then_what_comes(shop, tmp_path):
    shop.create("first")
    shop.create("second")
    with following(shop, tmp_path, "tail", "2") as (tail, said):
        eventually(lambda: "title=second" in said())
        shop("block", "1", "another task")
        shop("block", "2", "no key yet")
        eventually(lambda: "no key yet" in said())
        tail.send_signal(signal.SIGINT)
        assert tail.wait(timeout=120) == 0
        assert "another task" not in said()
        assert "title=first" not in said()


def test_watch_begins_with_what_comes_and_not_with_what_was(shop, tmp_path):
    shop.create("first")
    with following(shop, tmp_path, "watch") as (_, said):
        made = iter(range(2, 1000))

        def seen():
            shop.create(f"task {next(made)}")
            return "title=task" in said()

        eventually(seen)
        assert "title=first" not in said()


def test_a_log_is_followed_line_by_line_until_the_task_has_ended(shop, tmp_path):
    shop.create()
    write_log(shop, 1, "one\n")
    with following(shop, tmp_path, "log", "1", "--follow") as (log, said):
        eventually(lambda: said() == "one\n")
        write_log(shop, 1, "two ☃\nthree\n")
        eventually(lambda: said() == "one\ntwo ☃\nthree\n")
        write_log(shop, 1, "a line without its end")
        eventually(lambda: said().endswith("its end"))
        write_log(shop, 1, " and its rest\n")
        shop("complete", "1")
        assert log.wait(timeout=120) == 0
        assert said() == "one\ntwo ☃\nthree\na line without its end and its rest\n"


def test_a_log_that_grows_by_more_than_a_read_is_printed_whole(shop, tmp_path):
    shop.create()
    lines = [f"line {number} {'x' * 80}" for number in range(5_000)]
    write_log(shop, 1, f"{lines[0]}\n")
    with following(shop, tmp_path, "log", "1", "-f", "--json") as (log, said):
        eventually(lambda: "line 0" in said())
        write_log(shop, 1, "\n".join(lines[1:]) + "\n")
        eventually(lambda: "line 4999" in said())
        shop("complete", "1")
        assert log.wait(timeout=120) == 0
        told = "".join(json.loads(line)["text"] for line in said().splitlines())
    assert told.splitlines() == lines


def test_the_log_of_a_task_that_has_ended_is_printed_and_that_is_all(shop):
    shop.create()
    write_log(shop, 1, "all of it\n")
    shop("complete", "1")
    said = shop("log", "1", "--follow", "--json")
    assert (said.code, said.json["text"]) == (0, "all of it\n")
    assert shop("log", "99", "--follow").code == 3


def test_a_board_that_is_away_is_waited_for_and_a_damaged_one_is_not():
    err = io.StringIO()
    console = Console(io.StringIO(), err, io.StringIO(), {}, lambda: 0)
    answers = iter([Unavailable("it is away"), "here"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert follow.patiently(ask, console) == "here"
    assert err.getvalue() == "shop: waiting for the board: it is away\n"

    def broken():
        raise Damaged("it is torn")

    with pytest.raises(Damaged):
        follow.patiently(broken, console)


@pytest.mark.parametrize(
    ("text", "count", "end"),
    [
        ("abc", 0, ""),
        ("abc", 2, "bc"),
        ("abc", 9, "abc"),
        ("a☃b", 4, "☃b"),
        ("x\ufffdbc", 3, "\ufffdbc"),
        ("☃\ufffd☃", 7, "☃\ufffd☃"),
    ],
)
def test_the_end_of_a_log_is_counted_in_the_bytes_that_it_was(text, count, end):
    assert follow.last_bytes(text, count) == end
