"""Each part may be killed at any time, and no worker is left that nobody owns."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from shopfloor.process import identity, leftovers, proc, record
from shopfloor.process.launch import PACKAGE_ROOT, Launcher, LaunchError, Pending

# A worker with a child in a session of its own; both say who they are.
WITH_CHILD = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-I', '-S', '-c',\n"
    "    'import time; print(\"child\", flush=True); time.sleep(600)'], start_new_session=True)\n"
    "print('pid', child.pid, flush=True)\n"
    "time.sleep(600)\n"
)


def family(floor, spec):
    """The worker and its child."""
    floor.says(spec, "child")
    floor.says(spec, "pid ")
    number = int(floor.log(spec).split("pid ")[1].split()[0])
    child = identity.of(number)
    assert child is not None
    return [floor.worker(spec), child]


def dead(*processes):
    return not any(identity.alive(one) for one in processes)


def test_when_the_supervisor_is_killed_the_helper_stops_what_it_left(floor):
    spec = floor.python(WITH_CHILD)
    supervisor = floor.go(spec)
    people = family(floor, spec)
    identity.send(supervisor, signal.SIGKILL)
    floor.until(lambda: dead(supervisor, *people))
    assert record.read(spec.run_dir) is None
    told = floor.launcher.notices
    reported = []
    floor.until(lambda: reported.extend(told()) or reported)
    assert people[1] in reported[0].orphans


def test_a_living_supervisor_of_the_same_helper_is_left_alone(floor):
    first, second = floor.python(WITH_CHILD), floor.spec("sh", "-c", "echo up; exec sleep 600")
    supervisor, other = floor.go(first), floor.go(second)
    people = family(floor, first)
    floor.says(second, "up")
    identity.send(supervisor, signal.SIGKILL)
    floor.until(lambda: dead(*people))
    assert identity.alive(other)
    assert identity.alive(floor.worker(second))


def test_when_supervisor_and_helper_are_killed_leftovers_are_found_and_stopped(floor):
    spec = floor.python(WITH_CHILD)
    supervisor = floor.go(spec)
    people = family(floor, spec)
    identity.send(floor.launcher.helper, signal.SIGKILL)
    identity.send(supervisor, signal.SIGKILL)
    floor.until(lambda: dead(supervisor, people[0]))
    assert people[1] in leftovers.find(spec.marker)
    floor.until(lambda: leftovers.stop(spec.marker, [people[0]]))
    assert dead(*people)
    assert leftovers.find(spec.marker, [people[0]]) == []


def test_the_kernel_kills_the_workers_group_with_the_supervisor(floor):
    spec = floor.spec("sh", "-c", "trap '' TERM HUP; sleep 600 & echo pid $!; wait; sleep 60")
    supervisor = floor.go(spec)
    floor.says(spec, "pid ")
    child = identity.of(int(floor.log(spec).split()[1]))
    worker = floor.worker(spec)
    helper = floor.launcher.helper
    identity.send(helper, signal.SIGKILL)
    floor.until(lambda: dead(helper))
    assert identity.alive(worker)
    assert identity.alive(child)
    identity.send(supervisor, signal.SIGKILL)
    floor.until(lambda: dead(supervisor, worker, child))


def test_leftovers_are_found_by_the_workers_session_without_the_marker(floor):
    program = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setpgid(0, 0)\n"
        "    os.execve('/bin/sh', ['sh', '-c', 'echo child $$; exec sleep 600'], {})\n"
        "time.sleep(600)\n"
    )
    spec = floor.python(program)
    supervisor = floor.go(spec)
    floor.says(spec, "child ")
    child = identity.of(int(floor.log(spec).split()[1]))
    worker = floor.worker(spec)
    identity.send(floor.launcher.helper, signal.SIGKILL)
    identity.send(supervisor, signal.SIGKILL)
    floor.until(lambda: dead(supervisor, worker))
    assert leftovers.find(spec.marker) == []
    assert leftovers.find(spec.marker, [worker]) == [child]
    floor.until(lambda: leftovers.stop(spec.marker, [worker]))
    assert dead(child)


def test_a_session_number_that_was_given_again_is_somebody_elses():
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        told = identity.of(stranger.pid)
        assert leftovers.find("", [told]) == [told]
        assert leftovers.find("", [told._replace(started=told.started - 1)]) == []
        assert leftovers.find("", [told._replace(boot_id="another")]) == []
        stranger.kill()


def test_no_marker_finds_nobody():
    assert leftovers.find("") == []
    assert leftovers.stop("no-such-marker")


def test_when_the_helper_is_killed_its_supervisors_go_on(floor):
    spec = floor.spec("sh", "-c", "echo ready; read gone < gate; echo more; exit 6")
    os.mkfifo(floor.folder / "gate")
    floor.go(spec)
    floor.says(spec, "ready")
    identity.send(floor.launcher.helper, signal.SIGKILL)
    floor.until(lambda: dead(floor.launcher.helper))
    (floor.folder / "gate").write_text("go\n")
    ended = floor.ended(spec)
    assert (ended.exit_code, floor.log(spec)) == (6, "ready\nmore\n")


def test_after_the_helper_died_the_next_start_makes_a_new_one(floor):
    assert floor.run(floor.spec("true")).exit_code == 0
    earlier = floor.launcher.helper
    identity.send(earlier, signal.SIGKILL)
    floor.until(lambda: dead(earlier))
    assert floor.run(floor.spec("true")).exit_code == 0
    assert floor.launcher.helper != earlier


def test_a_helper_that_cannot_be_started_is_an_answer(floor):
    broken = Launcher(python="/no/such/python")
    broken.warm()
    (answer,) = broken.start_many([floor.spec("true")])
    assert isinstance(answer, LaunchError)
    assert "/no/such/python" in answer.sentence
    wrong = Launcher(python="/bin/false")
    wrong.warm()
    (answer,) = wrong.start_many([floor.spec("true")])
    assert "helper" in answer.sentence


def test_when_the_dispatcher_dies_before_go_nothing_runs(floor):
    spec = floor.spec("touch", str(floor.folder / "ran"))
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from shopfloor.process.launch import Launcher\n"
        "from shopfloor.process.spec import WorkerSpec\n"
        "launcher = Launcher()\n"
        "(pending,) = launcher.start_many([WorkerSpec.from_json(sys.argv[2])])\n"
        "print(pending.identity.pid, launcher.helper.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, PACKAGE_ROOT, spec.to_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as dispatcher:
        supervisor, helper = (
            identity.of(int(word)) for word in dispatcher.stdout.readline().split()
        )
        assert identity.alive(supervisor)
        dispatcher.kill()
    ended = floor.ended(spec)
    assert (ended.never_started, ended.exit_code, ended.stopped) == (True, None, False)
    assert not (floor.folder / "ran").exists()
    floor.until(lambda: dead(supervisor, helper))


def test_an_abandoned_start_runs_nothing(floor):
    spec = floor.spec("touch", str(floor.folder / "ran"))
    pending = floor.wait_at_pipe(spec)
    pending.abandon()
    assert floor.ended(spec).never_started
    assert not pending.go()
    assert not (floor.folder / "ran").exists()


def test_the_helper_outlives_its_launcher_until_the_last_supervisor_has_gone(floor):
    spec = floor.spec("sh", "-c", "echo ready; exec sleep 600")
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    helper = floor.launcher.helper
    floor.launcher.close()
    assert identity.alive(helper)
    assert identity.alive(floor.worker(spec))
    identity.send(supervisor, signal.SIGTERM)
    assert floor.ended(spec).stopped
    floor.until(lambda: dead(helper, supervisor))


def test_go_says_that_the_supervisor_is_gone(floor):
    pending = floor.wait_at_pipe(floor.spec("true"))
    identity.send(pending.identity, signal.SIGKILL)
    floor.until(lambda: dead(pending.identity))
    assert not pending.go()


def test_a_batch_is_answered_in_order_and_one_go_starts_one_worker(floor):
    specs = [floor.spec("sh", "-c", f"exit {number}") for number in range(100)]
    waiting = floor.launcher.start_many(specs)
    assert all(isinstance(one, Pending) for one in waiting)
    assert [one.run for one in waiting] == [spec.run for spec in specs]
    for one in waiting[::2]:
        assert one.go()
    for number, spec in list(enumerate(specs))[::2]:
        assert floor.ended(spec).exit_code == number
    assert all(identity.alive(one.identity) for one in waiting[1::2])
    for one in waiting[1::2]:
        one.abandon()
    assert all(floor.ended(spec).never_started for spec in specs[1::2])


def test_a_waiting_supervisor_holds_its_own_pipe_and_nothing_of_the_others(floor):
    waiting = floor.launcher.start_many([floor.spec("true") for _ in range(5)])
    people = [one.identity.pid for one in waiting] + [floor.launcher.helper.pid]

    def strangers() -> bool:
        sets = [_links(pid) for pid in people]
        return sum(map(len, sets)) == len(set().union(*sets))

    # A supervisor closes what it inherited as its first act, perhaps a moment after the answer.
    floor.until(strangers)
    assert all(_links(pid) for pid in people)
    for one in waiting:
        one.abandon()


def test_foreign_children_are_never_collected(floor):
    with subprocess.Popen(["sh", "-c", "exit 9"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        for _ in range(5):
            assert floor.run(floor.spec("true")).exit_code == 0
        floor.launcher.notices()
        assert child.wait() == 9


def test_the_dispatcher_has_no_child_to_collect(floor):
    before = set(proc.children(os.getpid()))
    floor.run(floor.spec("true"))
    assert set(proc.children(os.getpid())) <= before


def _links(pid: int) -> set[str]:
    """The pipes and sockets that a process holds."""
    found = set()
    for held in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(held.readlink()))
    return {link for link in found if not link.startswith("/")}
