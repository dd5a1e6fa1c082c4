"""`shop up`, `shop down` and `shop dispatch` as a person uses them."""

import json
import os
import shlex
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.support.home import Home
from tests.support.waiting import eventually


def dump(home):
    """Everything that the board's database holds."""
    with closing(sqlite3.connect(home.board() / "board.db")) as beside:
        return list(beside.iterdump())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_up_and_says_how_many_workers_go_on(home, notes, tmp_path, number):
    daemon = home.up("--pidfile", str(tmp_path / "pid"))
    assert (tmp_path / "pid").read_text() == f"{daemon.pid}\n"
    tasks = [home.create_command(notes.worker(f"wait:{tmp_path}/go")) for _ in range(2)]
    eventually(lambda: notes.count("start") == 2)
    assert daemon.term(number) == 0
    assert "2 worker(s) go on" in daemon.log()
    assert not (tmp_path / "pid").exists()
    assert not home.place.socket.exists()
    assert len(home.supervisors()) == 2
    (tmp_path / "go").touch()
    home.up()
    for task in tasks:
        home.becomes(task, "done")
        assert home.outcomes(task) == ["completed"]


def test_down_stops_up_and_with_stop_workers_what_it_started(home, notes):
    argv = notes.worker("deaf", "grandchild", "sleep")
    home.configure(f'[profiles.stubborn]\nargv = {argv}\ngrace = "50ms"\n')
    daemon = home.up()
    task = home.create(assignee="stubborn")
    eventually(lambda: notes.count("grandchild"))
    done = home.shop("down")
    assert (done.returncode, daemon.wait()) == (0, 0)
    assert home.workers()
    assert home.status(task) == "running"
    done = home.shop("down", "--stop-workers")
    assert "no `shop up` is running" in done.stdout
    assert "stopped 1 worker(s)" in done.stdout
    assert not home.workers()
    assert home.outcomes(task) == ["reclaimed"]
    assert home.task(task)["failures"] == 0


def test_down_settles_for_what_it_was_what_ended_while_nobody_looked(home, notes, tmp_path):
    daemon = home.up()
    task = home.create_command(notes.worker(f"wait:{tmp_path}/go"))
    eventually(lambda: notes.count("start"))
    daemon.kill()
    (tmp_path / "go").touch()
    eventually(lambda: not home.processes())
    assert "stopped 0 worker(s)" in home.shop("down", "--stop-workers").stdout
    assert home.outcomes(task) == ["completed"]


def test_one_pass_starts_what_is_ready_and_leaves_its_workers_running(home, notes, tmp_path):
    tasks = [home.create_command(notes.worker(f"wait:{tmp_path}/go")) for _ in range(3)]
    report = home.ask("dispatch.run", max=2)
    assert [one["task"] for one in report["started"]] == tasks[:2]
    eventually(lambda: notes.count("start") == 2)
    assert not home.place.socket.exists()
    assert home.ask("dispatch.run", max=0)["started"] == []
    (tmp_path / "go").touch()

    def ended():
        home.ask("dispatch.run", max=0)
        return home.counts().get("done") == 2

    eventually(ended)
    report = home.ask("dispatch.run")
    assert [one["task"] for one in report["started"]] == tasks[2:]
    eventually(lambda: notes.count("end") == 3)
    eventually(lambda: home.ask("dispatch.run") and home.counts() == {"done": 3})


def test_a_dry_run_tells_what_a_pass_would_do_and_writes_nothing(home, notes):
    argv = notes.worker()
    home.configure(
        f'[dispatch]\ndefault_assignee = "usual"\ncap = 2\n[profiles.usual]\nargv = {argv}\ncap = 1\n'
    )
    ready = [home.create(assignee="usual") for _ in range(2)]
    command = home.create_command(argv)
    unassigned = home.create("nobody's")
    home.create("unknown", assignee="nobody")
    due = home.create(initial_status="scheduled", not_before="2020-01-01T00:00:00Z", title="due")
    before = dump(home)
    report = home.ask("dispatch.run", dry_run=True)
    assert dump(home) == before
    assert report["dry_run"]
    assert {one["task"] for one in report["started"]} == {ready[0], command}
    assert report["assigned"] == [unassigned]
    assert due in report["due"]
    assert {"unknown_profile"} <= {one["code"] for one in report["skipped"]}
    assert notes.lines() == []
    shown = home.shop("dispatch", "--dry-run")
    assert shown.returncode == 0
    assert dump(home) == before


def test_unassigned_tasks_get_the_default_assignee_as_a_recorded_change(home, notes):
    home.configure(
        f'[dispatch]\ndefault_assignee = "usual"\n[profiles.usual]\nargv = {notes.worker()}\n'
    )
    home.up()
    task = home.create("nobody's")
    home.becomes(task, "done")
    assert home.task(task)["assignee"] == "usual"
    (told,) = [one for one in home.show(task)["events"] if one["kind"] == "assigned"]
    assert told["data"]["source"] == "dispatch.default_assignee"


def test_create_says_when_no_dispatcher_is_running(home):
    assert "no dispatcher is running" in home.shop("init").stdout
    said = home.shop("create", "something")
    assert "no dispatcher is running" in said.stdout + said.stderr
    home.up()
    said = home.shop("create", "something else")
    assert "no dispatcher is running" not in said.stdout + said.stderr


def test_a_board_made_while_up_runs_is_served_at_once(home, notes):
    home.up()
    home.ask("board.create", slug="later")
    task = home.ask(
        "task.create", board="later", title="go", command={"argv": notes.worker()}
    )["task"]["id"]  # fmt: skip
    home.becomes(task, "done", board="later")


def test_a_home_with_a_long_path_is_served_from_the_runtime_folder(tmp_path, notes):
    home = Home(tmp_path / ("long" * 30))
    assert len(str(home.path)) > 108
    home.up()
    task = home.create_command(notes.worker())
    home.becomes(task, "done")
    home.close()


def test_a_setting_changed_while_up_runs_is_in_force_without_a_restart(home, notes, tmp_path):
    home.configure('[dispatch]\ncap = 1\npoll = "100ms"\n')
    home.up()
    for _ in range(3):
        home.create_command(notes.worker(f"wait:{tmp_path}/go"))
    eventually(lambda: notes.count("start") == 1)
    home.configure("[dispatch]\ncap = 3\n")
    eventually(lambda: notes.count("start") == 3)
    (tmp_path / "go").touch()
    eventually(lambda: home.counts() == {"done": 3})


def test_a_configuration_broken_while_up_runs_is_said_and_the_one_before_stays_in_force(
    home, notes
):
    settings = f'[dispatch]\npoll = "100ms"\n[profiles.usual]\nargv = {notes.worker()}\n'
    home.configure(settings)
    daemon = home.up()
    home.create("first", assignee="usual")
    eventually(lambda: home.counts() == {"done": 1})
    home.configure("[profiles.usual\n")
    eventually(lambda: "config.toml" in daemon.log())
    task = home.create("second", assignee="usual")
    home.becomes(task, "done")
    home.configure(settings)
    eventually(lambda: "goes on" in daemon.log())


def test_a_frozen_daemon_loses_nothing_and_goes_on_when_it_is_thawed(home, notes):
    daemon = home.up()
    task = home.create_command(notes.worker("sleep"))
    eventually(lambda: notes.count("start"))
    os.kill(daemon.pid, signal.SIGSTOP)
    assert home.workers()
    os.kill(daemon.pid, signal.SIGCONT)
    home.ask("task.cancel", id=task)
    home.is_over(task)


def test_a_second_up_says_who_serves_the_home_and_leaves(home):
    first = home.up()
    second = home.start("--no-web")
    assert second.wait() == 75
    assert f"process {first.pid} serves {home.path} already" in second.log()
    assert "`shop up` is running already" in second.log()
    assert "`shop down` stops it" in second.log()


def test_init_and_down_answer_as_json(home):
    made = json.loads(home.shop("init", "--json").stdout)
    assert made == {"home": str(home.path), "dispatcher": None}
    daemon = home.up()
    assert json.loads(home.shop("--json", "init").stdout)["dispatcher"] == daemon.pid
    assert json.loads(home.shop("down", "--json", "--stop-workers").stdout) == {
        "stopped": True,
        "workers": 0,
    }
    assert json.loads(home.shop("down", "--json").stdout) == {"stopped": False}


def test_a_new_board_has_no_copies_of_steps_beside_it(home):
    home.shop("init")
    assert not list(home.path.rglob("*.bak"))


def test_a_first_start_gives_an_example_that_works_and_a_second_one_does_not(home):
    daemon = home.up()
    eventually(lambda: "try it" in daemon.log())
    example = daemon.log().partition("another terminal: ")[2].splitlines()[0]
    words = shlex.split(example)[1:]
    assert home.shop(*words).returncode == 0
    home.becomes(1, "done")
    home.shop("down")
    assert "try it" not in home.up().log()


def test_init_says_how_to_go_on_where_all_is_new(home):
    assert "then, for example: shop create" in home.shop("init").stdout
    assert "for example" not in home.shop("init").stdout


def test_a_task_without_a_log_says_whether_it_ran(home):
    task = home.create_command(["true"])
    assert home.shop("log", str(task)).stderr == f"#{task} has no log here: it never ran\n"
    home.up()
    home.becomes(task, "done")
    said = home.shop("log", str(task)).stderr
    assert said == f"#{task} has no log here: its workers wrote nothing\n"
