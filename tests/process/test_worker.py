"""The start of a worker by a fork, for systems whose own way is not certain to make sessions.

What the usual way promises is tested through the supervisor; here both ways promise the same.
"""

import json
import subprocess
import sys

import pytest

from shopfloor.process.launch import PACKAGE_ROOT

# Starts one worker in a process of its own, says what became of it, and waits for its end.
START = """
import json, os, sys
sys.path.append(sys.argv[1])
from shopfloor.process import worker
from shopfloor.process.inbox import Inbox
from shopfloor.process.spec import WorkerSpec
Inbox().renew()
if sys.argv[2] == "fork":
    worker.spawn_one = worker.fork_one
try:
    started = worker.start(WorkerSpec.from_json(sys.stdin.read()))
except worker.NotStartedError as reason:
    print(json.dumps({"reason": str(reason), "cwd": os.getcwd(), "children": CHILDREN}))
    sys.exit()
_, status = os.waitpid(started.pid, 0)
os.set_blocking(started.output, True)
said = b""
while piece := os.read(started.output, 4096):
    said += piece
print(json.dumps({"pid": started.pid, "status": os.waitstatus_to_exitcode(status),
                  "said": said.decode(), "cwd": os.getcwd()}))
""".replace("CHILDREN", "open('/proc/thread-self/children').read().split()")


@pytest.fixture(params=["spawn", "fork"])
def start(request):
    """Start a worker in one of the two ways and answer with what its starter says."""

    def started(spec):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", START, PACKAGE_ROOT, request.param],
            input=spec.to_json().encode(),
            check=True,
            capture_output=True,
            timeout=120,
        )
        return json.loads(done.stdout)

    return started


def test_both_ways_make_a_session_with_output_in_the_pipe(floor, start):
    program = (
        "import os, sys\n"
        "print(os.getsid(0) == os.getpgid(0) == os.getpid() != os.getppid(), os.getcwd(), flush=True)\n"
        "print('error', file=sys.stderr); sys.exit(3)"
    )
    told = start(floor.python(program))
    assert (told["status"], told["said"]) == (3, f"True {floor.folder}\nerror\n")
    assert told["cwd"] == "/"


def test_both_ways_leave_no_signal_ignored_or_blocked(floor, start):
    told = start(floor.spec("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"))
    # Signals 32 and 33 are the C library's own: it lets nobody change them, so they are inherited.
    masks = [int(line.split()[1], 16) & ~0x1_8000_0000 for line in told["said"].splitlines()]
    assert masks == [0, 0]


def test_both_ways_pass_on_the_standard_descriptors_alone(floor, start):
    # The fourth is the listing's own.
    assert start(floor.spec("ls", "/proc/self/fd"))["said"].split() == ["0", "1", "2", "3"]


def test_both_ways_pass_on_the_given_environment_and_the_marker(floor, start):
    spec = floor.spec("env", env={"PATH": "/usr/bin:/bin", "A": "1"})
    expected = {"PATH=/usr/bin:/bin", "A=1", f"SHOPFLOOR_MARKER={spec.marker}"}
    assert set(start(spec)["said"].splitlines()) == expected


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (("no-such-program",), "is not in the worker's PATH"),
        (("/no/such",), "does not exist"),
        (("plain",), "may not be executed"),
        (("./plain",), "may not be executed"),
        (("true", "a\0b"), "NUL"),
        ((), "empty"),
        (("true", "x" * 3_000_000), "too long"),
    ],
)
def test_both_ways_say_why_a_program_does_not_run(floor, start, argv, part):
    (floor.folder / "plain").write_text("#!/bin/sh\n")
    told = start(floor.spec(*argv, env={"PATH": f"/no/such:{floor.folder}:/usr/bin:/bin"}))
    assert part in told["reason"]
    assert (told["cwd"], told["children"]) == ("/", [])
