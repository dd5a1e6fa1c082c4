"""How answers look: as text for a person, as JSON for a program, on terminals and in pipes."""

import base64
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from shopfloor.surfaces.cli import moments, render, sheet
from shopfloor.surfaces.cli.console import Console, cells, cut
from shopfloor.surfaces.cli.page import Page
from tests.surfaces.cli_shop import Shop

ESCAPE = "\x1b"


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def test_a_list_is_a_table_with_the_priority_only_where_there_is_one(shop):
    shop.create("first", "--assignee", "alice")
    assert shop("list").out.splitlines()[0].split() == ["id", "status", "assignee", "age", "title"]
    shop.create("second", "--priority", "5")
    head, *rows = [line.split() for line in shop("list").out.splitlines()]
    assert head == ["id", "status", "pri", "assignee", "age", "title"]
    assert [(row[0], row[2], row[3]) for row in rows] == [("#2", "5", "-"), ("#1", "0", "alice")]


def test_a_table_fits_the_terminal_and_is_whole_in_a_pipe(shop):
    title = "a long title " * 10
    shop.create(title)
    shop("block", "1", "a reason that says more than there is room for")
    shown = shop.on_a_terminal("list", columns=60, NO_COLOR="1").out
    assert all(cells(line) <= 60 for line in shown.splitlines())
    assert "…" in shown
    told = shop.on_a_terminal("list", columns=90, COLUMNS="50", NO_COLOR="1").out
    assert max(cells(line) for line in told.splitlines()) == 50
    piped = shop("list", COLUMNS="50").out
    assert title.strip() in piped
    assert "a reason that says more than there is room for" in piped


def test_wide_characters_take_the_columns_that_they_take(shop):
    shop.create("日本語の題名" * 8, "--assignee", "名前")
    shop.create("plain", "--assignee", "bob")
    rows = shop.on_a_terminal("list", columns=60, NO_COLOR="1").out.splitlines()
    assert all(cells(row) <= 60 for row in rows)
    assert cells(rows[1].split("日")[0]) == cells(rows[2].split("plain")[0])
    assert cut("日本語", 4) == "日…"
    assert cells("e\u0301") == 1


def test_colours_are_for_terminals_and_a_person_can_say_otherwise(shop):
    shop.create()
    assert ESCAPE in shop.on_a_terminal("list").out
    assert ESCAPE not in shop("list").out
    assert ESCAPE not in shop.on_a_terminal("list", NO_COLOR="1").out
    assert ESCAPE not in shop.on_a_terminal("list", CLICOLOR="0").out
    assert ESCAPE in shop("list", FORCE_COLOR="1").out
    assert ESCAPE not in shop("list", FORCE_COLOR="0").out
    assert ESCAPE not in shop("list", FORCE_COLOR="1", NO_COLOR="1").out
    shop.environment["TERM"] = "dumb"
    assert ESCAPE in shop("list", FORCE_COLOR="1").out


def test_text_from_the_board_cannot_steer_the_terminal(shop):
    shop.create(f"red {ESCAPE}[31m\u202etxt\x07", "--body", f"one\n{ESCAPE}]0;title\x07two")
    for argv in (["list"], ["show", "1"], ["events"], ["context", "1"], ["why", "1"]):
        said = shop.on_a_terminal(*argv, NO_COLOR="1").out
        assert not set(said) & {ESCAPE, "\u202e", "\x07"}, argv
    assert "\\x1b[31m" in shop("show", "1").out


def test_a_blocked_task_shows_its_reason_in_the_list(shop):
    shop.create("publish")
    shop("block", "1", "need the\nkey")
    assert shop("list").out.splitlines()[1].endswith("publish  need the key")


def test_a_page_of_a_list_says_how_to_go_on(shop):
    for _ in range(3):
        shop.create()
    first = shop("list", "--limit", "2")
    assert first.err == "more with --after 0:2\n"
    assert "#3" in shop("list", "--after", "0:2").out
    assert shop("list", "--limit", "2", "-q").err == ""


def test_the_page_of_a_task_says_everything_that_is_set(shop, tmp_path):
    parent = shop.create("the parent")
    shop.create(
        "the task", "--parent", parent, "--body", "two\nlines", "--check", "pytest -q",
        "--priority", "3", "--max-runtime", "90m", "--backoff", "1m", "--tenant", "acme",
        "--skill", "sql", "--max-attempts", "4", "--idempotency-key", "k1",
        "--env", "A=1", "--", "make", "all things",
    )  # fmt: skip
    shop("comment", "2", "mind the gap")
    (tmp_path / "notes.txt").write_text("notes")
    shop("attach", "2", tmp_path / "notes.txt")
    said = shop("show", "2").out
    for words in (
        "#2 the task  todo", "next: ", "A=1 make 'all things'", "pytest -q", "1h30m", "1m00s",
        "acme", "sql", "two\nlines", "Waits for\n#1 ready  the parent", "Comments\ntester, ",
        "  mind the gap", "notes.txt  5 bytes  /", "Latest events\n",
    ):  # fmt: skip
        assert words in said, words
    assert "model" not in said, "what is not set is left out"
    assert "Is waited for by\n#2 todo  the task" in shop("show", "#1").out


def test_attempts_are_shown_with_their_end(shop):
    shop.create()
    worker = shop.work_on(1)
    worker("heartbeat", "reading the sources")
    assert "reading the sources" in shop("runs", "1").out
    worker("complete", "--summary", "all done")
    row = shop("runs", "1").out.splitlines()[1]
    assert row.split()[2:5] == ["worker", "-", "completed"]
    assert row.endswith("all done")
    assert "all done" in shop("show", "1").out
    assert "outcome" in shop("run", "show", "1").out


def test_every_verb_says_the_task_and_where_it_is_now(shop):
    shop.create("the task")
    assert shop("block", "1", "why").out == "#1 blocked: the task\n"
    assert shop("unblock", "1").out == "#1 ready: the task\n"
    assert shop("edit", "1", "--title", "better").out == "#1 ready: better\n"
    assert shop("terminate", "1").code == 4
    assert shop("promote", "1", "--dry-run").code in (0, 4)
    assert shop("delete", "1", "--yes").out == "#1 deleted\n"


def test_creating_twice_with_a_key_says_that_it_was_there(shop):
    first = shop("create", "once", "--idempotency-key", "k")
    again = shop("create", "once", "--idempotency-key", "k")
    assert first.out == "#1 created, ready: once\n"
    assert again.out == "#1 was there already, ready: once\n"
    assert "no dispatcher is running" in first.err


def test_json_is_the_answers_result_and_nothing_else(shop):
    asked = []

    class Listening:
        def __init__(self, inner):
            self.inner = inner

        def ask(self, request):
            asked.append(self.inner.ask(request))
            return asked[-1]

        def close(self):
            self.inner.close()

    said = shop("create", "naïve ☃", "--json", connect=lambda board: Listening(shop.connect(board)))
    assert f'{{"result":{said.out[:-1]}}}'.encode() == asked[0]
    assert said.err == ""
    assert said.json["task"]["title"] == "naïve ☃"
    assert shop("list", "--json").json["items"][0]["id"] == 1
    assert shop("--json", "list") == shop("list", "--json")


def test_json_reaches_a_stream_of_another_encoding_byte_for_byte(shop):
    shop.create("naïve ☃")
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    shop.run(["list", "--json"], out, io.StringIO(), stdin=io.StringIO())
    assert json.loads(raw.getvalue())["items"][0]["title"] == "naïve ☃"
    shop.run(["list"], out, io.StringIO(), stdin=io.StringIO())
    assert b"na\\xefve \\u2603" in raw.getvalue()


def test_quiet_prints_only_what_it_is_about(shop):
    assert shop("create", "a", "-q").out == "1\n"
    shop.create("b")
    assert shop("list", "-q").out == "1\n2\n"
    assert shop("block", "1", "2", "why", "--quiet").out == "1\n2\n"
    assert shop("board", "list", "-q").out == "default\n"
    assert shop("pause", "-q") == (0, "", "")
    assert "paused" in shop("holds").out


def test_several_tasks_are_each_reported_and_one_failure_stops_none(shop):
    for _ in range(3):
        shop.create("t")
    shop("block", "2", "why")
    said = shop("complete", "1", "99", "2", "3")
    assert said.code == 3
    assert said.out.splitlines() == ["#1 done: t", "#2 done: t", "#3 done: t"]
    assert said.err.startswith("shop: #99: there is no")
    told = shop("reopen", "1", "99", "--json")
    assert told.code == 3
    assert [one["id"] for one in told.json] == [1, 99]
    assert told.json[0]["result"]["status"] == "ready"
    assert told.json[1]["error"]["code"] == "not_found"
    assert told.err == ""


def test_the_body_may_come_from_standard_input(shop):
    shop("create", "t", "--body", "-", stdin="from\na pipe\n")
    assert shop("show", "1", "--json").json["task"]["body"] == "from\na pipe"


def test_a_file_goes_in_and_comes_out_as_it_was(shop, tmp_path):
    data = bytes(range(256)) * 10
    (tmp_path / "raw.bin").write_bytes(data)
    shop.create()
    assert shop("attach", "1", tmp_path / "raw.bin").out.startswith("raw.bin (2560 bytes): /")
    assert shop("attach", "1", "-", "--name", "in.txt", stdin="piped").code == 0
    assert shop("attach", "1", "-", stdin="piped").err.endswith("needs --name\n")
    said = shop("fetch", "1", "raw.bin", "--output", tmp_path / "copy.bin")
    assert (said.out, said.err) == ("", f"2560 bytes written to {tmp_path}/copy.bin\n")
    assert (tmp_path / "copy.bin").read_bytes() == data
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8")
    shop.run(["fetch", "1", "raw.bin"], out, io.StringIO(), stdin=io.StringIO())
    assert raw.getvalue() == data
    assert base64.b64decode(shop("fetch", "1", "raw.bin", "--json").json["content"]) == data
    assert shop("attachments", "1").out.count("\n") == 3


def test_a_name_stays_taken_where_its_file_was_removed_behind_the_boards_back(shop, tmp_path):
    (tmp_path / "notes.txt").write_text("one")
    shop.create()
    kept = shop("attach", "1", tmp_path / "notes.txt").out.strip().rpartition(": ")[2]
    Path(kept).unlink()
    again = shop("attach", "1", tmp_path / "notes.txt")
    assert again.out.startswith("notes-2.txt (3 bytes): /")


def test_times_are_shown_in_the_readers_zone(shop):
    shop.create()
    shop("schedule", "1", "--at", "2030-06-01T12:00Z")
    assert "2030-06-01 12:00:00" in shop("show", "1").out
    assert "2030-06-01 21:00:00" in shop("show", "1", TZ="Asia/Tokyo").out
    assert "2030-06-01 0" in shop("show", "1", TZ="America/New_York").out
    assert shop("show", "1", TZ="No/Such_Zone").code == 0
    told = shop("show", "1", "--json").json["task"]["not_before"]
    assert datetime.fromisoformat(told).utcoffset().total_seconds() == 0


def test_boards_pauses_and_figures_are_shown(shop):
    shop("board", "create", "tools", "--name", "The tools")
    marks = [line.split()[:2] for line in shop("board", "list").out.splitlines()[1:]]
    assert marks == [["*", "default"], ["tools", "sqlite"]]
    shop.create()
    shop("pause", "--reason", "lunch")
    assert "lunch" in shop("holds").out
    assert shop("resume").out == "resumed\n"
    assert shop("resume").out == "nothing was paused there\n"
    assert shop("stats").out.splitlines()[0].split() == ["ready", "1"]
    assert "(nobody)" in shop("stats").out
    assert shop("fsck").out == "the ledger is clean\n"


def test_a_dispatch_pass_says_what_it_would_do_and_what_it_left(shop):
    shop.create("for nobody")
    said = shop("dispatch", "--dry-run")
    assert said.code == 0
    assert said.out.startswith("skipped (nobody): ")


def test_a_claim_is_what_a_shell_can_take_over(shop):
    shop.create()
    said = shop("claim", "1")
    names = [line.partition("=")[0] for line in said.out.splitlines()]
    assert names == [f"export SHOPFLOOR_{name}" for name in ("TASK", "RUN", "TOKEN")]
    assert said.err.startswith("#1 claimed as run 1, attempt 1")


def shown(kind, value, **environment):
    """A page with one answer on it."""
    out = io.StringIO()
    console = Console(out, io.StringIO(), io.StringIO(), {"TZ": "UTC", **environment}, lambda: 0)
    render.render(kind, value, Page(console))
    return out.getvalue()


def test_a_result_that_nobody_wrote_a_text_for_shows_its_names_and_values():
    value = {"a_name": "x", "when": "2030-01-31T09:00:00Z", "yes": True, "none": None, "list": [1]}
    said = shown("NewThing", value)
    assert [line.split(maxsplit=1) for line in said.splitlines()[1:]] == [
        ["when", "2030-01-31 09:00:00"],
        ["yes", "yes"],
        ["list", "[1]"],
    ]
    assert said.startswith("a name  x\n")
    rows = shown("list[NewThing]", [{"id": 1, "deep": {}}, {"id": 2, "deep": {}}])
    assert rows == "id\n1\n2\n"
    assert shown("list[str]", ["a", "b"]) == "a\nb\n"
    assert shown("str", "plain") == "plain\n"


def test_a_report_with_troubles_and_a_check_with_findings_are_told():
    empty = {
        name: [] for name in ("started", "settled", "reclaimed", "due", "promoted", "assigned")
    }
    report = {
        **empty, "dry_run": False, "warnings": ["odd"], "skipped": [],
        "troubles": [{"step": "claim", "sentence": "no"}],
    }  # fmt: skip
    assert shown("DispatchReport", report) == "nothing to do\n"
    finding = {"invariant": "one open run", "task": 4, "run": None, "sentence": "it has two"}
    said = shown("FsckView", {"ok": False, "problems": [finding]})
    assert said == "#4: it has two (one open run)\n"


@pytest.mark.parametrize(
    ("seconds", "age", "span"),
    [
        (0, "0s", "0.0s"),
        (59, "59s", "59s"),
        (200, "3m", "3m20s"),
        (7_500, "2h", "2h05m"),
        (450_000, "5d", "5d05h"),
        (-5, "0s", "0.0s"),
    ],
)
def test_ages_and_spans_are_short(seconds, age, span):
    assert moments.age(seconds) == age
    assert moments.span(seconds) == span


def test_a_command_and_a_summary_keep_their_lines(shop):
    number = shop.create("t", "--", "sh", "-c", "first\n  second")
    shop("complete", number, "--summary", "one\ntwo")
    said = shop("show", number).out
    assert "command  sh -c 'first\n           second'\n" in said
    assert "summary  one\n         two\n" in said


def test_a_list_says_when_what_waits_for_a_time_goes_on(shop):
    shop.create("later", "--not-before", "150m")
    assert "later  in 2h\n" in shop("list").out
    assert " (in 2h)\n" in shop("why", "1").out


@pytest.mark.parametrize(("columns", "receipts"), [(80, False), (120, True), (None, True)])
def test_on_a_narrow_page_attempts_keep_their_words_and_lose_their_receipts(
    shop, columns, receipts
):
    number = shop.create()
    shop("complete", number, "--summary", "the summary of it all")
    attempts = shop("runs", number, "--json").json
    attempts[0]["receipt"] = "ab" * 32
    out = io.StringIO()
    page = Page(Console(out, io.StringIO(), io.StringIO(), {"TZ": "UTC"}, lambda: 0))
    page.width = columns
    sheet.runs(attempts, page)
    assert "the summary of it all" in out.getvalue()
    assert ("receipt" in out.getvalue()) is receipts


def test_the_latest_events_end_without_blanks(shop):
    shop.create()
    shop("block", "1", "no key")
    lines = shop("show", "1").out.splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_creating_says_what_keeps_a_task_from_being_worked(shop):
    said = shop("create", "x")
    assert "note: nobody works on it until it has a profile: `shop assign 1 PROFILE`\n" in said.err
    said = shop("create", "x", "--assignee", "ghost")
    assert "note: there is no profile 'ghost' on this host; `shop profile list`" in said.err
    for flags in (["--initial-status", "triage"], ["--initial-status", "blocked"], ["--", "true"]):
        assert "profile" not in shop("create", "x", *flags).err


def test_an_idea_is_parked_in_triage_by_a_word(shop):
    number = shop.create("an idea", "--triage")
    assert shop("show", number, "--json").json["task"]["status"] == "triage"
