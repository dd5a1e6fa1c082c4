"""`shop cron` as people type and read it: times in the schedule's own zone, states, histories."""

import io

import pytest

from shopfloor.surfaces.cli import render
from shopfloor.surfaces.cli.console import Console
from shopfloor.surfaces.cli.page import Page
from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def test_a_schedule_is_added_with_what_it_was_understood_as_and_its_next_times(shop):
    told = shop("cron", "add", "weekdays at 18:30", "Close the day", "--zone", "Asia/Tokyo")
    head, rule, *times = told.out.splitlines()
    assert head == "close-the-day  active: Close the day"
    assert rule == "30 18 * * 1-5  Asia/Tokyo"
    assert len(times) == 3 and all(line.endswith(" 18:30 JST") for line in times)
    assert "nothing fires while no dispatcher is running" in told.err
    assert shop("cron", "add", "@daily", "x", "-q").out == "x\n"


def test_a_command_after_two_dashes_is_a_work_order_and_names_the_schedule(shop):
    shop("cron", "add", "every 90m", "--zone", "UTC", "--", "pg_dump", "-f", "{date}.sql", "a b")
    shown = shop("cron", "show", "pg-dump-f-sql-a-b").out
    assert "every 90m" in shown
    assert "command  pg_dump -f '{date}.sql' 'a b'" in shown
    assert "missed   last, up to 1d late" in shown
    assert "keeps    50 firings" in shown


def test_whatever_was_asked_of_each_firing_is_shown(shop):
    asked = ["--priority", "5", "--max-runtime", "10m", "--backoff", "1m", "--env", "A=b c"]
    placed = ["--workspace", "dir:/tmp", "--artifact", "a.txt", "--artifact", "b.txt"]
    shop("cron", "add", "@daily", "--name", "full", *asked, *placed, "--", "true")
    shown = [" ".join(line.split()) for line in shop("cron", "show", "full").out.splitlines()]
    told = {
        "priority 5",
        "max runtime 10m",
        "backoff 1m",
        "env A='b c'",
        "workspace dir:/tmp",
        "artifacts a.txt b.txt",
    }
    assert told <= {*shown}
    shop("cron", "add", "@daily", "plain")
    assert "priority" not in shop("cron", "show", "plain").out


def test_a_list_says_the_state_the_next_time_and_what_became_of_the_last(shop):
    assert "no schedules" in shop("cron", "list").err
    for name in ("one", "two", "three"):
        shop("cron", "add", "every day at 9", name, "--zone", "Asia/Tokyo")
    shop("cron", "pause", "two")
    shop("cron", "run", "three")
    head, *rows = shop("cron", "list").out.splitlines()
    assert head.split() == ["schedule", "state", "next", "last", "when"]
    said = {row.split()[0]: row for row in rows}
    assert " active " in said["one"] and " 09:00 JST" in said["one"]
    assert " paused " in said["two"]
    assert "#1 ready" in said["three"]
    assert "more with --after one" in shop("cron", "list", "--limit", "1").err


def test_a_history_tells_what_became_of_each_time(shop):
    shop("cron", "add", "every day at 9", "one", "--zone", "Asia/Tokyo")
    assert "has not been due yet" in shop("cron", "history", "one").err
    assert shop("cron", "run", "one").out == "#1 ready: firing 1\n"
    head, row = shop("cron", "history", "one").out.splitlines()
    assert head.split() == ["due", "outcome", "task", "status", "late", "words"]
    assert "fired" in row and "#1" in row and "by tester" in row
    assert "shop log 1" in shop("cron", "history", "one").err
    assert "Firings" in shop("cron", "show", "one").out


def test_a_schedule_is_edited_paused_resumed_and_removed(shop):
    shop("cron", "add", "every day at 9", "one", "--zone", "UTC", "--count", "3", "--body", "b")
    edit = ("--rule", "every day at 10", "--title", "uno", "--keep-for", "30d", "--clear", "count")
    assert "0 10 * * *  UTC" in shop("cron", "edit", "one", *edit, "--task", '{"priority": 2}').out
    shown = shop("cron", "show", "one")
    assert "one  active: uno" in shown.out and "keeps     50 firings, for 4w2d" in shown.out
    assert shown.out.rstrip().endswith("\n\nb")
    assert not any(line.startswith("body") for line in shown.out.splitlines())
    task = shop("cron", "show", "one", "--json").json["schedule"]["task"]
    assert task == {"title": "uno", "body": "b", "priority": 2}
    assert shop("cron", "pause", "one").out.startswith("one  paused")
    assert "paused" in shop("cron", "show", "one").out
    assert shop("cron", "resume", "one").out.startswith("one  active")
    assert shop("cron", "remove", "one").out == "one removed; its tasks stay on the board\n"
    assert shop("cron", "show", "one").code == 3


def test_a_rule_is_tried_without_adding_it(shop):
    told = shop("cron", "preview", "first monday of the month at 10", "--zone", "UTC")
    assert told.out.splitlines()[0] == "0 10 * * 1#1  UTC"
    assert all("Mon " in line for line in told.out.splitlines()[1:])
    assert shop("cron", "preview", "every 2h", "--zone", "UTC").out.startswith("every 2h  UTC")
    refused = shop("cron", "preview", "every blue moon")
    assert refused.code == 2
    assert "'blue moon' in 'every blue moon' is not understood" in refused.err
    assert "`weekdays at 18:30`" in refused.err


def test_a_worker_makes_no_schedules_and_may_look_at_them(shop):
    shop("cron", "add", "@daily", "one")
    shop.create("paint")
    worker = shop.work_on(1)
    assert worker("cron", "list").code == 0
    assert worker("cron", "add", "@daily", "two").code == 5
    assert worker("cron", "run", "one").code == 5


def test_a_zone_that_only_the_other_machine_knows_is_shown_in_utc():
    out = io.StringIO()
    console = Console(out, io.StringIO(), io.StringIO(), {"TZ": "UTC"}, lambda: 0)
    told = {"kind": "cron", "expression": "0 9 * * *", "zone": "Mars/Olympus"}
    told["upcoming"] = ["2027-01-01T09:00:00Z"]
    render.render("Upcoming", told, Page(console))
    assert out.getvalue() == "0 9 * * *  Mars/Olympus\n  Fri 2027-01-01 09:00 UTC\n"
