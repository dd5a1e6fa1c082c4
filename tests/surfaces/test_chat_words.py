"""From a message to a command: names, words, quotes, lines below the first; and what fits into a message."""

import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.chat.speech import (
    TEXT_MAX,
    Speaker,
    fitting,
    place_of,
    size,
    target_of,
)
from shopfloor.surfaces.chat.words import line_of, named, spoken


def words(text):
    """A message's command and its words."""
    found = spoken(line_of(text))
    return found.command.command, found.said.words


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/list", "list"),
        ("/LIST", "list"),
        ("/list@FloorBot", "list"),
        ("/kanban list", "list"),
        ("/shop board list", "board list"),
        ("/board list", "board list"),
        ("/board_list", "board list"),
        ("/request_changes 1 not yet", "request-changes"),
        ("/kanban request_changes 1 not yet", "request-changes"),
        ("/request-changes 1 not yet", "request-changes"),
        ("/profile_check x", "profile check"),
    ],
)
def test_a_command_goes_by_all_its_names(text, command):
    assert words(text)[0] == command


def test_orders_have_a_noun_of_their_own():
    assert named(["workorders", "run_due"]) == ["order", "run-due"]
    assert named(["workorder"]) == ["order"]
    assert named(["kanban"]) == []


@pytest.mark.parametrize("text", ["hello", "/", "/ list", "//list", "", "  "])
def test_what_begins_with_no_command_is_none(text):
    assert line_of(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/comment 1 it doesn't fit", ["1", "it doesn't fit"]),
        ('/comment 1 he said "no" to it', ["1", 'he said "no" to it']),
        ("/comment 1 “a quote” here", ["1", "“a quote” here"]),
        ('/comment 1 "all of it"', ["1", "all of it"]),
        ("/comment #1 one\ntwo\n\nthree", ["#1", "one\ntwo\n\nthree"]),
        ("/comment 1\nonly below", ["1", "only below"]),
        ("/comment 1 a -- b", ["1", "a b"]),
        ("/block 1 2 #3 which key do we use", ["1", "2", "#3", "which key do we use"]),
        ("/create Paint the door --priority 5 in red", ["Paint the door in red"]),
        ("/answer 1 the red one, please", ["1", "the red one, please"]),
        ("/show 1", ["1"]),
    ],
)
def test_what_is_left_over_belongs_to_the_last_words(text, meant):
    assert words(text)[1] == meant


def test_flags_are_heard_between_words_and_after_a_phone_made_one_dash_of_two():
    said = spoken(line_of('/create Paint it —assignee bob --tenant="the house"')).said
    assert (said.words, said.flags.field_assignee, said.flags.field_tenant) == (
        ["Paint it"],
        "bob",
        "the house",
    )


def test_lines_below_are_the_body_unless_a_body_was_given():
    assert (
        spoken(line_of("/create x\nall of it\nin red")).said.flags.field_body == "all of it\nin red"
    )
    assert spoken(line_of("/create x --body short\nlong")).said.flags.field_body == "short"
    with pytest.raises(Invalid, match="takes no text"):
        spoken(line_of("/list\nmore"))


def test_a_command_after_two_dashes_is_read_as_a_shell_reads_it():
    assert spoken(line_of("/create it's on -- sh -c 'seq 9 > out'")).said.rest == [
        "sh",
        "-c",
        "seq 9 > out",
    ]
    with pytest.raises(Invalid, match="/order enqueue -- make test"):
        spoken(line_of("/order enqueue make test"))
    with pytest.raises(Invalid, match="as a shell takes it"):
        line_of("/create x -- sh -c 'open")


def test_what_is_no_command_says_what_would_be_one():
    for text, hint in (("/lsit", "/list"), ("/board", "/board list"), ("/qqqqqq", "/help")):
        with pytest.raises(Invalid) as refused:
            spoken(line_of(text))
        assert hint in refused.value.message


def test_a_place_and_its_target_are_the_same_whatever_a_chat_is_called():
    for chat, thread in (("-1001", "5"), ("#dev room/2", None), ("a b", "c/d")):
        assert place_of(target_of("irc", chat, thread)) == (chat, thread)
    assert target_of("irc", "#dev/ü %", None) == "chat:irc/#dev%2Fü%20%25"
    assert Speaker("telegram", "-5", "9", "ann").target == "chat:telegram/-5/9"


def test_a_long_answer_is_cut_at_a_line_and_says_where_the_whole_is():
    assert fitting("x" * TEXT_MAX, "shop show 1") == "x" * TEXT_MAX
    text = "\n".join(f"line {number}" for number in range(1_000))
    shown = fitting(text, "shop list")
    assert shown.endswith("\n… cut here; all of it: shop list")
    assert TEXT_MAX - 40 < size(shown) <= TEXT_MAX
    assert shown.splitlines()[-2] in text.splitlines()


@pytest.mark.parametrize("letter", ["x", "ü", "日", "😀"])
def test_an_answer_is_measured_as_the_platforms_measure(letter):
    shown = fitting(letter * 9_000, "shop show 1")
    assert size(shown) <= TEXT_MAX
    assert shown.endswith("shop show 1") and "\ufffd" not in shown
    assert size("😀") == 2
