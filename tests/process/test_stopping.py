"""The stop ladder: everything below a supervisor ends, whatever it does against it."""

import os
import signal
import time

from shopfloor.process import identity, proc

DEAF = "trap '' TERM; echo ready; while :; do sleep 600; done"
# Leaves group, session, parent and environment, as agents' helpers do.
# The worker's first process ends when its runaway says that it is there, and is alone.
RUNAWAY = """
import os, sys, time
if os.fork():
    while not os.path.exists(UP): time.sleep(0.01)
    os._exit(0)
os.setsid()
between = os.getpid()
if os.fork(): os._exit(0)
while os.getppid() == between: time.sleep(0.01)
os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", PROGRAM], {})
"""


def runaway(floor, name: str, *, deaf: bool = False) -> str:
    up = str(floor.folder / "up")
    ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if deaf else ""
    program = f"'{name}'\n{ignores}import time; open({up!r}, 'w'); time.sleep(600)"
    return RUNAWAY.replace("PROGRAM", repr(program)).replace("UP", repr(up))


def test_a_stop_lets_the_worker_end_itself(floor):
    spec = floor.spec(
        "sh", "-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    )
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    assert identity.send(supervisor, signal.SIGTERM)
    ended = floor.ended(spec)
    assert (ended.stopped, ended.exit_code, ended.killed) == (True, 3, False)
    assert "bye" in floor.log(spec)


def test_a_worker_deaf_to_sigterm_is_killed_after_its_grace(floor):
    spec = floor.spec("sh", "-c", DEAF, grace_ms=200)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    identity.send(supervisor, signal.SIGTERM)
    ended = floor.ended(spec)
    assert (ended.stopped, ended.signal, ended.killed) == (True, signal.SIGKILL, True)


def test_a_worker_that_somebody_stopped_is_woken_to_hear_of_its_end(floor):
    spec = floor.spec("sh", "-c", "trap 'exit 4' TERM; echo ready; kill -STOP $$; sleep 600")
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    worker = floor.worker(spec)
    floor.until(lambda: (found := proc.stat(worker.pid)) is not None and found.state == "T")
    identity.send(supervisor, signal.SIGTERM)
    ended = floor.ended(spec)
    assert (ended.stopped, ended.exit_code, ended.killed) == (True, 4, False)


def test_a_worker_hears_sigterm_once(floor):
    program = (
        "import os, signal, subprocess, sys, time\n"
        "heard = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: heard.append(1))\n"
        "print('ready', flush=True)\n"
        "while not heard: signal.pause()\n"
        "deadline = time.monotonic() + 0.3\n"
        "while time.monotonic() < deadline: time.sleep(0.01)\n"
        "sys.exit(len(heard))\n"
    )
    spec = floor.python(program)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    identity.send(supervisor, signal.SIGTERM)
    assert floor.ended(spec).exit_code == 1


def test_the_maximum_runtime_ends_a_worker(floor):
    ended = floor.run(floor.spec("sleep", "600", max_runtime_ms=100))
    assert (ended.timed_out, ended.signal, ended.stopped) == (True, signal.SIGTERM, False)


def test_the_maximum_runtime_ends_a_deaf_worker_with_its_helpers(floor, nobody_from):
    argv = ("sh", "-c", f'sh -c "{DEAF} # of-{os.getpid()}"')
    # A slow machine is given more time to become deaf.
    for limit_ms in (200, 1_000, 5_000, 25_000):
        spec = floor.spec(*argv, max_runtime_ms=limit_ms, grace_ms=200)
        ended = floor.run(spec)
        if "ready" in floor.log(spec):
            break
    assert (ended.timed_out, ended.killed) == (True, True)
    nobody_from(f"of-{os.getpid()}")


def test_after_a_verdict_a_worker_may_leave_by_itself(floor):
    spec = floor.spec("sh", "-c", 'echo ready; read gone < "$GATE"', leave_grace_ms=60_000)
    gate = floor.folder / "gate"
    os.mkfifo(gate)
    supervisor = floor.go(spec._replace(env={**spec.env, "GATE": str(gate)}))
    floor.says(spec, "ready")
    identity.send(supervisor, signal.SIGUSR1)
    gate.write_text("go\n")
    ended = floor.ended(spec)
    assert (ended.left_late, ended.exit_code, ended.signal) == (False, 0, None)


def test_after_a_verdict_a_worker_that_stays_is_stopped(floor):
    spec = floor.spec("sh", "-c", "echo ready; exec sleep 600", leave_grace_ms=100)
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    identity.send(supervisor, signal.SIGUSR1)
    ended = floor.ended(spec)
    assert (ended.left_late, ended.stopped, ended.signal) == (True, False, signal.SIGTERM)


def test_a_stop_before_go_means_that_nothing_runs(floor):
    spec = floor.spec("touch", str(floor.folder / "ran"))
    pending = floor.wait_at_pipe(spec)
    assert identity.send(pending.identity, signal.SIGTERM)
    ended = floor.ended(spec)
    assert (ended.never_started, ended.stopped, ended.exit_code) == (True, True, None)
    floor.until(lambda: not identity.alive(pending.identity))
    assert not pending.go()
    assert not (floor.folder / "ran").exists()


def test_a_stop_at_the_moment_of_go_is_not_lost(floor):
    for _ in range(20):
        spec = floor.spec("sleep", "600")
        pending = floor.wait_at_pipe(spec)
        pending.go()
        identity.send(pending.identity, signal.SIGTERM)
        ended = floor.ended(spec)
        assert ended.stopped
        assert ended.never_started or ended.signal == signal.SIGTERM


def test_a_verdict_before_go_is_not_lost(floor):
    spec = floor.spec("sleep", "600", leave_grace_ms=50)
    pending = floor.wait_at_pipe(spec)
    identity.send(pending.identity, signal.SIGUSR1)
    assert pending.go()
    assert floor.ended(spec).left_late


def test_what_a_worker_leaves_behind_is_stopped_before_its_record(floor, nobody_from):
    name = f"stay-{os.getpid()}"
    ended = floor.run(floor.python(runaway(floor, name)))
    assert (ended.exit_code, ended.leftovers, ended.killed, ended.stopped) == (0, 1, False, False)
    nobody_from(name)


def test_a_runaway_deaf_to_sigterm_with_an_empty_environment_is_gone(floor, nobody_from):
    name = f"stay-{os.getpid()}"
    ended = floor.run(floor.python(runaway(floor, name, deaf=True), grace_ms=200))
    assert (ended.exit_code, ended.leftovers, ended.killed) == (0, 1, True)
    nobody_from(name)


def test_a_worker_that_had_ended_when_the_stop_came_was_not_stopped(floor):
    spec = floor.spec("sh", "-c", "echo ready; read gone < gate; exit 3")
    os.mkfifo(floor.folder / "gate")
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    worker = floor.worker(spec)
    # A frozen supervisor learns of both at once.
    identity.send(supervisor, signal.SIGSTOP)
    floor.until(lambda: proc.stat(supervisor.pid).state == "T")
    (floor.folder / "gate").write_text("go\n")
    floor.until(lambda: not identity.alive(worker))
    identity.send(supervisor, signal.SIGTERM)
    identity.send(supervisor, signal.SIGCONT)
    ended = floor.ended(spec)
    assert (ended.exit_code, ended.stopped, ended.killed) == (3, False, False)


def test_a_stop_during_the_clearing_does_not_change_how_the_worker_ended(floor):
    deaf = f"import signal, time; signal.signal(15, signal.SIG_IGN); open('{floor.folder}/up', 'w'); time.sleep(600)"
    program = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        f"    os.execv(sys.executable, [sys.executable, '-I', '-S', '-c', {deaf!r}])\n"
        f"while not os.path.exists('{floor.folder}/up'): time.sleep(0.01)\n"
    )
    spec = floor.python(program, grace_ms=1_000)
    supervisor = floor.go(spec)
    worker = floor.worker(spec)
    floor.until(lambda: not identity.alive(worker))
    identity.send(supervisor, signal.SIGTERM)
    ended = floor.ended(spec)
    assert (ended.exit_code, ended.stopped, ended.killed) == (0, False, True)


def test_a_fork_bomb_is_stopped(floor, nobody_from):
    name = f"bomb-{os.getpid()}"
    program = (
        f"'{name}'\n"
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "end = time.monotonic() + 60\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0 and _ % 2: os.setsid()\n"
        "print('up', flush=True)\n"
        # Bounded to these 64 at a time: each starts one that takes its own place.
        "while time.monotonic() < end:\n"
        "    time.sleep(0.05)\n"
        "    if os.fork(): os._exit(0)\n"
    )
    spec = floor.python(program, grace_ms=300)
    ended = floor.run(spec)
    assert ended.killed
    assert ended.leftovers > 0
    nobody_from(name)


def test_an_idle_supervisor_costs_nothing(floor):
    spec = floor.spec("sh", "-c", "echo ready; exec sleep 600")
    supervisor = floor.go(spec)
    floor.says(spec, "ready")
    floor.until(lambda: (found := proc.stat(supervisor.pid)) is not None and found.state == "S")

    def quiet() -> bool:
        switches = _switches(supervisor.pid)
        deadline = time.monotonic() + 0.5
        floor.until(lambda: time.monotonic() > deadline)
        return _switches(supervisor.pid) - switches <= 2

    # One that polls is never quiet; what the start has left to do may come late.
    floor.until(quiet)


def _switches(pid: int) -> int:
    text = proc.read(f"/proc/{pid}/status", 65_536) or b""
    return sum(int(line.split()[1]) for line in text.splitlines() if b"ctxt_switches" in line)
