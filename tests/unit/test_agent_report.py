"""The report that an agent's runner leaves is read as far as it can be believed."""

import json

import pytest

from shopfloor.domain import limits
from shopfloor.domain.agent_report import read_report
from shopfloor.domain.outcomes import Report, Usage

WHOLE = {
    "v": 1,
    "ending": "quota",
    "sentence": "5-hour limit reached",
    "reset_at": 1_800_000_000_000,
    "next": "wait",
    "text": "I was half way",
    "session_id": "abc",
    "model": "opus",
    "turns": 3,
    "reminders": 1,
    "usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 3,
        "cache_write_tokens": 4,
        "cost_micros": 5,
    },
}


def read(**changed):
    return read_report(json.dumps({**WHOLE, **changed}))


def test_a_whole_report_is_read():
    assert read() == Report(
        "quota",
        "5-hour limit reached",
        1_800_000_000_000,
        "wait",
        "I was half way",
        "abc",
        "opus",
        3,
        1,
        Usage(1, 2, 3, 4, 5),
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"v": 2}', "{}"])
def test_what_is_no_report_of_this_version_is_none(text):
    assert read_report(text) is None


@pytest.mark.parametrize("value", [None, -1, 1.5, "7", True, [], 2**60])
def test_a_figure_that_is_none_counts_as_left_out(value):
    told = read(turns=value, reset_at=value, usage={"input_tokens": value, "cost_micros": value})
    assert (told.turns, told.reset_at, told.usage) == (0, None, Usage())


@pytest.mark.parametrize("value", [None, 7, "", "no such ending", {}])
def test_an_unknown_ending_is_none(value):
    assert read(ending=value).ending is None


def test_a_usage_that_is_none_counts_as_nothing():
    assert read(usage=7).usage == Usage()


def test_a_text_is_cut_and_freed_of_what_no_database_takes():
    assert read(text="a\0b").text == "ab"
    assert read(text="\ud800").text == "?"
    long = read(text="ü" * limits.REPORT_TEXT_BYTES_MAX).text
    assert len(long.encode()) == limits.REPORT_TEXT_BYTES_MAX
