"""What agents bring to a board, as the command line shows it: questions, quotas, usage, changes."""

import io
import subprocess

import pytest

from shopfloor.surfaces.cli import render
from shopfloor.surfaces.cli.agents import money
from shopfloor.surfaces.cli.console import Console
from shopfloor.surfaces.cli.page import Page
from tests.surfaces.cli_shop import Shop

NOW_MS = 1_800_000_000_000


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def shown(kind, value):
    out = io.StringIO()
    console = Console(out, io.StringIO(), io.StringIO(), {"TZ": "UTC"}, lambda: NOW_MS)
    render.render(kind, value, Page(console))
    return out.getvalue()


def test_a_question_is_asked_listed_and_answered(shop):
    shop.create("paint the door")
    worker = shop.work_on(1)
    asked = worker("ask", "Which colour?", "--option", "red", "--option", "blue")
    assert asked.out == "question 1 asked; #1 is blocked\n"
    listed = shop("questions")
    assert "Which colour?" in listed.out and "red or blue" in listed.out
    assert "shop answer 1 TEXT" in listed.err
    assert "next: shop answer 1 TEXT" in shop("why", "1").out
    assert shop("answer", "1", "red").out == "question 1 answered; #1 is ready\n"
    assert "nothing" not in shop("questions").out
    one = shop("question", "1").out
    assert "answered" in one and "red" in one and "by tester" in one
    page = shop("show", "1").out
    assert "Questions" in page and "Which colour?: red" in page
    again = shop("answer", "1", "blue")
    assert again.code == 4
    assert "was answered already by tester: 'red'" in again.err


def test_a_default_comes_with_a_deadline_as_people_write_it(shop):
    shop.create()
    told = shop.work_on(1)("ask", "Which?", "--default", "this", "--deadline", "2h", "--json").json
    assert told["question"]["default"] == "this"
    assert "from" in shop("question", "1").out
    assert shop("question", "1").out.splitlines()[-1] == "next: shop answer 1 TEXT"


def test_one_of_several_questions_is_named(shop):
    shop.create()
    worker = shop.work_on(1)
    for words in ("Which size?", "Which colour?"):
        worker("ask", words, "--wait")
    assert "shop answer 1 TEXT --question 2" in shop("questions").err
    assert shop("answer", "1", "red").code == 5
    assert shop("answer", "1", "red", "--question", "2").code == 0


def test_a_worker_reads_its_inbox_once(shop):
    shop.create()
    worker = shop.work_on(1)
    shop("comment", "1", "mind the cat")
    assert "mind the cat" in worker("inbox").out
    assert worker("inbox").out == ""


def test_a_worker_hands_a_piece_of_its_work_on(shop):
    shop.create("root")
    worker = shop.work_on(1)
    assert worker("subtask", "a piece", "--wait").out == "#2 ready: a piece\n"
    worker("block", "waits for the piece", "--kind", "dependency")
    assert "it waits for #2" in shop("why", "1").out


def test_no_questions_no_quotas_and_no_usage_are_said_so(shop):
    shop.create()
    assert shop("questions").err == "no questions\n"
    assert shop("quota").err == "no account waits for its limit to end\n"
    assert shop("usage").err == "nothing was used\n"
    assert shop("quota", "clear", "acme").code == 3


def test_a_parked_account_has_its_countdown():
    row = {
        "account": "acme",
        "state": "parked",
        "reason": "5-hour limit reached",
        "rounds": 2,
        "rounds_limit": 12,
        "left_s": 4_500.0,
        "waiting": 19,
        "probe_task": None,
    }
    text = shown(
        "list[QuotaView]", [row, {**row, "state": "probing", "left_s": None, "probe_task": 7}]
    )
    head, first, second = (line.split() for line in text.splitlines())
    assert head == ["account", "state", "opens", "in", "rounds", "waiting", "probe", "reason"]
    assert first[:5] == ["acme", "parked", "1h15m", "2/12", "19"]
    assert second[1] == "probing" and "#7" in second


def test_usage_is_a_table_with_costs_in_dollars(shop):
    row = {
        "name": "coder",
        "runs": 3,
        "input_tokens": 120_000,
        "output_tokens": 4_000,
        "cache_read_tokens": 9,
        "cache_write_tokens": 0,
        "cost_micros": 1_234_567,
        "unpriced": 1,
    }
    text = shown("UsageTable", {"by": "profile", "since": None, "rows": [row]})
    assert "120,000" in text and "$1.23+" in text
    by_task = shown("UsageTable", {"by": "task", "since": None, "rows": [{**row, "name": "42"}]})
    assert "#42" in by_task
    assert (money(None), money(0), money(1_500), money(2_000_000)) == (
        "",
        "$0.00",
        "$0.0015",
        "$2.00",
    )


def test_a_tasks_page_shows_its_limits_and_what_it_used(shop):
    shop.create("a task", "--max-tokens", "1000", "--max-cost", "0.5")
    page = shop("show", "1").out
    assert "0 of 1,000" in page and "$0.00 of $0.5000" in page
    assert shop("edit", "1", "--max-tokens", "0").code == 0
    assert "of 1,000" not in shop("show", "1").out


def test_the_change_of_a_worktree_is_printed_as_git_tells_it(shop, tmp_path):
    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@x")
        subprocess.run(["git", "-C", str(tmp_path / "r"), *identity, *words], check=True)

    (tmp_path / "r").mkdir()
    git("init", "-q", "-b", "main")
    (tmp_path / "r" / "door.txt").write_text("white\n")
    git("add", "-A")
    git("commit", "-qm", "begin")
    order = ["sh", "-c", "echo red > door.txt"]
    shop("create", "paint", "--workspace", f"worktree:{tmp_path}/r", "--", *order)
    assert "it never ran" in shop("diff", "1").err
    shop("create", "plain")
    assert "its workspace is scratch" in shop("diff", "2").err


def test_an_empty_change_and_a_long_one_are_said_so():
    value = {"task": 1, "workspace": "/w", "base": "abc", "text": "", "truncated": False}
    assert shown("DiffView", value) == ""
    assert "+red" in shown("DiffView", {**value, "text": "+red", "truncated": True})
