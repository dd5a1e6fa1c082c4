"""A process is its boot, its number and its start time together."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shopfloor.process import identity, proc, ps


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as child:
        yield child
        child.kill()


def of(child: subprocess.Popen[bytes]) -> identity.Identity:
    found = identity.of(child.pid)
    assert found is not None
    return found


def test_this_process_is_alive_and_knows_itself():
    assert identity.alive(identity.mine())
    assert identity.mine() == identity.of(os.getpid())


def test_a_process_that_was_never_there_has_no_identity():
    assert identity.of(proc.PIDS_MAX + 1) is None


def test_a_process_that_ended_and_is_not_collected_is_dead(sleeper):
    told = of(sleeper)
    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.alive(told)
    assert identity.of(sleeper.pid) is None


def test_a_process_of_another_boot_is_dead(sleeper):
    assert not identity.alive(of(sleeper)._replace(boot_id="another"))


def test_a_number_that_was_given_again_is_dead_and_never_signalled(sleeper):
    earlier = of(sleeper)._replace(started=of(sleeper).started - 1)
    assert not identity.alive(earlier)
    assert not identity.send(earlier, signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_signal_reaches_the_process_that_is_meant(sleeper):
    assert identity.send(of(sleeper), signal.SIGTERM)
    assert sleeper.wait(90) == -signal.SIGTERM


def test_no_signal_is_sent_to_process_number_zero_or_below():
    for number in (0, -1):
        nobody = identity.mine()._replace(pid=number)
        assert not identity.send(nobody, signal.SIGTERM)


def test_without_process_descriptors_the_identity_is_still_checked(sleeper, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert not identity.send(of(sleeper)._replace(started=1), signal.SIGKILL)
    assert identity.send(of(sleeper), signal.SIGTERM)
    assert sleeper.wait(90) == -signal.SIGTERM


def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields(tmp_path):
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"], start_new_session=True) as child:
        found = proc.stat(child.pid)
        child.kill()
    assert found is not None
    assert (found.parent, found.group) == (os.getpid(), child.pid)


def test_ps_tells_the_same_as_proc(sleeper):
    by_ps, by_proc = ps.row(sleeper.pid), proc.stat(sleeper.pid)
    assert by_ps is not None
    assert by_proc is not None
    assert by_ps[:1] + by_ps[2:5] == by_proc[:1] + by_proc[2:5]
    assert sleeper.pid in {row[0] for row in ps.rows()}


def test_children_of_every_thread_are_found():
    program = (
        "import subprocess, threading, sys\n"
        "def start(): subprocess.Popen(['sleep', '600']); hold.wait()\n"
        "hold = threading.Event()\n"
        "threading.Thread(target=start).start()\n"
        "sys.stdin.read(); hold.set()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as child:
        while not (found := proc.children(child.pid)):
            os.sched_yield()
        os.kill(found[0], signal.SIGKILL)
        child.communicate()
    assert len(found) == 1
