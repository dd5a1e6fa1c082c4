"""What a worker gets, and what its exit record says."""

import json
import signal
import stat
from pathlib import Path

from shopfloor.process import identity, leftovers, record


def test_an_exit_code_is_recorded_with_times_and_usage(floor):
    spec = floor.python("import sys; print('hello'); sum(range(3_000_000)); sys.exit(7)")
    ended = floor.run(spec)
    assert (ended.run, ended.exit_code, ended.signal) == (spec.run, 7, None)
    assert ended.spawn_error is None
    assert not (ended.never_started or ended.stopped or ended.timed_out or ended.killed)
    assert ended.started_at <= ended.ended_at <= ended.gone_at
    assert ended.user_ms + ended.system_ms > 0
    assert ended.max_rss_kb > 0
    assert ended.output_bytes == len("hello\n")
    assert floor.log(spec) == "hello\n"


def test_a_worker_killed_by_a_signal_has_the_signal_and_no_exit_code(floor):
    ended = floor.run(floor.spec("sh", "-c", "kill -SEGV $$"))
    assert (ended.exit_code, ended.signal) == (None, signal.SIGSEGV)


def test_error_output_goes_to_the_same_log_in_order(floor):
    spec = floor.spec("sh", "-c", "echo one; echo two >&2; echo three")
    floor.run(spec)
    assert floor.log(spec) == "one\ntwo\nthree\n"


def test_a_later_run_appends_to_the_log_of_the_task(floor):
    first = floor.spec("echo", "first")
    second = floor.spec("echo", "second", log_path=first.log_path)
    floor.run(first)
    floor.run(second)
    assert floor.log(first) == "first\nsecond\n"


def test_the_environment_is_exactly_the_given_one_and_the_marker(floor):
    spec = floor.spec("env", env={"PATH": "/usr/bin:/bin", "ODD": "ä = \udcff"})
    floor.run(spec)
    lines = set(Path(spec.log_path).read_bytes().splitlines())
    assert lines == {
        b"PATH=/usr/bin:/bin",
        "ODD=ä = ".encode() + b"\xff",
        f"SHOPFLOOR_MARKER={spec.marker}".encode(),
    }


def test_standard_input_is_empty(floor):
    ended = floor.run(floor.spec("sh", "-c", "read line && exit 1; [ -c /dev/stdin ]"))
    assert ended.exit_code == 0


def test_the_worker_inherits_no_descriptor_but_the_standard_three(floor):
    spec = floor.spec("ls", "/proc/self/fd")
    floor.run(spec)
    # The fourth is the listing's own.
    assert floor.log(spec).split() == ["0", "1", "2", "3"]


def test_the_worker_ignores_and_blocks_no_signal(floor):
    spec = floor.spec("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
    floor.run(spec)
    # Signals 32 and 33 are the C library's own: it lets nobody change them, so they are inherited.
    masks = [int(line.split()[1], 16) for line in floor.log(spec).splitlines()]
    assert [mask & ~0x1_8000_0000 for mask in masks] == [0, 0]


def test_the_worker_leads_a_session_of_its_own(floor):
    program = "import os, sys; sys.exit(os.getsid(0) == os.getpid() != os.getppid())"
    assert floor.run(floor.python(program)).exit_code == 1


def test_the_program_is_looked_up_in_the_path_of_the_worker(floor, tmp_path):
    tool = tmp_path / "bin" / "only-here"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\nexit 5\n")
    tool.chmod(0o700)
    spec = floor.spec("only-here", env={"PATH": f"/nowhere:{tool.parent}"})
    assert floor.run(spec).exit_code == 5


def test_a_missing_program_is_named(floor):
    ended = floor.run(floor.spec("no-such-program"))
    assert "'no-such-program' is not in the worker's PATH" in ended.spawn_error
    assert (ended.exit_code, ended.signal, ended.never_started) == (None, None, False)


def test_a_missing_program_with_a_path_is_named(floor):
    assert "/no/such does not exist" in floor.run(floor.spec("/no/such")).spawn_error.replace(
        ", or the interpreter that its first line names,", ""
    )


def test_a_program_that_may_not_be_executed_is_named(floor, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    assert "may not be executed" in floor.run(floor.spec(str(plain))).spawn_error


def test_a_script_without_a_first_line_is_named(floor, tmp_path):
    script = tmp_path / "script"
    script.write_text("exit 0\n")
    script.chmod(0o700)
    assert "needs a #! line" in floor.run(floor.spec(str(script))).spawn_error


def test_a_missing_working_directory_is_named(floor):
    ended = floor.run(floor.spec("true", cwd="/no/such/folder"))
    assert "/no/such/folder does not exist" in ended.spawn_error


def test_a_working_directory_that_is_a_file_is_named(floor, tmp_path):
    (tmp_path / "file").touch()
    ended = floor.run(floor.spec("true", cwd=str(tmp_path / "file")))
    assert "is not a folder" in ended.spawn_error


def test_a_command_line_that_cannot_be_passed_is_an_answer(floor):
    assert "NUL" in floor.run(floor.spec("true", "a\0b")).spawn_error
    assert "empty" in floor.run(floor.spec()).spawn_error
    assert "too long" in floor.run(floor.spec("true", "x" * 3_000_000)).spawn_error


def test_the_check_of_a_run_has_a_record_of_its_own(floor):
    work = floor.spec("true")
    floor.run(work)
    check = work._replace(argv=("false",), record="check.json")
    assert floor.run(check).exit_code == 1
    assert record.read(work.run_dir).exit_code == 0


def test_a_refusal_of_the_startup_guard_is_copied_into_the_record(floor):
    spec = floor.spec("sh", "-c", "printf 'run 4 is closed' > \"$RUN_DIR/guard_refused\"")
    ended = floor.run(spec._replace(env={**spec.env, "RUN_DIR": spec.run_dir}))
    assert (ended.exit_code, ended.guard_refused) == (0, "run 4 is closed")


def test_the_worker_is_written_down_while_it_lives_and_not_after(floor):
    spec = floor.spec("sleep", "600")
    supervisor = floor.go(spec)
    assert identity.alive(floor.worker(spec))
    identity.send(supervisor, signal.SIGTERM)
    floor.ended(spec)
    assert leftovers.recorded(spec.run_dir) is None
    assert [one.name for one in Path(spec.run_dir).iterdir()] == ["exit.json"]


def test_output_sets_the_activity_files_time(floor):
    spec = floor.spec("sh", "-c", "echo busy; sleep 600")
    floor.go(spec)
    activity = Path(spec.run_dir) / "activity"
    floor.until(activity.exists)
    assert activity.stat().st_mtime_ns >= Path(spec.run_dir).stat().st_ctime_ns - 10**9


def test_the_files_of_a_run_are_for_its_owner_only(floor):
    spec = floor.spec("echo", "secret")
    floor.run(spec)
    for path in (Path(spec.log_path), Path(spec.run_dir) / "exit.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_spec_goes_through_json_unchanged(floor):
    spec = floor.spec("a", "b", max_runtime_ms=5, fence_path="/f", fence_ms=9)
    assert type(spec).from_json(spec.to_json()) == spec
    assert json.loads(spec.to_json())["run"] == spec.run


def test_a_supervisor_that_fails_itself_leaves_the_reason(floor):
    spec = floor.spec("sleep", "600", log_limit_bytes="many")
    pending = floor.wait_at_pipe(spec)
    floor.until(lambda: not identity.alive(pending.identity))
    assert not pending.go()
    assert "Traceback" in (Path(spec.run_dir) / "supervisor.err").read_text()
