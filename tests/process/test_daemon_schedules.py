"""Schedules under a real `shop up`: fired in time, once each, through kills, restarts and while none runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in
from tests.support.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


def add(home: Home, rule: str, title: str, **more: object) -> str:
    return str(home.ask("schedule.add", rule=rule, title=title, **more)["schedule"]["name"])


def fired(home: Home, name: str) -> list[dict[str, object]]:
    """Its firings, the oldest first."""
    found = home.ask("schedule.history", name=name, limit=1_000)["items"]
    return [one for one in reversed(found) if one["outcome"] == "fired"]


def test_a_work_order_runs_at_its_time_and_its_output_is_kept_with_the_firing(home):
    home.configure('[dispatch]\npoll = "10m"\n')
    home.up()
    command = {"argv": ["sh", "-c", "echo {n} of {name} on {date}"]}
    add(home, "every 1s", "count", command=command, count=2, overlap="queue")
    eventually(lambda: home.ask("schedule.show", name="count")["schedule"]["state"] == "over")
    first, second = fired(home, "count")
    for number, one in ((1, first), (2, second)):
        task = home.becomes(int(str(one["task"])), "done")
        assert task["creator"] == "schedule count"
        log = home.ask("task.log", id=task["id"])["text"]
        assert log.startswith(f"{number} of count on 20")


def test_outputs_that_are_not_kept_are_archived_with_their_logs(home):
    home.up()
    add(home, "every 1s", "count", command={"argv": ["echo", "x"]}, count=4, keep=1)
    eventually(lambda: home.counts().get("archived", 0) >= 2)
    gone = [one for one in fired(home, "count") if not one["kept"]]
    assert gone and all(one["status"] == "archived" for one in gone)
    logs = home.board() / "logs"
    eventually(lambda: not any((logs / f"{one['task']}.log").exists() for one in gone))


def test_a_dispatcher_that_is_killed_again_and_again_fires_each_time_once(home):
    names = [
        add(home, "every 1s", f"s{n}", overlap="allow", missed="all", keep=1_000) for n in range(5)
    ]
    for _ in range(4):
        before = sum(home.counts().values())
        daemon = home.up()
        eventually(lambda before=before: sum(home.counts().values()) > before)
        daemon.kill()
    tasks = []
    for name in names:
        home.ask("schedule.pause", name=name)
        found = fired(home, name)
        assert [one["number"] for one in found] == [*range(1, len(found) + 1)]
        assert len({one["due"] for one in found}) == len(found)
        tasks += [one["task"] for one in found]
    assert len({*tasks}) == len(tasks) == sum(home.counts().values())


def test_what_was_due_while_no_dispatcher_ran_is_made_up_for_at_the_next_start(home):
    add(home, "in 1s", "once")
    assert home.counts() == {}
    # A night goes by without a dispatcher: what the schedule knows of time is moved back, all of it alike.
    night = 8 * 3_600_000
    times = ("next_due", "next_at", "settled_until", "clock_at", "anchor", "created_at")
    moved = ", ".join(f"{name} = {name} - {night}" for name in (*times, "changed_at"))
    home.execute(f"UPDATE schedule SET expression = CAST(expression - {night} AS TEXT), {moved}")
    assert "overdue" in home.shop("cron", "list").stdout
    home.up()
    eventually(lambda: fired(home, "once"))
    assert len(home.counts()) == 1


def test_a_pass_by_hand_fires_what_is_due(home):
    add(home, "in 1s", "once", command={"argv": ["true"]})

    def passed() -> list[dict[str, object]]:
        home.shop("dispatch")
        return fired(home, "once")

    [one] = eventually(passed)
    home.up()
    home.becomes(int(str(one["task"])), "done")
