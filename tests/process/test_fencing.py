"""On a shared board a worker ends when its dispatcher stops renewing, also after a freeze."""

import signal
import threading
import time
from itertools import pairwise
from pathlib import Path

from shopfloor.process import identity, leftovers, proc, record, syscalls
from shopfloor.process.fence import STAMP_DIGITS, read_stamp
from shopfloor.process.launch import write_fence

WAITS = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done")


# A slow machine is given more and more time for what has to happen within a lease.
LENGTHS_MS = (300, 1_500, 6_000, 30_000)


def fenced(floor, length_ms, *argv):
    path = str(floor.folder / "lease")
    return floor.spec(*(argv or WAITS), fence_path=path, fence_ms=length_ms), path


def unrenewed(floor, stamp):
    """How a worker ended that was started within its lease, which nobody renewed; `stamp` prepares the file."""
    for length_ms in LENGTHS_MS:
        spec, path = fenced(floor, length_ms)
        stamp(path)
        floor.wait_at_pipe(spec).go()
        ended = floor.ended(spec)
        if not ended.never_started:
            return ended
    raise AssertionError(f"no worker could be started within {LENGTHS_MS[-1]} ms")


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
    ended = unrenewed(floor, write_fence)
    assert (ended.fenced, ended.signal, ended.killed) == (True, signal.SIGKILL, True)
    assert not ended.stopped


def test_a_stamp_from_the_future_is_not_believed(floor):
    late = f"{syscalls.boottime_ns() * 2:0{STAMP_DIGITS}d}\n"
    assert unrenewed(floor, lambda path: Path(path).write_text(late)).fenced


def test_a_worker_that_is_renewed_works_to_its_end(floor):
    for length_ms in LENGTHS_MS:
        spec, path = fenced(floor, length_ms, "sleep", str(2 * length_ms / 1000))
        ended, longest_ns = run_renewed(floor, spec, path)
        if longest_ns < length_ms * 1_000_000 / 2:
            break
    assert (ended.fenced, ended.exit_code) == (False, 0)


def run_renewed(floor, spec, path):
    """How a worker ended that was renewed all the time, and the longest that a renewal let it wait."""
    over = threading.Event()
    moments = [syscalls.boottime_ns()]

    def renew() -> None:
        while not over.wait(0.01):
            write_fence(path)
            moments.append(syscalls.boottime_ns())

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        floor.wait_at_pipe(spec).go()
        ended = floor.ended(spec)
    finally:
        over.set()
        renewing.join()
    moments.append(syscalls.boottime_ns())
    return ended, max(later - earlier for earlier, later in pairwise(moments))


def frozen(floor):
    """A worker whose supervisor was frozen before the lease ended, with its lease."""
    for length_ms in LENGTHS_MS:
        spec, path = fenced(floor, length_ms)
        write_fence(path)
        pending = floor.wait_at_pipe(spec)
        pending.go()
        supervisor = pending.identity
        floor.until(lambda spec=spec: "ready" in floor.log(spec) or record.read(spec.run_dir))
        write_fence(path)
        floor.until(lambda it=supervisor: state(it) != "R")
        identity.send(supervisor, signal.SIGSTOP)
        floor.until(lambda it=supervisor: state(it) in (None, "T"))
        worker = leftovers.recorded(spec.run_dir)
        if worker is not None and identity.alive(worker):
            return spec, supervisor, worker, read_stamp(path) + length_ms * 1_000_000
    raise AssertionError(f"no supervisor could be frozen within {LENGTHS_MS[-1]} ms")


def state(process):
    """What a process does, in the kernel's letter; None when it has gone."""
    found = proc.stat(process.pid) if identity.alive(process) else None
    return None if found is None else found.state


def thawed_too_late(floor):
    """How a worker ended whose supervisor was frozen until its lease was lost and somebody asked it to stop."""
    spec, supervisor, worker, lost_ns = frozen(floor)
    floor.until(lambda: syscalls.boottime_ns() > lost_ns + 200_000_000)
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

    def quiet() -> bool:
        before = proc.stat(supervisor.pid).cpu_ticks
        deadline = time.monotonic() + 0.3
        floor.until(lambda: write_fence(path) or time.monotonic() > deadline)
        return proc.stat(supervisor.pid).cpu_ticks - before <= 1

    # One that looks at each renewal is never quiet; what the start has left to do may come late.
    floor.until(quiet)
