"""A real `shop up` whose parts are killed: what becomes of the worker, of the run, of the task."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in, kill
from tests.support.notes import Notes
from tests.support.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")


def running(home: Home, task: int, notes: Notes) -> int:
    """Wait until the task's worker has noted its start; the run."""
    eventually(lambda: notes.count("start", task))
    return int(home.runs(task)[-1]["id"])


def test_a_worker_outlives_its_killed_dispatcher_and_is_adopted_and_settled_once(
    home, notes, tmp_path
):
    first = home.up()
    task = home.create_command(notes.worker("wait:" + str(tmp_path / "go")))
    run = running(home, task, notes)
    supervisor = home.supervisor(task)
    first.kill()
    assert home.workers(run)
    home.up()
    assert home.supervisor(task) == supervisor._replace(
        state=home.supervisor(task).state,
        parent=home.supervisor(task).parent,
        cpu_ticks=home.supervisor(task).cpu_ticks,
    )
    assert home.why(task) == "running"
    (tmp_path / "go").touch()
    home.becomes(task, "done")
    assert home.outcomes(task) == ["completed"]
    assert home.kinds(task).count("completed") == 1
    assert [line[0] for line in notes.lines()] == ["start", "end"]


@pytest.mark.parametrize(
    "case",
    [("exit:0", "completed", "done", 0), ("exit:3", "failed", "blocked", 1),
     ("exit:75", "rate_limited", "ready", 0), ("signal:9", "crashed", "blocked", 1)],
)  # fmt: skip
def test_an_end_while_no_dispatcher_runs_is_settled_for_what_it_was(home, notes, tmp_path, case):
    end, outcome, status, failures = case
    first = home.up()
    task = home.create_command(notes.worker("wait:" + str(tmp_path / "go"), end), max_attempts=1)
    run = running(home, task, notes)
    supervisor = home.supervisor(task)
    first.kill()
    (tmp_path / "go").touch()
    eventually(lambda: supervisor.pid not in [one.pid for one in home.supervisors()])
    assert home.status(task) == "running"
    assert home.why(task) == "no_dispatcher"
    home.up()
    shown = home.becomes(task, status)
    assert home.outcomes(task) == [outcome]
    assert home.runs(task)[0]["id"] == run
    assert shown["failures"] == failures
    assert notes.count("start") == 1


def test_a_dispatcher_that_was_killed_ten_times_has_run_nothing_twice(home, notes):
    done: list[int] = []
    for _ in range(10):
        daemon = home.up()
        done += [home.create_command(notes.worker()) for _ in range(5)]
        daemon.kill()
    home.up()
    for task in done:
        home.becomes(task, "done")
    started = notes.runs("start")
    assert set(started.values()) == {1}
    for task in done:
        ends = [run["id"] for run in home.runs(task) if run["outcome"] == "completed"]
        assert len(ends) == 1
        assert started[ends[0]] == 1
        others = [run for run in home.runs(task) if run["outcome"] != "completed"]
        assert {run["outcome"] for run in others} <= {"reclaimed"}
        assert not any(started[run["id"]] for run in others)


def test_a_killed_supervisor_takes_its_worker_along_and_the_task_goes_back_as_crashed(home, notes):
    home.up()
    task = home.create_command(notes.worker("deaf", "grandchild", "sleep"), max_attempts=2)
    run = running(home, task, notes)
    eventually(lambda: notes.count("grandchild"))
    kill(home.supervisor(task))
    eventually(lambda: not home.workers(run))
    eventually(lambda: notes.count("start") == 2)
    first, second = home.runs(task)
    assert first["outcome"] == "crashed"
    assert "supervisor" in first["error"]
    assert second["state"] == "running"
    assert home.task(task)["failures"] == 1
    notes.nothing_overlapped()
    kill(home.supervisor(task))
    shown = home.becomes(task, "blocked")
    assert shown["block_kind"] == "gave_up"
    assert "2 failed attempts" in shown["block_reason"]
    home.is_over(task)


def test_a_killed_worker_is_a_crash_that_counts_and_the_next_attempt_starts_at_once(home, notes):
    # Without the slow poll nothing but the end itself can be what wakes the dispatcher.
    home.configure('[dispatch]\npoll = "10m"\n')
    home.up()
    task = home.create_command(notes.worker("fail-first:0", "sleep"), max_attempts=3)
    run = running(home, task, notes)
    eventually(lambda: home.workers(run))
    for worker in home.workers(run):
        kill(worker)
    eventually(lambda: notes.count("start") == 2)
    first = home.runs(task)[0]
    assert (first["outcome"], first["exit_signal"]) == ("crashed", signal.SIGKILL)
    assert home.task(task)["failures"] == 1


def test_a_worker_found_dead_by_the_next_dispatcher_is_stopped_with_all_that_is_left_of_it(
    home, notes
):
    first = home.up()
    task = home.create_command(notes.worker("grandchild", "sleep"), max_attempts=1)
    run = running(home, task, notes)
    eventually(lambda: notes.count("grandchild"))
    first.kill()
    # Helper and supervisor gone: nobody is left to stop the grandchild but the next dispatcher.
    (helper,) = home.helpers()
    supervisor = home.supervisor(task)
    kill(helper)
    kill(supervisor)
    eventually(lambda: len(home.workers(run)) == 1)
    home.up()
    home.becomes(task, "blocked")
    assert not home.workers(run)
    assert home.outcomes(task) == ["crashed"]


def test_a_killed_helper_is_replaced_and_its_supervisors_live_on(home, notes, tmp_path):
    home.up()
    first = home.create_command(notes.worker("wait:" + str(tmp_path / "go")))
    running(home, first, notes)
    (helper,) = home.helpers()
    kill(helper)
    eventually(lambda: not home.helpers())
    second = home.create_command(notes.worker())
    home.becomes(second, "done")
    assert home.status(first) == "running"
    assert len(home.helpers()) == 1
    (tmp_path / "go").touch()
    home.becomes(first, "done")
    assert home.outcomes(first) == home.outcomes(second) == ["completed"]


def test_a_check_is_started_by_a_new_helper_when_the_old_one_was_killed(home, notes, tmp_path):
    home.up()
    task = home.create_command(notes.worker(f"wait:{tmp_path}/go"), check=["true"], max_attempts=1)
    running(home, task, notes)
    (helper,) = home.helpers()
    kill(helper)
    eventually(lambda: not home.helpers())
    (tmp_path / "go").touch()
    home.becomes(task, "done")
    assert home.outcomes(task) == ["completed"]


def test_a_frozen_supervisor_is_killed_when_it_does_not_stop_its_worker(home, notes):
    argv = notes.worker("sleep")
    home.configure(
        f'[dispatch]\npoll = "500ms"\n[profiles.frozen]\nargv = {argv}\ngrace = "50ms"\n'
    )
    home.up()
    task = home.create(assignee="frozen")
    run = running(home, task, notes)
    kill(home.supervisor(task), signal.SIGSTOP)
    home.ask("task.cancel", id=task)
    home.is_over(task)
    assert not home.workers(run)
    assert home.outcomes(task) == ["cancelled"]


def test_the_scratch_folders_that_a_killed_dispatcher_did_not_come_to_go_at_the_next_start(
    home, notes
):
    daemon = home.up()
    task = home.create_command(notes.worker())
    home.becomes(task, "done")
    daemon.kill()
    left = home.board() / "workspaces" / str(task)
    left.mkdir(exist_ok=True)
    kept = home.board() / "workspaces" / "not-a-number"
    kept.mkdir()
    home.up()
    eventually(lambda: not left.exists())
    assert kept.exists()
