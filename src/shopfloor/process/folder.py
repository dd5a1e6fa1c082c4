"""A run's folder as its supervisor sees it: small files that tell others how the run goes.

| file             | written                           | says                                      |
| ---------------- | --------------------------------- | ----------------------------------------- |
| `worker.json`    | at the start, gone at the end     | the worker's boot, pid and start time     |
| `activity`       | at most every few seconds         | by its time: when the worker did something |
| `exit.json`      | last, synced and renamed          | how it ended (`record.py`)                |
| `supervisor.err` | when the supervisor itself failed | the traceback                             |

`worker.json` turns into the exit record: it is overwritten, synced and renamed.  So the record
needs no new file and no new block at the end, and a disk that filled up meanwhile still takes it.
`guard_refused` is written by the worker's runner and only read here; so are `not_begun` and `not_started`, by
the client of a container.
"""

# Supervisors load this file, and pathlib would cost each of them time and memory.
# ruff: noqa: PTH108, PTH112, PTH123

import contextlib
import json
import os
import time
from typing import Any

from shopfloor.process import proc, record
from shopfloor.process.container_scripts import NOT_BEGUN, NOT_STARTED
from shopfloor.process.identity import Identity

WORKER = "worker.json"
ACTIVITY = "activity"
GUARD_REFUSED = "guard_refused"
FAULT = "supervisor.err"
GUARD_BYTES_MAX = 4096
WORKER_BYTES_MAX = 4096
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None

    def note_worker(self, worker: Identity | None) -> None:
        """Write down who the worker is; it leads the session of the same number.

        Read only when the supervisor died, and a help then, not a condition: a disk that refuses
        it does not stop the run.
        """
        if worker is not None:
            boot, pid, started = worker
            try:
                self._fd = os.open(self._at(WORKER), record.WRITE_FLAGS, 0o600)
                os.write(self._fd, f'["{boot}", {pid}, {started}]'.encode())
            except OSError:
                return

    def recorded_worker(self) -> Identity | None:
        """Return the worker that was written down; None when there is none to be had."""
        try:
            told = json.loads(self._text(WORKER, WORKER_BYTES_MAX) or "null")
        except ValueError:
            return None
        match told:
            case [str(boot), int(pid), int(started)] if pid > 0:
                return Identity(boot, pid, started)
        return None

    def touch_activity(self) -> None:
        """Set the activity file's time to now; a disk that refuses is no reason to stop."""
        with contextlib.suppress(OSError):
            fd = os.open(self._at(ACTIVITY), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.utime(fd)
            finally:
                os.close(fd)

    def guard_refused(self) -> str | None:
        """Return the startup guard's refusal; None when it let the worker go on."""
        # Asked first, because a refusal is rare and the exception for a missing file costs more.
        if not os.access(self._at(GUARD_REFUSED), os.F_OK):
            return None
        return self._text(GUARD_REFUSED, GUARD_BYTES_MAX)

    def begin_failed(self) -> dict[str, Any]:
        """Return what a container's client found of a command that did not begin; empty when it did."""
        if os.access(self._at(NOT_BEGUN), os.F_OK):
            os.unlink(self._at(NOT_BEGUN))
            return {"never_started": True}
        if os.access(self._at(NOT_STARTED), os.F_OK):
            return {"spawn_error": self._text(NOT_STARTED, GUARD_BYTES_MAX)}
        return {}

    def note_fault(self, text: str) -> None:
        """Keep the supervisor's own failure for whoever looks for the reason."""
        with contextlib.suppress(OSError), open(self._at(FAULT), "w", encoding="utf-8") as file:
            file.write(text)

    def write_record(self, name: str, told: record.ExitRecord) -> None:
        """Write the exit record, trying again until the disk takes it.

        There is no end to the trying but a SIGKILL: without the record the end of the run would
        be lost.  Only a folder that is gone cannot take one any more.
        """
        pause_s = RETRY_FIRST_S
        while True:
            try:
                if self._fd is None:
                    self._fd = os.open(self._at(WORKER), record.WRITE_FLAGS, 0o600)
                record.write(self._fd, self._at(WORKER), self._at(name), told)
            except OSError:
                if not os.path.isdir(self._path):
                    return
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MAX_S)
            else:
                return

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)

    def _text(self, name: str, bytes_max: int) -> str | None:
        try:
            data = proc.read(self._at(name), bytes_max)
        except OSError:
            return None
        return None if data is None else data.decode("utf-8", errors="replace")

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"
