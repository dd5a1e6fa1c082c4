"""Schedules on a board: each due time once, under a clock that the test turns, on both databases."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from shopfloor.daemon.schedules import fire_all
from shopfloor.domain.limits import FIRING_LATE_MS, FIRINGS_QUEUED_MAX, SCHEDULES_PER_STEP
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel import schedules as firing
from shopfloor.ops.schedule_tasks import maker
from shopfloor.store import schedules
from tests.support.schedules import DAY, HOUR, MINUTE, ZONE, Floor, local, ms
from tests.support.waiting import eventually
from tests.support.walk import lead


@pytest.fixture
def floor(board):
    # A Saturday at noon in Berlin; the night after it the clocks go back an hour.
    board.now = ms("2027-10-30T12:00+02:00")
    return Floor(board)


def test_a_due_schedule_puts_its_task_on_the_board_once(floor):
    floor.add("every day at 18", "Report", body="all of it", assignee="coder", priority=3)
    assert floor.after(1 * HOUR) <= 20
    assert floor.tasks() == []
    floor.at("2027-10-30T18:00+02:00")
    floor.errand.look()
    floor.restart()
    floor.errand.look()
    [task] = floor.board.ask("task.list").items
    row = floor.board.task(task.id)
    assert (row.title, row.body, row.assignee, row.priority) == ("Report", "all of it", "coder", 3)
    assert (row.status, row.creator) == ("ready", "schedule report")
    [one] = floor.history("report")
    assert (one.outcome, one.number, one.task, one.status) == ("fired", 1, task.id, "ready")
    assert local(one.due) == "10-30 18:00+0200"
    shown = floor.show("report")
    assert [local(due) for due in shown.upcoming] == [
        "10-31 18:00+0100",
        "11-01 18:00+0100",
        "11-02 18:00+0100",
    ]
    assert floor.board.findings() == []


def test_adding_shows_how_it_is_understood_and_when_it_is_due_next(floor):
    added = floor.board.ask("schedule.add", rule="weekdays at 18:30", title="Close", zone=ZONE)
    made = added.schedule
    assert (made.name, made.kind, made.expression) == ("close", "cron", "30 18 * * 1-5")
    assert [local(due) for due in made.upcoming] == [
        "11-01 18:30+0100",
        "11-02 18:30+0100",
        "11-03 18:30+0100",
    ]
    assert "no dispatcher is running" in added.notes[0]
    floor.board.dispatcher_is_there = True
    assert floor.board.ask("schedule.add", rule="hourly", title="x").notes == []
    seen = floor.board.ask("schedule.preview", rule="every 90m", zone=ZONE)
    assert (seen.kind, len(seen.upcoming)) == ("every", 3)
    assert len(floor.board.ask("schedule.list").items) == 2


@pytest.mark.parametrize(
    ("when", "begin", "fired"),
    [
        # The hour that comes twice: a time in it once, every hour in both.
        (("30 2 * * *", ZONE), "2027-10-30T12:00+02:00", ["10-31 02:30+0200"]),
        (
            ("0 * * * *", ZONE),
            "2027-10-31T00:30+02:00",
            ["10-31 01:00+0200", "10-31 02:00+0200", "10-31 02:00+0100", "10-31 03:00+0100"],
        ),
        # The hour that is left out: a time in it at its end, once.
        (
            ("30 2 * * *", ZONE),
            "2027-03-27T12:00+01:00",
            ["03-28 03:00+0200", "03-29 02:30+0200"],
        ),
        (
            ("0 * * * *", ZONE),
            "2027-03-28T00:30+01:00",
            ["03-28 01:00+0100", "03-28 03:00+0200", "03-28 04:00+0200"],
        ),
        # Half an hour in Lord Howe, both ways.
        (
            ("15 2 * * *", "Australia/Lord_Howe"),
            "2027-10-02T12:00+10:30",
            ["10-03 02:30+1100", "10-04 02:15+1100"],
        ),
        (
            ("45 1 * * *", "Australia/Lord_Howe"),
            "2027-04-03T12:00+11:00",
            ["04-04 01:45+1100", "04-05 01:45+1030"],
        ),
        (("0 9 29 2 *", "UTC"), "2028-02-28T00:00+00:00", ["02-29 09:00+0000"]),
    ],
)
def test_across_the_changes_of_the_clock_each_time_fires_once(floor, when, begin, fired):
    floor.board.now = ms(begin)
    floor.add(when[0], zone=when[1], overlap="allow")
    while len(floor.history()) < len(fired):
        floor.after(10 * MINUTE)
        floor.restart()
    assert [local(one.due, when[1]) for one in floor.history()] == fired
    assert {*floor.outcomes()} == {"fired"}
    assert len(floor.tasks()) == len(fired)


def test_words_and_command_are_filled_in_at_each_firing(floor):
    floor.add(
        "every day at 9",
        "Backup {n} of {date}",
        name="nightly",
        body="{time}: {date}, but not {this} or {n }",
        command={"argv": ["sh", "-c", "echo {n}-{name}"], "env": {"DAY": "{date}"}},
        overlap="allow",
    )
    floor.at("2027-10-31T09:00+01:00")
    floor.at("2027-11-01T09:00+01:00")
    assert floor.tasks() == ["Backup 1 of 2027-10-31", "Backup 2 of 2027-11-01"]
    row = floor.board.task(2)
    assert row.body == "09:00: 2027-11-01, but not {this} or {n }"
    assert json.loads(row.command) == {
        "argv": ["sh", "-c", "echo 2-nightly"],
        "env": {"DAY": "2027-11-01"},
    }


def test_skip_leaves_a_time_out_while_the_task_of_before_is_unfinished(floor):
    floor.add("every 1h", overlap="skip")
    floor.after(HOUR)
    floor.after(HOUR)
    assert floor.outcomes() == ["fired", "skipped"]
    assert floor.history()[1].reason == "#1 of the firing before is still ready"
    for end in ("done", "cancelled"):
        lead(floor.board, len(floor.tasks()), end)
        floor.after(HOUR)
        assert floor.outcomes()[-1] == "fired"
    assert [one.number for one in floor.history()] == [1, None, 2, 3]


def test_a_task_that_was_given_up_hinders_no_firing(floor):
    floor.add("every 1h", overlap="skip", command={"argv": ["false"]}, max_attempts=1)
    floor.after(HOUR)
    give_up(floor.board)
    assert floor.board.task(1).block_kind == "gave_up"
    floor.after(HOUR)
    assert floor.outcomes() == ["fired", "fired"]


def give_up(board):
    for one in board.start():
        board.settle(one.run_id, Exit(exit_code=1))


def test_queue_puts_a_task_behind_the_one_before_whatever_becomes_of_it(floor):
    floor.add("every 1h", overlap="queue", command={"argv": ["false"]}, max_attempts=1)
    for _ in range(3):
        floor.after(HOUR)
    assert [floor.board.status(n) for n in (1, 2, 3)] == ["ready", "todo", "todo"]
    give_up(floor.board)
    assert [floor.board.status(n) for n in (1, 2, 3)] == ["blocked", "ready", "todo"]
    lead(floor.board, 2, "done")
    assert floor.board.status(3) == "ready"
    assert floor.board.findings() == []


def test_a_queue_is_bounded(floor):
    floor.add("every 1s", overlap="queue")
    for _ in range(FIRINGS_QUEUED_MAX + 2):
        floor.after(1_000)
    assert floor.outcomes().count("skipped") == 2
    assert "wait already" in floor.history()[-1].reason


def test_allow_puts_tasks_side_by_side(floor):
    floor.add("every 1h", overlap="allow")
    for _ in range(3):
        floor.after(HOUR)
    assert [floor.board.status(n) for n in (1, 2, 3)] == ["ready"] * 3


@pytest.mark.parametrize(
    ("missed", "more", "fired", "held"),
    [
        ("none", {}, [], [("missed", 30)]),
        ("last", {}, ["10-31 17:00+0100"], [("missed", 29)]),
        ("last", {"window_ms": 10 * MINUTE}, [], [("missed", 30)]),
        (
            "all",
            {"window_ms": 3 * HOUR},
            ["10-31 15:00+0100", "10-31 16:00+0100", "10-31 17:00+0100"],
            [("missed", 27)],
        ),
    ],
)
def test_what_was_due_while_nothing_ran_is_made_up_for_by_the_policy(
    floor, missed, more, fired, held
):
    floor.add("0 * * * *", missed=missed, overlap="allow", **more)
    floor.at("2027-10-31T17:30+01:00")
    assert [local(one.due) for one in floor.history() if one.outcome == "fired"] == fired
    assert [(o.outcome, o.times) for o in floor.history() if o.outcome != "fired"] == held
    assert "passed while nothing was running" in floor.history()[0].reason
    floor.at("2027-10-31T18:00+01:00")
    assert local(floor.history()[-1].due) == "10-31 18:00+0100"
    assert floor.outcomes()[-1] == "fired"


def test_one_that_is_on_time_stands_for_those_before_it(floor):
    floor.add("0 * * * *", missed="last", overlap="allow")
    floor.at("2027-10-30T15:00:59+02:00")
    assert [(one.outcome, one.times) for one in floor.history()] == [("missed", 2), ("fired", 1)]
    floor.after(HOUR - 59_000 + FIRING_LATE_MS)
    assert floor.outcomes() == ["missed", "fired", "fired"]


def test_a_single_time_that_was_missed_is_made_up_for_and_is_over(floor):
    floor.add("tomorrow at 8")
    floor.at("2027-10-31T20:00+01:00")
    assert floor.outcomes() == ["fired"]
    shown = floor.show()
    assert (shown.state, shown.next, shown.upcoming) == ("over", None, [])
    floor.after(400 * DAY)
    assert floor.outcomes() == ["fired"]


def test_all_of_many_missed_times_are_made_up_for_in_steps(floor):
    floor.add("every 1m", missed="all", window_ms=10 * HOUR, overlap="allow", keep=10_000)
    floor.after(8 * HOUR)
    assert floor.outcomes() == ["fired"] * 480
    assert len({one.due for one in floor.history()}) == 480


def test_a_clock_that_jumps_a_day_forward_is_a_day_that_was_missed(floor):
    floor.add("0 * * * *", overlap="allow")
    floor.after(HOUR)
    floor.after(DAY)
    assert [(one.outcome, one.times) for one in floor.history()] == [
        ("fired", 1),
        ("missed", 23),
        ("fired", 1),
    ]


def test_a_clock_that_jumps_a_day_back_never_fires_a_time_again_and_says_so(floor):
    floor.add("0 * * * *", overlap="allow", missed="all")
    for _ in range(5):
        floor.after(HOUR)
    assert len(floor.tasks()) == 5
    floor.after(-DAY)
    floor.restart()
    for _ in range(24):
        floor.after(HOUR)
    assert len(floor.tasks()) == 5
    [told] = [one for one in floor.history() if one.outcome == "clock"]
    assert told.reason.startswith("the clock went back by 1 d; what was due until 2027-10-30 17:00")
    assert "the next is due at 2027-10-30 18:00" in told.reason
    floor.after(HOUR)
    assert len(floor.tasks()) == 6
    dues = [one.due for one in floor.history() if one.outcome == "fired"]
    assert len({*dues}) == len(dues) == 6


def test_after_a_wrong_clock_a_person_lets_it_go_on_from_now(floor):
    floor.add("0 * * * *", overlap="allow")
    floor.after(1000 * DAY)
    floor.after(-1000 * DAY)
    floor.after(HOUR)
    assert floor.outcomes().count("fired") == 1
    floor.board.ask("schedule.resume", name="t")
    floor.after(HOUR)
    assert floor.outcomes().count("fired") == 2
    assert local(floor.show().last.due).startswith("07-") is True


def test_jitter_fires_later_by_the_same_amount_each_time_it_is_asked(floor):
    floor.add("0 * * * *", jitter_ms=30 * MINUTE, overlap="allow")
    floor.add("0 * * * *", "u", jitter_ms=30 * MINUTE, overlap="allow")
    late = {}
    for _ in range(3 * 60 + 31):
        floor.after(MINUTE)
        for name in ("t", "u"):
            for one in floor.history(name):
                late.setdefault((name, one.due), one.at - one.due)
    assert len(late) == 6
    assert all(timedelta() <= wait <= timedelta(minutes=31) for wait in late.values())
    assert len({*late.values()}) > 2, "each time and each schedule has an amount of its own"


def test_a_request_that_cannot_be_carried_out_any_more_is_told_and_the_others_fire(floor):
    floor.add("every 1h", workspace="dir:/tmp")
    floor.add("every 1h", "u")
    floor.board.execute("UPDATE schedule SET request = '{\"title\":\"\"}' WHERE name = 't'")
    floor.after(HOUR)
    [refused] = floor.history()
    assert (refused.outcome, refused.task) == ("refused", None)
    assert "a task needs a title" in refused.reason
    assert floor.outcomes("u") == ["fired"]
    assert [one.kind for one in floor.board.ask("event.list").events if "held" in one.kind]


def test_a_zone_that_this_host_does_not_know_pauses_its_schedule_and_no_other(floor):
    floor.add("0 * * * *")
    floor.add("0 * * * *", "u")
    floor.board.execute("UPDATE schedule SET zone = 'Mars/Olympus' WHERE name = 't'")
    floor.after(HOUR)
    assert floor.outcomes("u") == ["fired"]
    assert floor.show().state == "paused"
    assert "no time zone" in floor.history()[0].reason
    assert len(floor.board.ask("schedule.list").items) == 2


def test_more_than_a_step_fires_each_once(floor):
    count = SCHEDULES_PER_STEP + 50
    for n in range(count):
        floor.add("every 1h", f"s{n}")
    floor.after(HOUR)
    assert sorted(floor.tasks()) == sorted(f"s{n}" for n in range(count))


def test_a_pass_without_a_dispatcher_fires_what_is_due(floor):
    floor.add("every 1h")
    floor.board.clock.advance(HOUR)
    fire_all(floor.board.database, maker(floor.board.service))
    assert floor.tasks() == ["t"]


def test_two_dispatchers_fire_each_time_once(place):
    boards = [place.open() for _ in range(2)]
    boards[0].now = ms("2027-10-30T12:00+02:00")
    floors = [Floor(board) for board in boards]
    for n in range(40):
        floors[0].add("every 1s", f"s{n}", overlap="allow")
    for _ in range(5):
        place.clock.advance(1_000)
        start = threading.Barrier(2)
        looks = [threading.Thread(target=_look, args=(one, start)) for one in floors]
        for look in looks:
            look.start()
        for look in looks:
            look.join()
        # Whoever found a row locked leaves it to the other one, and looks again.
        eventually(lambda: boards[0].read(schedules.next_at) > place.clock.now)
    assert len(floors[0].tasks()) == 200
    for n in range(40):
        assert [one.number for one in floors[0].history(f"s{n}")] == [1, 2, 3, 4, 5]
    assert boards[0].findings() == []


def _look(floor, start):
    floor.elapsed_s += 1
    start.wait()
    floor.errand.look()


def test_a_row_of_a_due_time_keeps_it_from_firing_again(floor):
    """The second line behind the lock: the unique key of schedule and time."""
    floor.add("every 1h")
    before = floor.board.read(lambda tx: schedules.get(tx, "t"))
    floor.after(HOUR)
    floor.board.write(lambda tx: schedules.put(tx, before))
    floor.restart()
    floor.errand.look()
    assert floor.tasks() == ["t"]
    assert floor.outcomes() == ["fired"]


def test_a_schedule_is_acted_for_in_its_own_name(floor):
    floor.add("hourly", "x")
    row = floor.board.read(lambda tx: schedules.get(tx, "x"))
    assert firing.actor(row).name == "schedule x"
    assert datetime.fromtimestamp(row.created_at / 1000, UTC) == floor.show("x").created_at
