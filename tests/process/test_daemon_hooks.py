"""Hooks under a real `shop up`: in order, after the commit, none lost, none in the way of another."""

import json
import signal

import pytest

from tests.support.home import Home, home_in
from tests.support.notes import whole_lines
from tests.support.waiting import eventually


@pytest.fixture
def home(tmp_path):
    yield from home_in(tmp_path / "h")


@pytest.fixture
def seen(tmp_path):
    """The file to which hooks append what they get."""
    return tmp_path / "seen.jsonl"


def keeper(seen) -> str:
    """A hook's command that appends its line to a file."""
    return f"command = ['sh', '-c', 'cat >> {seen}']"


def told(seen):
    return [json.loads(line) for line in whole_lines(seen)]


def hook(home: Home, name: str):
    [one] = [one for one in home.ask("hook.list") if one["name"] == name]
    return one


def test_a_hook_gets_each_event_that_it_wants_in_order(home, seen):
    home.configure(f"[hooks.all]\n{keeper(seen)}\nevents = ['created', 'completed']\n")
    home.up()
    eventually(lambda: hook(home, "all")["state"] == "current")
    task = home.create_command(["true"], title="say it")
    home.becomes(task, "done")
    eventually(lambda: len(told(seen)) == 2)
    created, completed = told(seen)
    assert created["board"] == "default" and created["hook"] == "all"
    assert created["event"]["kind"] == "created"
    assert created["task"]["title"] == "say it"
    assert completed["event"]["kind"] == "completed"
    assert completed["event"]["id"] > created["event"]["id"]
    eventually(lambda: hook(home, "all")["done"] == 2)
    assert hook(home, "all")["waiting"] == 0


def test_what_happened_while_nothing_ran_is_told_at_the_next_start(home, seen):
    home.configure(f"[hooks.all]\n{keeper(seen)}\nevents = ['created']\n")
    first = home.up()
    eventually(lambda: hook(home, "all")["state"] == "current")
    first.term()
    numbers = [home.create() for _ in range(3)]
    assert hook(home, "all")["waiting"] == 3
    home.up()
    eventually(lambda: hook(home, "all")["done"] == 3)
    assert [one["event"]["task"] for one in told(seen)] == numbers


def test_a_failing_hook_is_counted_and_said_and_stops_nothing(home, seen):
    home.configure(
        "[hooks.broken]\ncommand = ['sh', '-c', 'echo no such thing >&2; exit 7']\nevents = ['created']\n"
        "[hooks.missing]\ncommand = ['/no/such/program']\nevents = ['created']\n"
        "[hooks.slow]\ncommand = ['sleep', '600']\ntimeout = '500ms'\nevents = ['created']\n"
        f"[hooks.well]\n{keeper(seen)}\nevents = ['created']\n"
    )
    daemon = home.up()
    eventually(lambda: hook(home, "well")["state"] == "current")
    for _ in range(2):
        home.create()
    eventually(lambda: len(told(seen)) == 2)
    for name in ("broken", "missing", "slow"):
        eventually(lambda name=name: hook(home, name)["failed"] == 2)
    assert hook(home, "broken")["last_error"] == "it ended with exit status 7: no such thing"
    assert "cannot be started" in hook(home, "missing")["last_error"]
    assert "stopped after 0.5 s" in hook(home, "slow")["last_error"]
    assert daemon.log().count("hook broken: ") == 1
    assert home.shop("hook", "list").stdout.count("failed") >= 3


def test_a_hook_that_fails_is_tried_again_as_often_as_it_is_set_and_then_goes_on(home, seen):
    first_time = f"cat >> {seen}; test $(wc -l < {seen}) -ge 2"
    home.configure(
        f"[hooks.shaky]\ncommand = ['sh', '-c', '{first_time}']\nevents = ['created']\nretries = 1\n"
        "[hooks.broken]\ncommand = ['false']\nevents = ['created']\nretries = 1\n"
    )
    daemon = home.up()
    eventually(lambda: hook(home, "shaky")["state"] == "current")
    numbers = [home.create() for _ in range(2)]
    eventually(lambda: hook(home, "shaky")["done"] == 2)
    assert [one["event"]["task"] for one in told(seen)] == [numbers[0], *numbers]
    assert hook(home, "shaky")["failed"] == 0
    assert "which is tried again: it ended with exit status 1" in daemon.log()
    eventually(lambda: hook(home, "broken")["failed"] == 2)
    assert "hook broken failed when it was run last" in home.shop("diagnostics").stdout


def test_a_hook_that_waits_for_its_next_try_does_not_keep_shop_up_from_stopping(home, seen):
    home.configure(f"[hooks.no]\ncommand = ['sh', '-c', 'touch {seen}; exit 1']\nretries = 5\n")
    daemon = home.up()
    eventually(lambda: hook(home, "no")["last_event"] is not None)
    home.create()
    eventually(lambda: hook(home, "no")["last_error"])
    assert daemon.term() == 0
    assert (hook(home, "no")["failed"], hook(home, "no")["done"]) == (0, 0)


def test_a_hook_in_python_gets_the_event(home, seen):
    folder = home.path / "hooks"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(
        "import json\n"
        "def keep(told):\n"
        f"    with open({str(seen)!r}, 'a') as file:\n"
        "        file.write(json.dumps(told) + '\\n')\n"
        "def fail(told):\n"
        "    raise ValueError('not today')\n"
    )
    home.configure(
        "[hooks.keep]\npython = 'mine:keep'\nevents = ['created']\n"
        "[hooks.fail]\npython = 'mine:fail'\nevents = ['created']\n"
        "[hooks.none]\npython = 'nowhere'\nevents = ['created']\n"
    )
    home.up()
    eventually(lambda: hook(home, "keep")["state"] == "current")
    task = home.create()
    eventually(lambda: len(told(seen)) == 1)
    assert told(seen)[0]["event"]["task"] == task
    eventually(lambda: hook(home, "fail")["failed"] == 1)
    assert hook(home, "fail")["last_error"].endswith("ValueError: not today")
    eventually(lambda: hook(home, "none")["failed"] == 1)
    assert "no installed package has an entry point 'nowhere'" in hook(home, "none")["last_error"]


def test_a_kill_repeats_at_most_the_event_that_was_under_way(home, seen):
    home.configure(f"[hooks.all]\n{keeper(seen)}\nevents = ['created']\n")
    home.up()
    eventually(lambda: hook(home, "all")["state"] == "current")
    numbers = []
    for _ in range(4):
        numbers += [home.create() for _ in range(3)]
        home.daemons[-1].kill()
        home.up()
    eventually(lambda: hook(home, "all")["waiting"] == 0)
    got = [one["event"]["task"] for one in told(seen)]
    assert list(dict.fromkeys(got)) == numbers
    assert len(got) <= len(numbers) + 4


def test_a_hook_that_is_too_far_behind_is_moved_on_and_that_is_said(home, seen):
    home.configure(f"[hooks.all]\n{keeper(seen)}\nevents = ['created']\nbehind_max = 2\n")
    home.up()
    eventually(lambda: hook(home, "all")["state"] == "current")
    home.daemons[-1].term(signal.SIGINT)
    numbers = [home.create() for _ in range(5)]
    daemon = home.up()
    eventually(lambda: hook(home, "all")["waiting"] == 0)
    assert [one["event"]["task"] for one in told(seen)] == numbers[-2:]
    assert hook(home, "all")["skipped"] == 3
    assert "3 event(s) up to" in daemon.log()


def test_a_hook_that_hangs_does_not_keep_shop_up_from_stopping(home, seen):
    deaf = f"touch {seen}; trap : TERM; while :; do sleep 1; done"
    home.configure(f"[hooks.deaf]\ncommand = ['sh', '-c', '{deaf}']\n")
    daemon = home.up()
    eventually(lambda: hook(home, "deaf")["last_event"] is not None)
    home.create()
    eventually(seen.exists)
    assert daemon.term() == 0
    assert hook(home, "deaf")["done"] == 0
