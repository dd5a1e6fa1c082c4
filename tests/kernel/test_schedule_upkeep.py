"""Schedules are looked after: outputs kept and dropped, history bounded, edits, names, pages, refusals."""

from datetime import timedelta

import pytest

from shopfloor.domain.errors import Conflict, Invalid, NotFound
from shopfloor.domain.limits import HISTORY_MAX
from tests.support.schedules import DAY, HOUR, Floor, ms
from tests.support.walk import lead


@pytest.fixture
def floor(board):
    # A Saturday at noon in Berlin; the night after it the clocks go back an hour.
    board.now = ms("2027-10-30T12:00+02:00")
    return Floor(board)


def test_older_outputs_are_archived_and_their_logs_removed(floor):
    floor.add("every 1h", overlap="allow", keep=2)
    for n in range(1, 6):
        floor.after(HOUR)
        if n != 2:
            lead(floor.board, n, "done")
        log = floor.board.service.files.log_path(n)
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"output of {n}")
    floor.after(HOUR)
    assert [floor.board.status(n) for n in range(1, 7)] == [
        "archived",
        "ready",
        "archived",
        "archived",
        "done",
        "ready",
    ]
    assert [one.kept for one in floor.history()] == [False, True, False, False, True, True]
    logs = sorted(path.name for path in (floor.board.folder / "logs").iterdir())
    assert logs == ["2.log", "5.log"]
    # Another host's logs, or those of one that died in between, go at the next start.
    floor.board.service.files.log_path(1).write_text("still there")
    floor.restart()
    floor.errand.look()
    assert not floor.board.service.files.log_path(1).exists()
    # What a person has brought back is theirs.
    floor.board.ask("task.unarchive", id=1)
    floor.board.service.files.log_path(1).write_text("looked at again")
    floor.restart()
    floor.errand.look()
    assert floor.board.service.files.log_path(1).exists()
    assert floor.board.findings() == []


def test_an_edit_leaves_what_is_due_and_not_seen_yet(floor):
    floor.add("every day at 13")
    floor.board.clock.advance(2 * HOUR)
    floor.board.ask("schedule.edit", name="t", keep=3, until="2027-12-01T00:00:00Z")
    floor.errand.look()
    assert floor.outcomes() == ["fired"]


def test_outputs_are_kept_no_longer_than_they_should(floor):
    floor.add("every day at 9", overlap="allow", keep_for_ms=2 * DAY)
    for n in range(1, 5):
        floor.at(f"2027-11-0{n}T09:00+01:00")
        lead(floor.board, n, "done")
    floor.board.ask("schedule.pause", name="t")
    floor.after(DAY + 1)
    assert [floor.board.status(n) for n in range(1, 5)] == [
        "archived",
        "archived",
        "archived",
        "done",
    ]


def test_history_is_bounded(floor):
    floor.add("every 1s", overlap="skip")
    floor.after(1_000)
    floor.board.execute(
        "INSERT INTO firing (schedule_id, due_at, at, outcome, times, reason)"
        f" SELECT schedule_id, due_at - {DAY} + n, at, 'skipped', 1, 'x' FROM firing, (WITH RECURSIVE"
        f" c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {HISTORY_MAX + 50}) SELECT n FROM c) AS c"
    )
    floor.restart()
    floor.errand.look()
    found = floor.board.dump("firing")["firing"]
    assert len(found) == HISTORY_MAX


def test_a_deleted_task_leaves_its_firing_in_the_history(floor):
    floor.add("every 1h")
    floor.after(HOUR)
    floor.board.ask("task.delete", id=1)
    [one] = floor.history()
    assert (one.outcome, one.task, one.kept) == ("fired", None, False)
    floor.after(HOUR)
    assert floor.outcomes() == ["fired", "fired"]


def test_an_edit_changes_what_it_says_and_nothing_else(floor):
    floor.add("every day at 18", body="b", assignee="coder", artifacts=["out"])
    floor.add("hourly", "other")
    edit = {
        "name": "t",
        "priority": 5,
        "assignee": "none",
        "task": {"body": None, "check": ["true"]},
    }
    shown = floor.board.ask("schedule.edit", **edit, rename="evening", overlap="queue", keep=7)
    task = shown.task
    assert (shown.name, shown.overlap, shown.keep) == ("evening", "queue", 7)
    assert (task.title, task.body, task.priority, task.assignee) == ("t", "", 5, None)
    assert (task.check, task.artifacts) == (["true"], ["out"])
    before = shown.upcoming
    ruled = floor.board.ask("schedule.edit", name="evening", rule="every day at 19")
    assert [one + timedelta(hours=1) for one in before] == ruled.upcoming
    zoned = floor.board.ask("schedule.edit", name="evening", zone="UTC")
    assert zoned.upcoming[0].hour == 19
    with pytest.raises(Conflict, match="already"):
        floor.board.ask("schedule.edit", name="evening", rename="other")
    with pytest.raises(Invalid, match="title"):
        floor.board.ask("schedule.edit", name="evening", title=" ")
    with pytest.raises(Invalid, match="unknown field"):
        floor.board.ask("schedule.edit", name="evening", task={"parents": [1]})
    assert floor.show("evening").task.title == "t"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rule": "never"}, "is not understood"),
        ({"rule": "hourly", "zone": "Nowhere"}, "no time zone"),
        ({"rule": "hourly", "title": " "}, "needs a title"),
        ({"rule": "hourly", "workspace": "dir"}, "needs a path"),
        ({"rule": "hourly", "name": "No Such"}, "no name for a schedule"),
        ({"rule": "hourly", "until": "2027-10-30T12:30:00+02:00"}, "--until comes before"),
        ({"rule": "hourly", "command": {"argv": [""]}}, "name of a program"),
    ],
)
def test_what_would_never_work_is_refused_when_it_is_added(floor, given, words):
    with pytest.raises(Invalid, match=words):
        floor.board.ask("schedule.add", **{"title": "x", **given})
    assert floor.board.ask("schedule.list").items == []


def test_names_are_made_from_titles_and_are_taken_once(floor):
    assert [floor.add("hourly", "Nightly Build, {date}!") for _ in range(2)] == [
        "nightly-build",
        "nightly-build-2",
    ]
    assert floor.add("hourly", "", command={"argv": ["make", "all"]}) == "make-all"
    assert floor.add("hourly", "übermäßig") == "berm-ig"
    assert floor.add("hourly", "日誌") == "schedule"
    with pytest.raises(Conflict, match="already"):
        floor.add("hourly", "x", name="make-all")


def test_a_removed_schedule_takes_its_history_along_and_leaves_its_tasks(floor):
    floor.add("every 1h")
    floor.after(HOUR)
    assert floor.board.ask("schedule.remove", name="t").name == "t"
    for op in ("show", "history", "run", "pause", "resume", "remove"):
        with pytest.raises(NotFound, match="no schedule 't'"):
            floor.board.ask(f"schedule.{op}", name="t")
    assert floor.board.dump("firing")["firing"] == []
    assert floor.tasks() == ["t"]


def test_lists_and_histories_come_in_pages(floor):
    for n in range(3):
        floor.add("every 1h", f"s{n}", overlap="allow")
    first = floor.board.ask("schedule.list", limit=2)
    rest = floor.board.ask("schedule.list", limit=2, after=first.next)
    assert [one.name for one in [*first.items, *rest.items]] == ["s0", "s1", "s2"]
    assert rest.next is None
    for _ in range(3):
        floor.after(HOUR)
    one = floor.board.ask("schedule.history", name="s0", limit=2)
    other = floor.board.ask("schedule.history", name="s0", limit=2, before=one.next.isoformat())
    assert [item.number for item in [*one.items, *other.items]] == [3, 2, 1]


def test_firing_by_hand_leaves_the_due_times_as_they_are(floor):
    floor.add("every day at 18", overlap="skip", paused=True)
    before = floor.show().upcoming
    told = floor.board.ask("schedule.run", name="t")
    assert (told.outcome, told.by, told.number, told.status) == ("fired", "ann", 1, "ready")
    with pytest.raises(Conflict, match="this very moment"):
        floor.board.ask("schedule.run", name="t")
    floor.board.clock.advance(1)
    assert floor.board.ask("schedule.run", name="t").number == 2, "a person decides by themselves"
    assert (floor.show().upcoming, floor.show().fired) == (before, 2)


def test_a_paused_schedule_fires_nothing_also_not_later(floor):
    floor.add("0 * * * *", overlap="allow")
    assert floor.board.ask("schedule.pause", name="t").state == "paused"
    floor.after(5 * HOUR)
    assert floor.board.ask("schedule.resume", name="t").state == "active"
    assert floor.outcomes() == []
    floor.after(HOUR)
    assert floor.outcomes() == ["fired"]
    floor.add("0 * * * *", "u", paused=True)
    assert floor.show("u").state == "paused"


def test_an_end_and_a_count_are_kept(floor):
    floor.add("0 * * * *", until="2027-10-30T14:30:00+02:00", overlap="allow")
    floor.add("0 * * * *", "u", count=2, overlap="allow")
    assert len(floor.show().upcoming) == len(floor.show("u").upcoming) == 2
    for _ in range(5):
        floor.after(HOUR)
    for name in ("t", "u"):
        assert floor.outcomes(name) == ["fired", "fired"]
        assert floor.show(name).state == "over"
    floor.board.ask("schedule.edit", name="u", clear=["count"])
    floor.after(HOUR)
    assert floor.outcomes("u") == ["fired"] * 3


def test_a_scheduled_work_order_runs_where_it_is_said(floor):
    more = {"runtime": "container:debian", "mounts": ["/srv:/srv:ro"], "memory": "64m", "cpus": 0.5}
    floor.add("every 1h", command={"argv": ["true"]}, **more)
    floor.after(HOUR)
    [row] = floor.board.dump("runtime")["runtime"]
    assert row[:2] == (1, "container:debian") and 64 << 20 in row
    shown = floor.show().task
    assert (shown.runtime, shown.mounts, shown.cpus) == ("container:debian", ["/srv:/srv:ro"], 0.5)
    for wrong in ({"runtime": "container:debian"}, {"command": {"argv": ["x"]}, "memory": "64m"}):
        with pytest.raises(Invalid):
            floor.add("every 1h", **wrong)
