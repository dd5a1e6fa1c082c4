"""`shop export` on the command line: a file of one moment, and one that is kept current through kills."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support.notes import whole_lines
from tests.support.waiting import eventually
from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def titles(path):
    """The titles of tasks as the lines of a file have them in the end."""
    found = {}
    for line in whole_lines(path):
        told = json.loads(line)
        if told.get("table") == "task":
            found[told["row"]["id"]] = told["row"]["title"]
    return [found[number] for number in sorted(found)]


def test_the_ledger_goes_to_standard_output_or_to_a_file(shop, tmp_path):
    shop.create("first")
    said = shop("export")
    told = [json.loads(line) for line in said.out.splitlines()]
    assert "ledger" in told[0] and "cursor" in told[-1]
    path = tmp_path / "ledger.jsonl"
    assert shop("export", "--output", path).code == 0
    assert titles(path) == ["first"]
    assert list((shop.home.boards / "default" / "exports").iterdir()) == []
    assert shop("export", "--output", tmp_path / "no" / "folder").code == 2


@pytest.fixture
def follow(shop, tmp_path):
    """Starts a process that keeps a file current."""
    started = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, "-m", "shopfloor", "export", "--follow", "--output", str(path)],
            env={**os.environ, "SHOPFLOOR_HOME": str(shop.home.root)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_followed_file_goes_on_where_a_kill_has_cut_it(shop, follow, tmp_path):
    path = tmp_path / "ledger.jsonl"
    shop.create("first")
    process = follow(path)
    eventually(path.exists)
    shop.create("second")
    eventually(lambda: titles(path) == ["first", "second"])
    process.send_signal(signal.SIGKILL)
    process.wait()
    size = path.stat().st_size
    with path.open("a") as file:
        file.write('{"table":"task","row":{"id":9,"title":"half a pie')
    shop.create("third")
    process = follow(path)
    eventually(lambda: "half a pie" not in path.read_text() and len(titles(path)) == 3)
    assert titles(path) == ["first", "second", "third"]
    assert path.stat().st_size > size
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0


def test_a_followed_file_may_be_moved_away_and_its_parts_together_are_the_ledger(
    shop, follow, tmp_path
):
    path, older, whole = (tmp_path / name for name in ("now.jsonl", "now.jsonl.1", "whole.jsonl"))
    shop.create("first")
    follow(path)
    eventually(lambda: path.exists() and titles(path) == ["first"])
    path.rename(older)
    shop.create("second")
    eventually(lambda: path.exists() and titles(path) == ["second"])
    whole.write_bytes(older.read_bytes() + path.read_bytes())
    assert titles(whole) == ["first", "second"]


def test_a_file_is_kept_current_by_one_process_and_for_one_board(shop, follow, tmp_path):
    path, older = tmp_path / "ledger.jsonl", tmp_path / "older.jsonl"
    shop.create("first")
    process = follow(path)
    eventually(lambda: path.exists() and titles(path) == ["first"])
    shop.create("second")
    eventually(lambda: titles(path) == ["first", "second"])
    size = path.stat().st_size
    refused = shop("export", "--follow", "--output", path)
    assert refused.code == 2 and "another process keeps" in refused.err
    assert path.stat().st_size == size
    path.rename(older)
    shop.create("third")
    eventually(lambda: path.exists() and titles(path) == ["third"])
    process.kill()
    process.wait()
    assert shop("board", "create", "other").code == 0
    refused = shop("--board", "other", "export", "--follow", "--output", path)
    assert refused.code == 2 and "of another ledger" in refused.err
    assert titles(path) == ["third"]


def test_a_file_that_is_something_else_is_not_touched(shop, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("dear board\n")
    shop.create()
    refused = shop("export", "--follow", "--output", path)
    assert refused.code == 2
    assert "is no export" in refused.err
    assert path.read_text() == "dear board\n"
