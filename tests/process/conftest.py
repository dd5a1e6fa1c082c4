"""Real workers under real supervisors, below a folder of the test's own.

`floor` starts workers and waits for their ends by condition; at a test's end it leaves no process
behind, whatever the test did.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shopfloor.process import identity, leftovers, proc, record
from shopfloor.process.identity import Identity
from shopfloor.process.launch import Launcher, Pending
from shopfloor.process.record import ExitRecord
from shopfloor.process.spec import WorkerSpec
from tests.support.waiting import eventually

PATH = "/usr/local/bin:/usr/bin:/bin"


class Floor:
    """Starts workers for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.launcher = Launcher()
        self.runs = 0
        self.started: list[tuple[WorkerSpec, Identity]] = []

    def spec(self, *argv: str, **changes: Any) -> WorkerSpec:
        self.runs += 1
        run_dir = self.folder / "runs" / str(self.runs)
        run_dir.mkdir(parents=True, exist_ok=True)
        made = WorkerSpec(
            run=self.runs,
            argv=argv,
            env={"PATH": PATH},
            cwd=str(self.folder),
            run_dir=str(run_dir),
            log_path=str(self.folder / "logs" / f"{self.runs}.log"),
            marker=f"{self.folder.name}-{os.getpid()}-{self.runs}",
        )
        return made._replace(**changes)

    def python(self, program: str, **changes: Any) -> WorkerSpec:
        return self.spec(sys.executable, "-I", "-S", "-c", program, **changes)

    def wait_at_pipe(self, spec: WorkerSpec) -> Pending:
        (pending,) = self.launcher.start_many([spec])
        assert isinstance(pending, Pending), pending
        self.started.append((spec, pending.identity))
        return pending

    def go(self, spec: WorkerSpec) -> Identity:
        pending = self.wait_at_pipe(spec)
        assert pending.go()
        return pending.identity

    def run(self, spec: WorkerSpec) -> ExitRecord:
        self.go(spec)
        return self.ended(spec)

    def ended(self, spec: WorkerSpec) -> ExitRecord:
        found = eventually(lambda: record.read(spec.run_dir, spec.record))
        assert found is not None
        return found

    def log(self, spec: WorkerSpec) -> str:
        path = Path(spec.log_path)
        return path.read_text() if path.exists() else ""

    def says(self, spec: WorkerSpec, text: str) -> None:
        self.until(lambda: text in self.log(spec))

    def worker(self, spec: WorkerSpec) -> Identity:
        found = eventually(lambda: leftovers.recorded(spec.run_dir))
        assert found is not None
        return found

    def until(self, holds: Callable[[], object]) -> None:
        eventually(holds)

    def close(self) -> None:
        helper = self.launcher.helper
        self.launcher.close()
        for spec, supervisor in self.started:
            identity.send(supervisor, signal.SIGKILL)
            worker = leftovers.recorded(spec.run_dir)
            sessions = [worker] if worker is not None else []
            self.until(lambda spec=spec, sessions=sessions: leftovers.stop(spec.marker, sessions))  # type: ignore[misc]
        if helper is not None:
            self.until(lambda: not identity.alive(helper))


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.close()


@pytest.fixture
def nobody_from(floor: Floor) -> Callable[[str], None]:
    """Check that no process lives whose command line holds this text."""

    def check(text: str) -> None:
        floor.until(lambda: not [one for one in proc.everyone() if _says(one, text)])

    return check


def _says(one: proc.Stat, text: str) -> bool:
    line = proc.read(f"/proc/{one.pid}/cmdline", 65_536) or b""
    return not one.dead and one.pid != os.getpid() and text.encode() in line
