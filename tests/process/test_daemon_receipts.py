"""Receipts under a real `shop up`: each attempt that ends leaves one, whatever is killed in between."""

import hashlib
import json

import pytest

from tests.support.home import Home, home_in
from tests.support.notes import whole_lines
from tests.support.waiting import eventually


@pytest.fixture
def home(tmp_path):
    yield from home_in(tmp_path / "h")


def receipts(home: Home):
    """The lines of the files, as they are just now."""
    path = home.board() / "receipts" / "00000001.jsonl"
    return [json.loads(line) for line in whole_lines(path)]


def test_an_attempt_leaves_a_receipt_by_itself(home):
    home.up()
    task = home.create_command(["sh", "-c", "echo hello; exit 3"], max_attempts=1)
    home.becomes(task, "blocked")
    [told] = eventually(lambda: receipts(home))
    assert told["end"]["outcome"] == "failed"
    assert told["end"]["exit_code"] == 3
    assert told["output"] == {"bytes": 6, "sha256": hashlib.sha256(b"hello\n").hexdigest()}
    assert told["environment"]["digest"].startswith("hmac-sha256:")
    assert "PATH" in told["environment"]["names"]
    log = home.board() / "logs" / f"{task}.log"
    assert hashlib.sha256(log.read_bytes()).hexdigest() == told["output"]["sha256"]


def test_whatever_is_killed_each_attempt_has_one_receipt_in_one_chain(home):
    tasks = []
    for _ in range(3):
        home.up()
        newest = [home.create_command(["true"]) for _ in range(4)]
        eventually(lambda newest=newest: any(home.status(task) == "done" for task in newest))
        home.daemons[-1].kill()
        tasks += newest
    home.up()
    for task in tasks:
        home.becomes(task, "done")
        home.is_over(task)
    runs = sorted(run["id"] for task in tasks for run in home.runs(task))
    eventually(lambda: sorted(one["run"]["id"] for one in receipts(home)) == runs)
    assert home.ask("receipt.verify")["ok"]
    assert [one["seq"] for one in receipts(home)] == list(range(1, len(runs) + 1))


def test_without_a_dispatcher_a_pass_writes_what_is_missing(home):
    task = home.create_command(["true"])
    home.shop("dispatch")

    def passed():
        home.shop("dispatch")
        return home.status(task) == "done" and receipts(home)

    [told] = eventually(passed)
    assert told["task"]["id"] == task


def test_a_line_taken_from_the_end_of_a_file_is_missed_at_once(home):
    home.up()
    tasks = [home.create_command(["true"]) for _ in range(3)]
    for task in tasks:
        home.is_over(task)
    eventually(lambda: len(receipts(home)) == len(tasks))
    assert home.ask("receipt.verify")["ok"]
    file = home.board() / "receipts" / "00000001.jsonl"

    def found():
        """What is told after the line was taken; the look after a write may have put it back."""
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
        told = home.ask("receipt.verify")
        return not told["ok"] and told["problems"]

    missing = eventually(found)
    assert [(one["code"], one["receipt"]) for one in missing] == [("missing", 3)]
