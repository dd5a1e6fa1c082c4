"""The helper's rehearsal: it leaves nothing, takes no harm, and saves what it is for."""

import subprocess
import sys
from pathlib import Path

from shopfloor.process import proc

LIVED = """
import gc, os, resource, sys
from shopfloor.process import rehearsal
from shopfloor.process.inbox import Inbox

def pages_copied_by_a_child():
    reading, writing = os.pipe()
    if os.fork() == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        rehearsal.LIVES = 1
        inbox.renew()
        rehearsal.rehearse(inbox)
        os.write(writing, b"%d" % (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))
        os._exit(0)
    os.wait()
    return int(os.read(reading, 100))

rehearsal.PLACES = tuple(sys.argv[1:])
inbox = Inbox()
gc.disable()
unrehearsed = pages_copied_by_a_child()
descriptors = sorted(os.listdir("/dev/fd"))
rehearsal.rehearse(inbox)
assert sorted(os.listdir("/dev/fd")) == descriptors, os.listdir("/dev/fd")
try:
    os.wait()
except ChildProcessError:
    print(unrehearsed, pages_copied_by_a_child())
"""


def copied(*places: Path) -> tuple[int, int]:
    """How many pages a first life copies before a rehearsal, and after it."""
    told = subprocess.run(
        [sys.executable, "-c", LIVED, *map(str, places)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    before, after = told.stdout.split()
    return int(before), int(after)


def test_it_leaves_no_file_no_child_and_no_descriptor_and_spares_the_children(
    tmp_path: Path,
) -> None:
    before, after = copied(tmp_path / "missing", tmp_path)

    assert list(tmp_path.iterdir()) == []
    if proc.HAS_PROC:
        assert after < before


def test_it_is_left_out_where_there_is_no_place(tmp_path: Path) -> None:
    copied(tmp_path / "missing")

    assert list(tmp_path.iterdir()) == []
