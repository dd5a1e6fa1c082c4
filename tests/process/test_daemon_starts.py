"""Starts that are cut off in the middle: before *go* nothing has run, after it everything is known."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in, kill
from tests.support.notes import Notes
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")


def die_in_a_pass(home: Home, moment: str) -> None:
    """Run a dispatcher that kills itself at this moment of its first start."""
    driver = [str(home.python), "-m", "tests.support.dying_dispatcher", str(home.path), moment]
    ended = subprocess.run(driver, cwd=ROOT, env=home.environment, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["identify", "commit", "go"])
def test_a_dispatcher_that_dies_before_go_has_started_nothing_and_the_task_runs_once(
    home, notes, moment
):
    task = home.create_command(notes.worker())
    die_in_a_pass(home, moment)
    eventually(lambda: not home.processes())
    assert notes.lines() == []
    assert home.status(task) == "running"
    if moment == "go":
        told = json.loads((home.run_folder(1) / "exit.json").read_text(encoding="utf-8"))
        assert told["never_started"]
    else:
        assert home.runs(task)[0]["state"] == "starting"
    home.up()
    shown = home.becomes(task, "done")
    assert home.outcomes(task) == ["reclaimed", "completed"]
    assert notes.runs("start") == {2: 1}
    assert shown["failures"] == 0


def test_the_slot_that_a_worker_leaves_is_given_on_in_the_commit_that_settles_it(
    home, notes, tmp_path
):
    home.configure("[dispatch]\ncap = 1\n")
    home.up()
    first = home.create_command(notes.worker("wait:" + str(tmp_path / "go")))
    eventually(lambda: notes.count("start"))
    second = home.create_command(notes.worker())
    (tmp_path / "go").touch()
    home.becomes(first, "done")
    home.becomes(second, "done")
    # The time of a transaction is read once.
    assert home.runs(first)[0]["gone_at"] == home.runs(second)[0]["claimed_at"]


def test_a_run_of_another_boot_is_reclaimed_and_is_nobodys_failure(home, notes, tmp_path):
    first = home.up()
    task = home.create_command(notes.worker("wait:" + str(tmp_path / "go")), max_attempts=1)
    eventually(lambda: notes.count("start"))
    first.kill()
    supervisor = home.supervisor(task)
    kill(supervisor)
    eventually(lambda: not home.processes())
    # What a restart of the machine leaves: an open run whose boot is over, and no exit record.
    home.execute("UPDATE run SET boot_id = '00000000-0000-0000-0000-000000000000'")
    (tmp_path / "go").touch()
    home.up()
    shown = home.becomes(task, "done")
    assert home.outcomes(task) == ["reclaimed", "completed"]
    assert "restarted" in home.runs(task)[0]["error"]
    assert shown["failures"] == 0


def test_a_verdict_given_before_a_restart_of_the_machine_goes_to_its_check_and_not_to_work_again(
    home, notes, tmp_path
):
    first = home.up()
    task = home.create_command(
        notes.worker(), check=notes.worker("wait:" + str(tmp_path / "go")), max_attempts=1
    )
    eventually(lambda: [line for line in notes.lines() if line[::2] == ["start", "check"]])
    first.kill()
    for one in home.supervisors():
        kill(one)
    eventually(lambda: not home.processes())
    home.execute("UPDATE run SET boot_id = '00000000-0000-0000-0000-000000000000'")
    (tmp_path / "go").touch()
    home.up()
    home.becomes(task, "done")
    assert home.outcomes(task) == ["completed"]
    assert [line[2] for line in notes.lines() if line[0] == "start"] == ["1", "check", "check"]


def test_a_pid_that_belongs_to_somebody_else_by_now_is_not_taken_for_the_supervisor(home, notes):
    first = home.up()
    task = home.create_command(notes.worker("sleep"), max_attempts=1)
    eventually(lambda: notes.count("start"))
    first.kill()
    kill(home.supervisor(task))
    eventually(lambda: not home.processes())
    with subprocess.Popen(["sleep", "600"]) as stranger:
        home.execute(f"UPDATE run SET pid = {stranger.pid}")
        home.up()
        shown = home.becomes(task, "blocked")
        assert stranger.poll() is None
        stranger.kill()
    assert home.outcomes(task) == ["crashed"]
    assert shown["block_kind"] == "gave_up"
