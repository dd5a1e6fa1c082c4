"""A person's verb on a running task: the run is over at once, the worker soon after, and only then
does the next worker start.

The worker of these tests hears no SIGTERM and has left a process in a session of its own.
"""

import pytest

from shopfloor.domain.errors import Stale, WrongStatus
from tests.support.home import Worker, kill
from tests.support.waiting import eventually

VERBS = [
    ("task.block", {"reason": "wait"}, "blocked", "reclaimed"),
    ("task.schedule", {}, "scheduled", "reclaimed"),
    ("task.archive", {}, "archived", "reclaimed"),
    ("task.cancel", {}, "cancelled", "cancelled"),
    ("task.complete", {"summary": "by hand"}, "done", "superseded"),
    ("run.terminate", {}, "ready", "reclaimed"),
]
AGAIN = [
    ("task.reclaim", {}),
    ("task.edit", {"clear_claim": True}),
]


def stubborn(home, notes, *, grace, leave_grace="10m", steps=()):
    """A profile whose worker does not leave by itself, and a task of it that runs."""
    argv = notes.worker("deaf", "grandchild", *steps, "sleep")
    home.configure(
        f'[profiles.stubborn]\nargv = {argv}\ngrace = "{grace}"\nleave_grace = "{leave_grace}"\n'
    )
    home.up()
    task = home.create(assignee="stubborn")
    eventually(lambda: notes.count("grandchild") == 1)
    return task, home.runs(task)[0]["id"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_closes_the_run_at_once_and_nothing_of_the_worker_is_left(home, notes, verb):
    op, args, status, outcome = verb
    task, run = stubborn(home, notes, grace="50ms")
    home.ask(op, id=task, **args)
    assert home.status(task) == status
    closed = home.runs(task)[0]
    assert (closed["outcome"], closed["state"]) in ((outcome, "leaving"), (outcome, "ended"))
    home.is_over(task)
    assert not home.workers(run)
    assert home.outcomes(task) == [outcome]
    assert notes.count("start") == 1
    assert home.task(task)["failures"] == 0


def test_a_pause_that_stops_ends_the_runs_of_its_board_and_starts_nothing_until_resume(home, notes):
    task, run = stubborn(home, notes, grace="50ms")
    assert home.ask("dispatch.pause", stop=True)["stopped"] == [run]
    home.is_over(task)
    assert not home.workers(run)
    assert home.why(task) == "board_paused"
    home.ask("dispatch.resume")
    eventually(lambda: notes.count("start") == 2)
    notes.nothing_overlapped()


@pytest.mark.parametrize(("op", "args"), AGAIN)
def test_the_next_worker_starts_only_when_the_last_process_of_the_one_before_is_gone(
    home, notes, op, args
):
    task, run = stubborn(home, notes, grace="10m")
    home.ask(op, id=task, **args)
    assert home.why(task) == "previous_worker_leaving"
    home.ask("dispatch.run")
    skipped = home.ask("dispatch.run")["skipped"]
    assert [(one["code"], one["task"]) for one in skipped] == [("previous_worker_leaving", task)]
    # The worker's main process goes, and what it left behind is stopped before the next one starts.
    for one in home.workers(run):
        if one.session == one.pid and one.parent == home.supervisors(run)[0].pid:
            kill(one)
    eventually(lambda: notes.count("start") == 2)
    assert not home.workers(run)
    notes.nothing_overlapped()
    assert home.outcomes(task) == ["reclaimed", None]


def test_a_running_task_is_not_deleted(home, notes):
    task, _ = stubborn(home, notes, grace="50ms")
    assert isinstance(home.refused("task.delete", id=task), WrongStatus)
    assert home.status(task) == "running"


def test_after_its_own_verdict_a_worker_has_time_to_leave_and_then_is_stopped(home, notes):
    task, run = stubborn(
        home, notes, grace="50ms", leave_grace="200ms", steps=["shop:complete --summary done"]
    )
    home.becomes(task, "done")
    home.is_over(task)
    assert not home.workers(run)
    (ended,) = home.runs(task)
    assert (ended["outcome"], ended["summary"]) == ("completed", "done")
    assert ended["exit_record"]["left_late"]


@pytest.mark.parametrize("end", ["exit:1", "exit:75", "signal:9"])
def test_what_a_worker_does_after_its_verdict_changes_nothing(home, notes, tmp_path, end):
    home.up()
    go = str(tmp_path / "go")
    argv = notes.worker("shop:complete --summary done", f"wait:{go}", end)
    task = home.create_command(argv, max_attempts=1)
    home.becomes(task, "done")
    assert home.runs(task)[0]["state"] == "leaving"
    (tmp_path / "go").touch()
    home.is_over(task)
    assert home.outcomes(task) == ["completed"]
    assert home.task(task)["summary"] == "done"
    assert notes.count("start") == 1


def test_a_task_unblocked_at_once_waits_for_the_worker_that_blocked_it(home, notes, tmp_path):
    home.up()
    go = str(tmp_path / "go")
    task = home.create_command(notes.worker("shop:block why", f"wait:{go}"))
    home.becomes(task, "blocked")
    home.ask("task.unblock", id=task)
    assert home.why(task) == "previous_worker_leaving"
    (tmp_path / "go").touch()
    eventually(lambda: notes.count("start") == 2)
    notes.nothing_overlapped()
    assert home.outcomes(task)[0] == "blocked"


def test_a_worker_whose_run_was_taken_back_can_write_nothing_more(home, notes):
    task, run = stubborn(home, notes, grace="10m")
    token = home.execute(f"SELECT token FROM run WHERE id = {run}")[0][0]
    home.ask("task.reclaim", id=task)
    late = Worker(task, run, token)
    for op, args in (
        ("task.complete", {"summary": "late"}),
        ("task.block", {"reason": "late"}),
        ("task.heartbeat", {}),
        ("task.comment", {"body": "late"}),
    ):
        assert isinstance(home.refused(op, worker=late, id=task, **args), Stale)
    assert home.kinds(task).count("write_refused") == 4
    assert home.status(task) == "ready"
    assert home.show(task)["comments"] == []
