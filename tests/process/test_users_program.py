"""A hook's program: what it gets, how long it may take, and what is left of it."""

import os
import sys

import pytest

from shopfloor.process import proc, users_program
from shopfloor.process.users_program import Ended
from tests.support.waiting import eventually

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def cut():
    """A pipe whose one end cuts a program off."""
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


@pytest.fixture
def run(tmp_path, cut):
    def work(*argv, given=b"", timeout_s=60.0):
        return users_program.run(
            argv, given, env=ENV, cwd=str(tmp_path), timeout_s=timeout_s, cut_off=cut[0]
        )

    return work


def test_it_gets_the_text_and_ends_well(run, tmp_path):
    assert run("sh", "-c", "cat > given", given=b"hello" * 100_000) == Ended(code=0)
    assert (tmp_path / "given").read_bytes() == b"hello" * 100_000


def test_who_reads_nothing_is_not_waited_for(run):
    assert run("true", given=b"x" * 1_000_000) == Ended(code=0)


def test_its_status_and_the_end_of_its_words_are_told(run):
    ended = run("sh", "-c", "seq 100000; echo the end >&2; exit 3")
    assert (ended.code, ended.timed_out) == (3, False)
    assert ended.words.endswith("99999 100000 the end")
    assert len(ended.words) <= users_program.KEPT_BYTES


def test_a_signal_is_told(run):
    assert run("sh", "-c", "kill -SEGV $$").signal == 11


def test_what_is_not_there_is_not_started(run):
    assert run("/no/such/program").not_started == "No such file or directory"
    assert run("nul\0l").not_started is not None


@pytest.mark.parametrize("deaf", ["", "trap '' TERM; "])
def test_it_is_stopped_when_its_time_is_over(run, tmp_path, deaf):
    stays = f"{deaf}echo $$ > pid.new; mv pid.new pid; sleep 600 & wait; wait"
    # A slow machine is given more time for the program's beginning.
    for timeout_s in (0.5, 2.0, 8.0, 32.0):
        ended = run("sh", "-c", stays, timeout_s=timeout_s)
        assert ended.timed_out and not ended.cut_off
        if (tmp_path / "pid").exists():
            break
    assert proc.stat(int((tmp_path / "pid").read_text())) is None


def test_what_it_leaves_in_its_group_is_stopped_with_it(run, tmp_path):
    assert run("sh", "-c", "sleep 600 & echo $! > pid").code == 0
    left = int((tmp_path / "pid").read_text())
    eventually(lambda: (found := proc.stat(left)) is None or found.dead)


def test_who_holds_its_output_open_is_not_waited_for(run):
    """A child in a session of its own keeps the pipe; the program's own end counts."""
    program = "import os, time; os.fork() or (os.setsid(), time.sleep(5))"
    assert run(sys.executable, "-c", program).code == 0


def test_it_is_cut_off_at_once(run, cut):
    os.write(cut[1], b"!")
    ended = run("sleep", "600")
    assert ended.cut_off and not ended.timed_out
