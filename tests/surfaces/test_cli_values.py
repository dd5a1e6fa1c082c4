"""What the words of a command line may be, and the sentence for those that make no sense."""

import io
import json

import pytest

from shopfloor.domain.errors import Forbidden, Invalid
from shopfloor.surfaces.cli import request, values
from shopfloor.surfaces.cli.catalog import Command, Field, find
from shopfloor.surfaces.cli.client import Ask, WorkerIdentity
from shopfloor.surfaces.cli.console import Console
from shopfloor.surfaces.cli.parser import parse
from shopfloor.surfaces.cli.values import Reader

# 2030-01-31T09:00:00Z
NOW_MS = 1_896_080_400_000
WORKER = WorkerIdentity(7, 3, "token", "default")


def read(kind, word, *, stdin="", zone="UTC"):
    """The value that one word stands for."""
    console = Console(
        io.StringIO(), io.StringIO(), io.StringIO(stdin), {"TZ": zone}, lambda: NOW_MS
    )
    return Reader(console).value(Field("field", kind, flag="--field", choices=("a", "b")), word)


def build(*argv, worker=None):
    """The request that a command line stands for."""
    found = find(argv)
    assert found is not None
    command, length = found
    console = Console(io.StringIO(), io.StringIO(), io.StringIO(""), {"TZ": "UTC"}, lambda: NOW_MS)
    return request.build(command, parse(command, argv[length:]), Reader(console), worker)


@pytest.mark.parametrize(
    ("word", "milliseconds"),
    [("90s", 90_000), ("10m", 600_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("45", 45_000)],
)
def test_a_duration_is_written_as_people_write_it(word, milliseconds):
    assert read("ms", word) == milliseconds
    assert read("s", word) == milliseconds / 1000
    assert read("backoff", word) == {"base_ms": milliseconds}


@pytest.mark.parametrize(
    ("word", "zone", "time"),
    [
        ("10m", "UTC", "2030-01-31T09:10:00+00:00"),
        ("2030-06-01T12:00", "Europe/Berlin", "2030-06-01T10:00:00+00:00"),
        ("2030-06-01T12:00+02:00", "UTC", "2030-06-01T10:00:00+00:00"),
        ("2030-06-01T12:00Z", "America/New_York", "2030-06-01T12:00:00+00:00"),
        ("2030-06-01", "Asia/Tokyo", "2030-05-31T15:00:00+00:00"),
        ("18:00", "UTC", "2030-01-31T18:00:00+00:00"),
        ("9:00", "UTC", "2030-02-01T09:00:00+00:00"),
        ("18:00", "Asia/Tokyo", "2030-02-01T09:00:00+00:00"),
    ],
)
def test_a_time_is_local_without_a_zone_or_a_span_from_now(word, zone, time):
    assert read("time", word, zone=zone) == time


@pytest.mark.parametrize(
    ("word", "time"),
    [("10m", "2030-01-31T08:50:00+00:00"), ("18:00", "2030-01-30T18:00:00+00:00")],
)
def test_since_counts_back(word, time):
    asked = build("order", "query", "--since", word)
    assert asked.args["since"] == time


@pytest.mark.parametrize(
    ("kind", "word", "sentence"),
    [
        ("ms", "soon", "--field: 'soon' is no duration; write 90s, 10m, 1h30m or 2d"),
        ("int", "two", "--field takes a whole number, not 'two'"),
        ("int", "1.5", "--field takes a whole number, not '1.5'"),
        (
            "time",
            "tomorrow",
            "--field takes an ISO time such as 2030-01-31T09:00, a time of the day",
        ),
        ("choice", "c", "--field takes one of a, b, not 'c'"),
        ("json", "{", "--field takes JSON or @FILE, and this is none"),
        ("argv", "echo 'open", "--field takes a command as a shell takes it: no closing quotation"),
    ],
)
def test_a_word_that_makes_no_sense_gets_a_sentence_that_names_its_flag(kind, word, sentence):
    with pytest.raises(Invalid) as refused:
        read(kind, word)
    assert refused.value.message.startswith(sentence)


def test_a_command_is_given_as_a_shell_takes_it_or_as_json():
    assert read("argv", "pytest -q 'two words'") == ["pytest", "-q", "two words"]
    assert read("argv", '["pytest", "-q"]') == ["pytest", "-q"]
    assert read("argv", "[ -f report.txt ]") == ["[", "-f", "report.txt", "]"]


@pytest.mark.parametrize(
    "words", ["test $(wc -l < text) -ge 2", "make && make check", "N=1 make", "ls *.txt"]
)
def test_a_command_that_only_a_shell_understands_goes_to_a_shell(words):
    assert read("argv", words) == ["sh", "-c", words]


def test_long_text_may_stand_in_a_file_or_on_standard_input(tmp_path):
    (tmp_path / "body.md").write_text("two\nlines\n")
    assert read("prose", f"@{tmp_path}/body.md") == "two\nlines"
    assert read("prose", "-", stdin="from a pipe\n") == "from a pipe"
    (tmp_path / "facts.json").write_text('{"a": 1}')
    assert read("json", f"@{tmp_path}/facts.json") == {"a": 1}


def test_words_that_begin_with_an_at_sign_are_words_unless_they_name_a_file():
    assert read("prose", "@alice please look") == "@alice please look"
    assert read("prose", "@@alice") == "@alice"


def test_a_file_that_is_no_text_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="is not UTF-8 text; attach it as a file instead"):
        read("prose", f"@{tmp_path}/picture")


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("42", (42, None)),
        ("#42", (42, None)),
        ("tools/42", (42, "tools")),
        ("Tools/#42", (42, "tools")),
    ],
)
def test_a_task_is_named_in_three_ways(word, named):
    assert values.task(word) == named


@pytest.mark.parametrize("word", ["", "x", "-1", "4.2", "/42", "42/", "9" * 19, "٤٢"])
def test_what_names_no_task_is_refused(word):
    with pytest.raises(Invalid, match="names no task; write 42, #42 or board/42"):
        values.task(word)


def test_several_tasks_may_stand_before_the_reason_wherever_the_flags_are():
    expected = {"ids": [42, 43], "reason": "why", "kind": "transient"}
    assert build("block", "42", "43", "why", "--kind", "transient").args == expected
    assert build("block", "42", "43", "--kind", "transient", "why").args == expected
    assert build("block", "--kind=transient", "42", "#43", "why").args == expected


def test_one_task_is_not_a_list_and_each_is_named_once():
    assert build("complete", "5").args == {"id": 5}
    assert build("complete", "5", "5", "#5").args == {"id": 5}
    assert build("pause").args == {}
    assert build("pause", "5").args == {"ids": [5]}


def test_a_command_after_two_dashes_is_taken_as_it_is():
    asked = build("create", "t", "--env", "A=1", "--cwd", "sub", "--", "sh", "-c", "x", "--json")
    command = {"argv": ["sh", "-c", "x", "--json"], "env": {"A": "1"}, "cwd": "sub"}
    assert asked.args == {"title": "t", "command": command}


def test_words_after_two_dashes_are_words_where_there_is_no_command():
    assert build("comment", "5", "--", "--looks like a flag").args["body"] == "--looks like a flag"


def test_a_file_may_be_an_address_of_the_web():
    url = "HTTPS://example.org/a%20b.pdf?x=1"
    assert build("attach", "5", url).args == {"id": 5, "url": url}
    assert build("attach", "5", url, "--name", "b").args == {"id": 5, "url": url, "name": "b"}


def test_a_title_may_begin_with_a_dash():
    assert build("create", "--title=-x").args == {"title": "-x"}
    assert build("create", "--title=--force", "--", "ls").args["title"] == "--force"
    assert build("create", "-hot and -quiet").args == {"title": "-hot and -quiet"}
    assert build("create", "-5", "--body", "- a line").args == {"title": "-5", "body": "- a line"}
    assert build("create", "t", "--body=-x").args == {"title": "t", "body": "-x"}
    assert build("create", "t", "--body=-x y").args == {"title": "t", "body": "-x y"}
    assert build("cron", "add", "@daily", "--title=-x").args["title"] == "-x"
    assert build("comment", "5", "--", "-x").args == {"id": 5, "body": "-x"}
    with pytest.raises(Invalid, match="does not know what to do with 'other'"):
        build("create", "--title=one", "other")


def test_lists_are_given_by_saying_the_flag_again():
    asked = build("create", "t", "--parent", "1", "--parent", "#2", "--skill", "a", "--skill", "b")
    assert asked.args == {"title": "t", "parents": [1, 2], "skills": ["a", "b"]}


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["create"], "`shop create` needs TITLE; see `shop create --help`"),
        (["block", "5"], "`shop block` needs REASON"),
        (
            ["create", "two", "words"],
            "does not know what to do with 'words'; quote words with spac",
        ),
        (["create", "t", "--env", "A=1"], "--env and --cwd belong to a command"),
        (["create", "t", "--env", "A", "--", "x"], "--env takes NAME=VALUE, not 'A'"),
        (["create", "t", "--"], "after `--` comes the command that does the work, and nothing is"),
        (["list", "--stauts", "ready"], "`shop list` has no flag --stauts; did you mean --status"),
        (["list", "--limit"], "--limit: a value is missing; see `shop list --help`"),
        (["list", "--limit", "--json"], "--limit: a value is missing; see `shop list --help`"),
        (["create", "-x"], "has no flag -x; see `shop create --help`, or write --title=-x if it"),
        (["create", "--title", "-x"], "see `shop create --help`, or write --title=-x"),
        (["comment", "5", "-x"], "see `shop comment --help`, or write it after `--` if it is no"),
        (["create", "t", "--body", "-", "--reason", "-"], "--body and --reason cannot both read"),
    ],
)
def test_a_command_line_that_makes_no_sense_gets_a_sentence(argv, sentence):
    with pytest.raises(Invalid) as refused:
        build(*argv)
    assert sentence in refused.value.message


def test_a_board_is_chosen_by_a_flag_or_by_a_task_but_not_two_of_them():
    assert build("show", "5").board is None
    assert build("show", "tools/5").board == "tools"
    assert build("show", "tools/5", "--board", "TOOLS").board == "tools"
    with pytest.raises(Invalid, match="one command asks one board, not both 'home' and 'tools'"):
        build("show", "tools/5", "--board", "home")
    with pytest.raises(Invalid, match="one command asks one board"):
        build("link", "tools/5", "home/6")


def test_a_worker_may_leave_its_own_task_out():
    assert build("complete", worker=WORKER).args == {"id": 7}
    assert build("block", "no key", worker=WORKER).args == {"id": 7, "reason": "no key"}
    assert build("comment", "5 of 9 done", worker=WORKER).args == {"id": 7, "body": "5 of 9 done"}
    assert build("comment", "5", worker=WORKER).args == {"id": 7, "body": "5"}
    assert build("heartbeat", worker=WORKER).args == {"id": 7}
    assert build("heartbeat", "reading", worker=WORKER).args == {"id": 7, "note": "reading"}
    assert build("show", worker=WORKER).args == {"id": 7}


def test_a_worker_that_names_its_task_means_it():
    assert build("comment", "#9", "hello", worker=WORKER).args == {"id": 9, "body": "hello"}
    with pytest.raises(Invalid, match="needs REASON"):
        build("block", "7", worker=WORKER)


def test_the_number_of_a_run_is_never_taken_for_a_workers_task():
    with pytest.raises(Invalid, match="needs ID"):
        build("run", "show", worker=WORKER)


def test_a_worker_stays_on_its_board():
    assert build("show", worker=WORKER).board == "default"
    with pytest.raises(Forbidden, match="a worker stays on its board 'default'"):
        build("show", "tools/5", worker=WORKER)


def test_bytes_that_are_no_text_are_refused_before_they_are_sent():
    with pytest.raises(Invalid, match="holds bytes that are not UTF-8 text"):
        request.encode({"title": "caf\udce9"})


def test_a_request_travels_as_the_envelope_that_the_door_reads():
    ask = Ask("task.show", b'{"id": 5}', board="default", request_id="r", run=1, token='"')
    assert json.loads(ask.encode()) == {
        "op": "task.show",
        "args": {"id": 5},
        "board": "default",
        "request_id": "r",
        "run": 1,
        "token": '"',
    }


def test_a_default_of_true_can_be_turned_off():
    field = Field("notify", "flag", flag="--notify", default="True")
    command = Command("x", "task.x", "tasks", "Done", "Do x.", True, False, False, [field])
    assert parse(command, ["--no-notify"]).flags.field_notify is False
    assert not hasattr(parse(command, []).flags, "field_notify")
