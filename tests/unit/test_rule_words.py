"""What people write for a schedule means one thing, or is refused with examples."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.errors import Invalid
from shopfloor.domain.recurrence import next_after
from shopfloor.domain.rule_words import rule_of

# A Saturday afternoon in Berlin.
NOW = round(datetime(2026, 11, 21, 16, 0, tzinfo=UTC).timestamp() * 1000)
ZONE = "Europe/Berlin"


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("0 9 * * 1-5", "0 9 * * 1-5"),
        ("  */5  *  * * mon ", "*/5 * * * mon"),
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("hourly", "0 * * * *"),
        ("every day at 9", "0 9 * * *"),
        ("Daily at 9:05", "5 9 * * *"),
        ("every day at noon", "0 12 * * *"),
        ("weekdays at 18:30", "30 18 * * 1-5"),
        ("weekends at 10am", "0 10 * * 0,6"),
        ("every monday", "0 0 * * 1"),
        ("mondays and thursdays at 7", "0 7 * * 1,4"),
        ("on fri at 5pm", "0 17 * * 5"),
        ("every monday, wednesday and friday at 9 and 17", "0 9,17 * * 1,3,5"),
        ("every day at 12am", "0 0 * * *"),
        ("first of the month", "0 0 1 * *"),
        ("1st and 15th of the month at 9", "0 9 1,15 * *"),
        ("the last day of every month at 23:55", "55 23 L * *"),
        ("first monday of the month at 10", "0 10 * * 1#1"),
        ("last friday of the month", "0 0 * * 5L"),
        ("every month at 4", "0 4 1 * *"),
    ],
)
def test_words_for_days_are_five_fields(words, fields):
    rule = rule_of(words, ZONE, NOW)
    assert (rule.kind, rule.expression, rule.zone) == ("cron", fields, ZONE)


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("every 90m", 90),
        ("every 1h30m", 90),
        ("every hour", 60),
        ("every 2 hours", 120),
        ("every 5 minutes", 5),
        ("every 3 days", 3 * 24 * 60),
        ("every week", 7 * 24 * 60),
    ],
)
def test_words_for_a_span_are_an_interval_from_now(words, minutes):
    rule = rule_of(words, ZONE, NOW)
    assert (rule.kind, rule.expression) == ("every", str(minutes * 60_000))
    assert next_after(rule, NOW) == NOW + minutes * 60_000


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("at 2026-12-01T09:00", "2026-12-01T08:00"),
        ("2026-12-01 09:00", "2026-12-01T08:00"),
        ("at 2026-12-01T09:00Z", "2026-12-01T09:00"),
        ("2026-12-01", "2026-11-30T23:00"),
        ("today at 18:30", "2026-11-21T17:30"),
        ("tomorrow at 8", "2026-11-22T07:00"),
        ("tomorrow", "2026-11-21T23:00"),
        ("next monday at 9", "2026-11-23T08:00"),
        ("next saturday at noon", "2026-11-28T11:00"),
        ("at 18:30", "2026-11-21T17:30"),
        ("at 9", "2026-11-22T08:00"),
        ("in 2h", "2026-11-21T18:00"),
        ("in 3 days", "2026-11-24T16:00"),
    ],
)
def test_words_for_one_time_are_that_moment(words, moment):
    rule = rule_of(words, ZONE, NOW)
    assert rule.kind == "at"
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert int(rule.expression) == round(expected.timestamp() * 1000)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evry day", "'evry day' is not understood"),
        ("every fortnight", "'fortnight' in 'every fortnight'"),
        ("every day except monday", "not understood"),
        ("tomorow at 8", "'tomorow' in"),
        ("every day at 25", "'25' in"),
        ("every day at 13pm", "'13pm' in"),
        ("every day at 9:75", "not understood"),
        ("every day and monday", "not understood"),
        ("next day", "'day' in"),
        ("first of the month please", "'please' in"),
        ("32nd of the month", "'32nd' in"),
        ("sixth monday of the month", "'sixth' in"),
        ("in a while", "'a while' in"),
        ("today at", "not understood"),
        ("", "needs to know when"),
        ("@often", "there are @yearly"),
        ("0 9 * *", "has 4 fields"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("every day at 9 and 9:30", "different minutes"),
        ("tomorrow at 8 and 9", "due once"),
        ("today at 8", "has passed already"),
        ("at 2020-01-01T00:00", "has passed already"),
        ("2026-13-01", "is no time"),
        ("every 10ms", "a second or longer"),
    ],
)
def test_other_words_are_refused_with_what_is_wrong(words, said):
    with pytest.raises(Invalid, match=said):
        rule_of(words, ZONE, NOW)


WORD = st.sampled_from(
    [
        "every",
        "each",
        "day",
        "days",
        "monday",
        "fri",
        "weekday",
        "at",
        "9",
        "9:30",
        "25:00",
        "noon",
        "and",
        ",",
        "first",
        "last",
        "15th",
        "of",
        "the",
        "month",
        "tomorrow",
        "next",
        "in",
        "2h",
        "90m",
        "hours",
        "*",
        "0",
        "*/5",
        "1-5",
        "@daily",
        "2026-12-01",
        "T09:00",
        "L",
        "#",
    ]
)


@given(st.lists(WORD, max_size=7).map(" ".join) | st.text(max_size=20))
def test_any_words_are_a_rule_that_is_due_or_are_refused_with_a_sentence(words):
    try:
        rule = rule_of(words, ZONE, NOW)
    except Invalid:
        return
    assert next_after(rule, NOW) > NOW
