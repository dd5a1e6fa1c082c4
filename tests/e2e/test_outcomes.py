"""How command workers end, from the exit status to the task: run for real, one after the other."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.home import kill
from tests.support.waiting import eventually

# Without the slow poll, what is due must be what wakes the dispatcher.
NO_POLL = '[dispatch]\npoll = "10m"\n'


def test_exit_status_0_is_done_and_the_first_failure_is_tried_again(home, notes):
    home.up()
    task = home.create_command(notes.worker("fail-first:1"))
    shown = home.becomes(task, "done")
    assert home.outcomes(task) == ["failed", "completed"]
    assert [run["exit_code"] for run in home.runs(task)] == [1, 0]
    assert (shown["failures"], shown["last_error"]) == (0, None)


def test_the_breaker_blocks_at_the_limit_with_the_last_reason(home, notes):
    home.up()
    task = home.create_command(notes.worker("exit:3"))
    shown = home.becomes(task, "blocked")
    assert shown["block_kind"] == "gave_up"
    assert "2 failed attempts" in shown["block_reason"]
    assert "exit status 3" in shown["block_reason"]
    assert home.why(task) == "gave_up"
    home.ask("task.unblock", id=task)
    eventually(lambda: len(home.runs(task)) == 4)
    assert home.becomes(task, "blocked")["failures"] == 2


def test_one_allowed_attempt_blocks_at_the_first_failure(home, notes):
    home.up()
    task = home.create_command(notes.worker("exit:1"), max_attempts=1)
    home.becomes(task, "blocked")
    assert home.outcomes(task) == ["failed"]


def test_a_success_in_between_starts_the_count_anew(home, notes):
    home.configure('[dispatch]\nrecent_success = "0s"\n')
    home.up()
    task = home.create_command(notes.worker("fail-first:1"))
    home.becomes(task, "done")
    home.ask("task.reopen", id=task)
    eventually(lambda: len(home.runs(task)) == 3)
    assert home.becomes(task, "done")["failures"] == 0


def test_exit_status_75_waits_for_the_cooldown_and_is_no_failure(home, notes, tmp_path):
    home.configure(NO_POLL + 'rate_limit_cooldown = "300ms"\n')
    home.up()
    script = (
        f"test -e {tmp_path}/twice && exit 0; test -e {tmp_path}/once && touch {tmp_path}/twice;"
    )
    task = home.create_command(
        ["sh", "-c", script + f" touch {tmp_path}/once; exit 75"], max_attempts=1
    )
    shown = home.becomes(task, "done")
    assert home.outcomes(task) == ["rate_limited", "rate_limited", "completed"]
    assert shown["failures"] == 0
    first, second, _ = home.runs(task)
    assert second["claimed_at"] >= first["ended_at"]


def test_so_many_rate_limits_in_a_row_block_the_task(home, notes):
    home.configure(NO_POLL + 'rate_limit_cooldown = "10ms"\nquota_rounds_limit = 3\n')
    home.up()
    task = home.create_command(notes.worker("exit:75"))
    shown = home.becomes(task, "blocked")
    assert (shown["block_kind"], shown["failures"]) == ("capability", 0)
    assert home.outcomes(task) == ["rate_limited"] * 3


@pytest.mark.parametrize("number", [9, 11, 15])
def test_a_worker_killed_by_a_signal_has_crashed(home, notes, number):
    home.up()
    task = home.create_command(notes.worker(f"signal:{number}"), max_attempts=1)
    assert f"signal {number}" in home.becomes(task, "blocked")["block_reason"]
    assert home.outcomes(task) == ["crashed"]


def test_a_worker_over_its_time_is_stopped_with_all_that_it_started(home, notes):
    argv = notes.worker("deaf", "grandchild", "sleep")
    home.configure(f'[profiles.slow]\nargv = {argv}\nmax_runtime = "300ms"\ngrace = "50ms"\n')
    home.up()
    task = home.create(assignee="slow", max_attempts=1)
    home.becomes(task, "blocked")
    (run,) = home.runs(task)
    assert run["outcome"] == "timed_out"
    assert run["exit_record"]["timed_out"]
    assert not home.workers(run["id"])


def test_a_program_that_is_not_there_is_a_failed_start_with_the_reason(home):
    home.up()
    task = home.create_command(["no-such-program"])
    shown = home.becomes(task, "blocked")
    assert home.outcomes(task) == ["spawn_failed", "spawn_failed"]
    assert "no-such-program" in shown["block_reason"]


def test_a_folder_that_is_not_there_is_a_failed_start_with_the_reason(home, tmp_path):
    home.up()
    away = f"{tmp_path}/away"
    first = home.create_command(["true"], workspace=f"dir:{away}", max_attempts=1)
    second = home.create(command={"argv": ["true"], "cwd": "below"}, max_attempts=1)
    assert away in home.becomes(first, "blocked")["block_reason"]
    assert "below" in home.becomes(second, "blocked")["block_reason"]
    assert home.outcomes(first) == home.outcomes(second) == ["spawn_failed"]


def test_a_workspace_that_no_system_can_have_fails_its_own_task_and_stops_no_other(home, notes):
    home.up()
    bad = home.create_command(["true"], workspace="dir:/tmp/a\0b", max_attempts=1)
    good = home.create_command(notes.worker())
    home.becomes(good, "done")
    home.becomes(bad, "blocked")
    assert home.outcomes(bad) == ["spawn_failed"]


def test_a_failed_check_is_one_more_attempt_and_its_output_is_the_reason(home, notes, tmp_path):
    home.up()
    check = [
        "sh",
        "-c",
        f"echo looked; test -e {tmp_path}/made || {{ touch {tmp_path}/made; exit 4; }}",
    ]
    task = home.create_command(notes.worker(), check=check)
    home.becomes(task, "done")
    first, second = home.runs(task)
    assert (first["outcome"], second["outcome"]) == ("check_failed", "completed")
    assert "exit status 4" in first["error"]
    assert "looked" in first["error"]
    assert notes.runs("start") == {first["id"]: 1, second["id"]: 1}


def test_what_a_check_said_is_told_of_its_own_attempt_only(home, notes):
    home.up()
    check = ["sh", "-c", 'echo "look $SHOPFLOOR_ATTEMPT"; echo "not yet"; exit 4']
    task = home.create_command(notes.worker(), check=check)
    home.becomes(task, "blocked")
    first, second = home.runs(task)
    assert first["error"].rstrip() == "the check ended with exit status 4\nlook 1\nnot yet"
    assert second["error"].rstrip() == "the check ended with exit status 4\nlook 2\nnot yet"


def test_a_check_sees_the_workspace_and_not_the_token(home, notes):
    home.up()
    check = ["sh", "-c", 'test -e made -a -z "$SHOPFLOOR_TOKEN" -a -n "$SHOPFLOOR_TASK"']
    task = home.create_command(notes.worker("touch:made"), check=check, max_attempts=1)
    home.becomes(task, "done")


def test_a_check_that_dies_with_its_supervisor_runs_again_and_the_work_does_not(
    home, notes, tmp_path
):
    home.up()
    again = f'test "$(wc -l < {tmp_path}/checks)" = 2'
    check = ["sh", "-c", f"echo check >> {tmp_path}/checks; {again} || sleep 600"]
    task = home.create_command(notes.worker(), check=check, max_attempts=1)
    eventually((tmp_path / "checks").exists)
    assert home.why(task) == "check_runs"
    kill(home.supervisor(task))
    home.becomes(task, "done")
    assert (tmp_path / "checks").read_text() == "check\ncheck\n"
    assert home.outcomes(task) == ["completed"]
    assert notes.count("start") == 1


def test_a_check_that_never_comes_to_an_end_of_its_own_fails_in_the_end(home, notes):
    home.up()
    check = ["sh", "-c", "kill -9 $PPID; sleep 600"]
    task = home.create_command(notes.worker(), check=check, max_attempts=1)
    shown = home.becomes(task, "blocked")
    assert home.outcomes(task) == ["check_failed"]
    assert "cut off" in shown["block_reason"]


def test_a_dispatcher_killed_between_work_and_check_goes_on_with_the_check(home, notes, tmp_path):
    first = home.up()
    check = ["sh", "-c", f"while ! test -e {tmp_path}/go; do sleep 0.01; done"]
    task = home.create_command(notes.worker(), check=check, max_attempts=1)
    eventually(lambda: home.why(task) == "check_runs")
    first.kill()
    (tmp_path / "go").touch()
    eventually(lambda: not home.processes())
    home.up()
    home.becomes(task, "done")
    assert home.outcomes(task) == ["completed"]
    assert notes.count("start") == 1


def test_a_verdict_with_a_check_survives_the_crash_of_its_worker(home, notes):
    home.up()
    argv = notes.worker("shop:complete --summary made", "signal:9")
    task = home.create_command(argv, check=["true"], max_attempts=1)
    shown = home.becomes(task, "done")
    assert shown["summary"] == "made"
    assert home.outcomes(task) == ["completed"]


def test_a_task_cancelled_during_its_check_is_over_and_the_check_is_stopped(home, notes, tmp_path):
    home.up()
    check = ["sh", "-c", f"touch {tmp_path}/checking; sleep 600"]
    task = home.create_command(notes.worker(), check=check)
    eventually((tmp_path / "checking").exists)
    home.ask("task.cancel", id=task)
    home.is_over(task)
    assert home.outcomes(task) == ["cancelled"]
    assert not home.supervisors()


@pytest.mark.parametrize("steps", [(), ("shop:complete",)])
def test_declared_artifacts_are_kept_when_the_task_is_done(home, notes, steps):
    home.up()
    task = home.create_command(notes.worker("touch:made", *steps), artifacts=["made"])
    home.becomes(task, "done")
    home.is_over(task)
    (kept,) = home.show(task)["attachments"]
    assert kept["name"] == "made"
    eventually(lambda: not (home.board() / "workspaces" / str(task)).exists())
    assert home.board().joinpath("attachments", str(task), "made").exists()


def test_a_missing_artifact_keeps_the_task_in_flight_until_an_attempt_makes_it(
    home, notes, tmp_path
):
    home.up()
    script = f"test -e {tmp_path}/once && touch made; touch {tmp_path}/once"
    task = home.create_command(["sh", "-c", script], artifacts=["made"])
    home.becomes(task, "done")
    first, second = home.runs(task)
    assert first["outcome"] == "failed"
    assert "'made'" in first["error"]
    assert second["outcome"] == "completed"
    assert [kept["name"] for kept in home.show(task)["attachments"]] == ["made"]


def test_a_retry_with_backoff_is_scheduled_and_comes_due_by_itself(home, notes):
    home.configure(NO_POLL)
    home.up()
    task = home.create_command(
        notes.worker("fail-first:2"), backoff={"base_ms": 200, "factor": 2.0}, max_attempts=5
    )
    home.becomes(task, "done")
    assert home.outcomes(task) == ["failed", "failed", "completed"]
    assert home.kinds(task).count("retry_scheduled") == 2
    assert home.kinds(task).count("due") == 2


def test_a_silent_run_of_a_profile_with_a_stale_timeout_goes_back_uncounted(home, notes):
    argv = notes.worker("fail-first:0", "sleep")
    home.configure(
        '[dispatch]\nheartbeat_timeout = "300ms"\npoll = "200ms"\n'
        f'[profiles.quiet]\nargv = {argv}\nstale_timeout = "300ms"\ngrace = "50ms"\n'
    )
    home.up()
    task = home.create(assignee="quiet")
    shown = home.becomes(task, "blocked")
    assert home.outcomes(task) == ["stale"] * 3
    assert (shown["block_kind"], shown["failures"]) == ("capability", 0)


def test_a_task_promoted_by_its_last_parent_starts_at_once(home, notes, tmp_path):
    home.configure(NO_POLL)
    home.up()
    parents = [home.create_command(notes.worker(f"wait:{tmp_path}/go")) for _ in range(2)]
    child = home.create_command(notes.worker(), parents=parents)
    eventually(lambda: notes.count("start") == 2)
    assert home.status(child) == "todo"
    (tmp_path / "go").touch()
    home.becomes(child, "done")
    assert [line[1] for line in notes.lines() if line[0] == "start"][-1] == str(child)


def test_a_scheduled_task_comes_due_at_its_time_and_not_at_the_next_poll(home, notes):
    home.configure(NO_POLL)
    home.up()
    # A busy machine may need longer for the request than the time that is left to it.
    for seconds in (1, 10, 60):
        moment = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
        made = home.ask(
            "task.create", title="later", command={"argv": notes.worker()}, not_before=moment
        )["task"]
        if made["status"] == "scheduled":
            break
    task = made["id"]
    home.becomes(task, "done")
    assert "due" in home.kinds(task)
    assert datetime.fromisoformat(home.runs(task)[0]["claimed_at"]) >= datetime.fromisoformat(
        moment
    )
