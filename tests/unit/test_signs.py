"""Times of resets as providers write them, and what statuses mean."""

import pytest

from shopfloor.runners import paths, signs
from shopfloor.runners.signs import Meaning, Sign

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("event", "rule", "expected"),
    [
        ({"after": "7"}, {"retry_after": "after"}, NOW + 7_000),
        ({"after": 7.5}, {"retry_after": "after"}, NOW + 7_500),
        ({"after": "30s"}, {"retry_after": "after"}, NOW + 30_000),
        ({"after": "Fri, 15 Jan 2027 08:00:10 GMT"}, {"retry_after": "after"}, NOW + 10_000),
        ({"after": "soon"}, {"retry_after": "after"}, None),
        ({"ms": 1500}, {"retry_after_ms": "ms"}, NOW + 1_500),
        ({"at": 1_800_000_060}, {"reset": "at"}, NOW + 60_000),
        ({"at": 1_800_000_060_000}, {"reset": "at"}, NOW + 60_000),
        ({"at": "1800000060"}, {"reset": "at"}, NOW + 60_000),
        ({"at": "2027-01-15T08:01:00Z"}, {"reset": "at"}, NOW + 60_000),
        ({"at": "2027-01-15T09:01:00+01:00"}, {"reset": "at"}, NOW + 60_000),
        ({"at": "2027-01-15T08:01:00"}, {"reset": "at"}, NOW + 60_000),
        ({"at": "tomorrow"}, {"reset": "at"}, None),
        ({}, {"reset": "at"}, None),
        (
            {"m": "try again in 12s"},
            {"message": "m", "pattern": r"in (?P<retry_after>\d+)s"},
            NOW + 12_000,
        ),
    ],
)
def test_a_reset_is_understood_in_each_form_that_providers_use(event, rule, expected):
    assert signs.of_event(event, rule, NOW).reset_at == expected


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (401, "auth_failed"),
        (403, "auth_failed"),
        (402, "quota"),
        (429, "rate_limited"),
        (529, "busy"),
        (503, "busy"),
        (413, "context_overflow"),
        (400, "failed"),
        (None, "failed"),
    ],
)
def test_a_status_says_what_failed(status, ending):
    assert Meaning({}).failure(Sign(status)).ending == ending


def test_what_says_more_goes_before_what_says_less():
    meaning = Meaning(
        {
            "codes": {"insufficient_quota": "quota"},
            "messages": [{"match": "too long", "ending": "context_overflow"}],
        }
    )
    assert meaning.failure(Sign(429, "insufficient_quota", "too long")).ending == "quota"
    assert meaning.failure(Sign(429, "other", "too long")).ending == "context_overflow"
    assert meaning.failure(Sign(429, "other", "slow down")).ending == "rate_limited"


def test_a_sentence_is_one_line_and_not_too_long():
    found = Meaning({}).failure(Sign(500, message="a\nb " + "c" * 10_000))
    assert "\n" not in found.sentence
    assert len(found.sentence) < 600


def test_a_path_goes_into_each_member_of_a_list():
    event = {"message": {"content": [{"text": "a"}, {"name": "b"}, {"text": "c"}, 3]}}
    assert paths.values(event, "message.content.*.text") == ["a", "c"]
    assert paths.text(event, "message.content.*.text") == "a\nc"
    assert paths.first(event, "message.nothing.*.text") is None


def test_a_name_that_holds_dots_is_found_whole():
    assert paths.first({"usage": {"a.b": 3}}, "usage.a.b") == 3


def test_a_difference_is_never_below_nothing():
    assert paths.number({"a": 5, "b": 2}, "a - b") == 3
    assert paths.number({"a": 1, "b": 2}, "a - b") == 0
    assert paths.number({"a": True}, "a") == 0


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"a": "x"}, True),
        ({"a": "y"}, False),
        ({"a": ["y", "x"]}, True),
        ({"a": True}, True),
        ({"b": True}, False),
        ({"b": False}, True),
        ({"a": False}, False),
        ({"a": "~^x$"}, True),
        ({"a": "~y"}, False),
        ({"n": 3, "a": "x"}, True),
    ],
)
def test_a_rule_holds_where_each_of_its_fields_does(when, expected):
    assert paths.holds({"a": "x", "n": 3}, when) is expected
