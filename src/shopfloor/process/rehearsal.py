"""The helper's rehearsal: a supervisor's life, lived a few times before the first one is forked.

When code runs for the first times the interpreter writes into it: what it has learnt of the types there,
and where it found each name.  A supervisor that is forked before that writes all of it anew, and each page
that it writes to is copied: 240 of its 410 pages were copied for that alone.  So the helper lives a few
lives with a worker that does nothing, and all supervisors find written what they would write.

It is for speed alone: where there is no place for it, the helper goes on without.
"""

# The helper loads this file, and pathlib and tempfile would cost every supervisor memory.
# ruff: noqa: PTH102, PTH106, PTH108, PTH118, PTH208

import contextlib
import os

from shopfloor.process.inbox import Inbox
from shopfloor.process.spec import GO, WorkerSpec
from shopfloor.process.supervisor import Supervisor

# CPython 3.11 looks closer at a function when it is called for the eighth time (3.12: the second).
LIVES = 10
# In memory where the system has such a place: each life ends with a record that is synced.
PLACES = ("/dev/shm", "/tmp")  # noqa: S108 - the folder in it is ours alone, or there is no rehearsal
NOTHING = ("/bin/sh", "-c", ":")


def rehearse(inbox: Inbox) -> None:
    """Live a few lives in this process, and leave nothing of them."""
    for place in PLACES:
        folder = os.path.join(place, f"shopfloor-{os.getpid()}")
        with contextlib.suppress(OSError):
            os.mkdir(folder, 0o700)
            try:
                for _ in range(LIVES):
                    _live(inbox, folder)
            finally:
                _remove(folder)
            return


def _live(inbox: Inbox, folder: str) -> None:
    go, tell = os.pipe()
    os.write(tell, GO)
    os.close(tell)
    log = os.path.join(folder, "log")
    told = WorkerSpec(0, NOTHING, {}, "/", folder, log, "rehearsal", environment="0")
    supervisor = Supervisor(WorkerSpec(**told._asdict()), go, inbox)
    supervisor.run()
    supervisor.close()


def _remove(folder: str) -> None:
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)
