"""When schedules are due: across the changes of the clock, leap days and all zones, and never twice."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shopfloor.domain.errors import Invalid
from shopfloor.domain.recurrence import (
    ALIASES,
    Rule,
    at,
    coming,
    cron,
    every,
    existing,
    last_until,
    next_after,
    zone_of,
)

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
MINUTES = st.sampled_from(["*", "0", "30", "45", "*/20", "5,50", "10-12"])
HOURS = st.sampled_from(["*", "0", "1", "2", "3", "*/3", "1,2", "9-17"])
DAYS = st.sampled_from(["*", "1", "13", "29", "31", "L", "1-7"])
MONTHS = st.sampled_from(["*", "2", "3,10", "11", "4-6"])
WEEKDAYS = st.sampled_from(["*", "0", "1-5", "5#1", "7L"])
FIELDS = (
    st.tuples(MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)
    # A day that none of the months has is refused.
    .filter(lambda all_five: all_five[2:4] not in (("31", "2"), ("31", "11")))
    .map(" ".join)
)
# Both changes of the clock of all these zones lie in these years.
MOMENTS = st.integers(1_580_000_000_000, 1_900_000_000_000)


def local(ms, zone):
    return f"{datetime.fromtimestamp(ms / 1000, zone_of(zone)):%Y-%m-%d %H:%M%z}"


def times(rule, begin, count):
    """The next due times in the zone's own time."""
    after = round(datetime.fromisoformat(begin).timestamp() * 1000)
    return [local(due, rule.zone) for due in islice(coming(rule, after), count)]


@pytest.mark.parametrize(
    ("fields", "zone", "begin", "expected"),
    [
        # The hour from two to three is left out: what is due in it comes at its end.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2027-03-27T12:00+01:00",
            ["2027-03-28 03:00+0200", "2027-03-29 02:30+0200"],
        ),
        (
            "30 2 * * *",
            "America/New_York",
            "2027-03-13T12:00-05:00",
            ["2027-03-14 03:00-0400", "2027-03-15 02:30-0400"],
        ),
        # The hour from two to three comes twice: what is due in it comes in the first.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2027-10-30T12:00+02:00",
            ["2027-10-31 02:30+0200", "2027-11-01 02:30+0100"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2027-11-06T12:00-04:00",
            ["2027-11-07 01:30-0400", "2027-11-08 01:30-0500"],
        ),
        # What comes every hour comes in both.
        (
            "0 * * * *",
            "Europe/Berlin",
            "2027-10-31T01:30+02:00",
            ["2027-10-31 02:00+0200", "2027-10-31 02:00+0100", "2027-10-31 03:00+0100"],
        ),
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2027-03-28T01:00+01:00",
            ["2027-03-28 01:30+0100", "2027-03-28 03:00+0200", "2027-03-28 03:30+0200"],
        ),
        # Lord Howe changes by half an hour.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2027-10-02T12:00+10:30",
            ["2027-10-03 02:30+1100", "2027-10-04 02:15+1100"],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2027-04-03T12:00+11:00",
            ["2027-04-04 01:45+1100", "2027-04-05 01:45+1030"],
        ),
        (
            "*/30 * * * *",
            "Australia/Lord_Howe",
            "2027-04-04T01:00+11:00",
            ["2027-04-04 01:30+1100", "2027-04-04 01:30+1030", "2027-04-04 02:00+1030"],
        ),
        # A day that most years do not have.
        (
            "0 9 29 2 *",
            "UTC",
            "2026-11-21T00:00+00:00",
            ["2028-02-29 09:00+0000", "2032-02-29 09:00+0000"],
        ),
        (
            "0 0 L 2 *",
            "UTC",
            "2027-01-01T00:00+00:00",
            ["2027-02-28 00:00+0000", "2028-02-29 00:00+0000"],
        ),
    ],
)
def test_a_cron_expression_is_due_as_debians_cron_has_it(fields, zone, begin, expected):
    assert times(cron(fields, zone), begin, len(expected)) == expected


def test_what_was_due_in_the_first_of_two_hours_is_not_due_again_in_the_second():
    rule = cron("30 2 * * *", "Europe/Berlin")
    second = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)
    assert times(rule, second.isoformat(), 1) == ["2027-11-01 02:30+0100"]


@pytest.mark.parametrize(
    ("given_time", "zone", "meant"),
    [
        ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28 03:00+0200"),
        ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31 02:30+0200"),
        ("2027-10-03T02:15:30", "Australia/Lord_Howe", "2027-10-03 02:30+1100"),
        ("2027-07-01T09:00", "America/New_York", "2027-07-01 09:00-0400"),
    ],
)
def test_a_single_local_time_that_is_left_out_is_the_end_of_the_gap(given_time, zone, meant):
    moment = existing(datetime.fromisoformat(given_time), zone_of(zone))
    assert f"{moment:%Y-%m-%d %H:%M%z}" == meant
    rule = at(datetime.fromisoformat(given_time), zone)
    due = int(rule.expression)
    assert local(due, zone) == meant
    assert [*coming(rule, due - 1)] == [due]
    assert next_after(rule, due) is None


def test_an_interval_is_elapsed_time_whatever_the_clock_does():
    rule = every(90 * 60_000, 1_000_000, "Europe/Berlin")
    found = [*islice(coming(rule, 1_000_000), 3)]
    assert found == [1_000_000 + n * 5_400_000 for n in (1, 2, 3)]


@pytest.mark.parametrize("name", ALIASES)
def test_each_alias_is_an_expression(name):
    assert next_after(cron(ALIASES[name], "UTC"), 0) is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("* * * *", "has 4 fields"),
        ("* * * * * *", "has 6 fields"),
        ("61 * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 * * mon-", "bad day-of-week"),
    ],
)
def test_an_expression_that_means_nothing_is_refused_with_the_field(fields, words):
    with pytest.raises(Invalid, match=words):
        cron(fields, "UTC")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("text", ["9999-12-31T23:59", "0001-01-01T00:00"])
def test_a_time_at_the_ends_of_the_calendar_is_refused(text, zone):
    moment = datetime.fromisoformat(text)
    for when in (moment, moment.replace(tzinfo=UTC)):
        with pytest.raises(Invalid, match="too far away to be kept"):
            at(when, zone)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_zone_that_is_none_is_refused(name):
    with pytest.raises(Invalid, match="no time zone"):
        zone_of(name)


@settings(deadline=None, max_examples=300)
@given(FIELDS, st.sampled_from(ZONES), MOMENTS)
def test_the_next_due_time_is_later_and_is_one_that_cronsim_names(fields, zone, after):
    rule = Rule("cron", fields, zone)
    due = next_after(rule, after)
    assume(due is not None)
    assert due > after
    assert due % 60_000 == 0
    # cronsim, begun so much earlier that no change of the clock is near, comes by this time.
    begin = datetime.fromtimestamp(after / 1000, UTC) - timedelta(days=2)
    found = CronSim(fields, begin.astimezone(zone_of(zone)))
    sooner = [round(one.timestamp()) * 1000 for one in islice(_until(found, due), 10_000)]
    assert due in sooner
    assert not [one for one in sooner if after < one < due]


def _until(found, due):
    for one in found:
        if one.timestamp() * 1000 > due:
            return
        yield one


@settings(deadline=None, max_examples=200)
@given(FIELDS, st.sampled_from(ZONES), MOMENTS, st.integers(0, 3 * 86_400_000))
def test_a_later_moment_never_has_an_earlier_due_time(fields, zone, after, more):
    rule = Rule("cron", fields, zone)
    first, second = next_after(rule, after), next_after(rule, after + more)
    assume(first is not None and second is not None)
    assert first <= second
    assert second == first or second > after + more >= first


@settings(deadline=None, max_examples=200)
@given(FIELDS, st.sampled_from(ZONES), MOMENTS, st.integers(1, 40 * 86_400_000))
def test_the_latest_until_a_moment_is_the_last_of_those_that_come(fields, zone, after, span):
    rule = Rule("cron", fields, zone)
    before = None
    for due in coming(rule, after):
        if due > after + span:
            break
        before = due
    assert last_until(rule, after, after + span) == before


@given(st.integers(1_000, 10**9), st.integers(0, 10**12), st.integers(0, 10**12))
def test_an_interval_steps_over_nothing(interval, anchor, after):
    rule = every(interval, anchor, "UTC")
    due = next_after(rule, after)
    assert after < due <= after + interval
    assert (due - anchor) % interval == 0
    assert last_until(rule, due - interval - 1, due - 1) == due - interval
