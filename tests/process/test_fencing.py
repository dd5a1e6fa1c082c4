"""On a shared board a worker ends when its dispatcher stops renewing, also after a freeze."""

import signal
import threading
import time
from pathlib import Path

from shopfloor.process import identity, proc, syscalls
from shopfloor.process.fence import STAMP_DIGITS, read_stamp
from shopfloor.process.launch import write_fence

WAITS = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60; done")


def fenced(floor, length_ms, *argv):
    path = str(floor.folder / "lease")
    return floor.spec(*(argv or WAITS), fence_path=path, fence_ms=length_ms), path


def test_a_renewal_is_written_and_read_back(tmp_path):
    path = str(tmp_path / "lease")
    before = syscalls.boottime_ns()
    write_fence(path)
    write_fence(path)
    assert before <= read_stamp(path) <= syscalls.boottime_ns()
    assert Path(path).stat().st_size == STAMP_DIGITS + 1


def test_anything_else_in_the_file_is_no_renewal(tmp_path):
    path = tmp_path / "lease"
    for text in (b"", b"12", b"x" * STAMP_DIGITS, b"\xff" * 30, b"9" * 40):
        path.write_bytes(text)
        assert read_stamp(str(path)) is None
    assert read_stamp(str(tmp_path / "missing")) is None


def test_a_worker_that_is_not_renewed_is_killed_at_once(floor):
    spec, path = fenced(floor, 300)
    write_fence(path)
    ended = floor.run(spec)
    assert (ended.fenced, ended.signal, ended.killed) == (True, signal.SIGKILL, True)
    assert not ended.stopped


def test_a_stamp_from_the_future_is_not_believed(floor):
    spec, path = fenced(floor, 300)
    Path(path).write_text(f"{syscalls.boottime_ns() * 2:0{STAMP_DIGITS}d}\n")
    assert floor.run(spec).fenced


def test_a_worker_that_is_renewed_works_to_its_end(floor):
    spec, path = fenced(floor, 2_000, "sleep", "4")
    over = threading.Event()

    def renew() -> None:
        while not over.wait(0.1):
            write_fence(path)

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        ended = floor.run(spec)
    finally:
        over.set()
        renewing.join()
    assert (ended.fenced, ended.exit_code) == (False, 0)


def thawed_too_late(floor):
    """How a worker ended whose supervisor was frozen until its lease was lost and somebody asked it to stop."""
    spec, path = fenced(floor, 2_000)
    write_fence(path)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    write_fence(path)
    renewed = read_stamp(path)
    floor.until(lambda: proc.stat(supervisor.pid).state == "S")
    identity.send(supervisor, signal.SIGSTOP)
    worker = floor.worker(spec)
    floor.until(lambda: syscalls.boottime_ns() > renewed + 2_200_000_000)
    identity.send(supervisor, signal.SIGTERM)
    assert identity.alive(worker)
    identity.send(supervisor, signal.SIGCONT)
    ended = floor.ended(spec)
    assert (ended.fenced, ended.signal) == (True, signal.SIGKILL)
    return ended


def test_a_frozen_supervisor_checks_its_lease_first_of_all_when_it_thaws(floor):
    # The stop does not come first: the lease does, and it kills at once.  A freeze may fall between these two
    # duties, when the lease was still good; it does not five times one after the other.
    assert any(not thawed_too_late(floor).stopped for _ in range(5))


def test_a_supervisor_that_was_frozen_and_renewed_meanwhile_goes_on(floor):
    spec, path = fenced(floor, 60_000)
    write_fence(path)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    worker = floor.worker(spec)
    identity.send(supervisor, signal.SIGSTOP)
    floor.until(lambda: proc.stat(supervisor.pid).state == "T")
    write_fence(path)
    identity.send(supervisor, signal.SIGCONT)
    floor.until(lambda: proc.stat(supervisor.pid).state == "S")
    assert identity.alive(worker)


def test_a_lease_that_ran_out_before_go_starts_nothing(floor):
    spec, path = fenced(floor, 100, "touch", str(floor.folder / "ran"))
    write_fence(path)
    pending = floor.wait_at_pipe(spec)
    ended = floor.ended(spec)
    assert (ended.never_started, ended.fenced) == (True, True)
    floor.until(lambda: not identity.alive(pending.identity))
    assert not pending.go()
    assert not (floor.folder / "ran").exists()


def test_a_fenced_worker_costs_nothing_while_it_is_renewed(floor):
    spec, path = fenced(floor, 60_000)
    write_fence(path)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    before = proc.stat(supervisor.pid).cpu_ticks
    deadline = time.monotonic() + 0.3
    floor.until(lambda: write_fence(path) or time.monotonic() > deadline)
    assert proc.stat(supervisor.pid).cpu_ticks - before <= 1
