"""The gate: runs the stages of `make fast`, `check`, `test`, `test-agents` and `ci`, several at a time.

A stage is one command.  Each prints a line a person can read, with its duration, when it ends; a
failing stage shows its whole output and the others still run, so that one run tells everything
that is wrong.  The last line counts the whole: every test, and every stage that is not made of
tests as one.  A suite that is named here and has no tests fails: nothing is left out silently.

Stages begin in their order, each as soon as there is room for its processes.  There is room for
twice as many as there are cores, because tests of processes and pages wait for half of their time.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
REPORTS = ROOT / ".cache" / "gate"
# Fewer than four would let a machine with one core wait with the tests.
ROOM = max(4, 2 * (os.cpu_count() or 1))
# Python may keep what it compiled: else each of the thousands of programs that tests start does it anew.
SURROUNDINGS = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the gate: a command, or a folder of tests run on so many processes."""

    name: str
    command: tuple[str, ...] = ()
    processes: int = 1
    alone: bool = False

    def room(self) -> int:
        """How many processes are counted for it."""
        return ROOM if self.alone else self.processes

    def line(self) -> list[str]:
        """The command line; a folder of tests also writes the report that is counted."""
        if self.command:
            return [str(BIN / self.command[0]), *self.command[1:]]
        pytest = [str(BIN / "python"), "-m", "pytest", "-q", f"tests/{self.name}"]
        spread = ["-n", str(self.processes)] if self.processes > 1 else []
        return [*pytest, *spread, f"--junitxml={self.report()}"]

    def report(self) -> Path:
        """Where the stage's test results are written."""
        return REPORTS / f"{self.name}.xml"


@dataclass(frozen=True, slots=True)
class Result:
    """What one stage came to."""

    ok: bool
    passed: int
    failed: int
    skipped: int


FAST = (
    Stage("format", ("ruff", "format", "--check", ".")),
    Stage("lint", ("ruff", "check", ".")),
    Stage("types", ("mypy",)),
    Stage("imports", ("lint-imports", "--no-logo")),
    Stage("tidy"),
)
CHECK = (*FAST, Stage("docs-current", ("python", "scripts/docs.py", "--check")), Stage("unit"))
# The longest first, so that short ones fill the end.
TEST = (
    *CHECK,
    Stage("web", processes=2),
    Stage("process", processes=2),
    Stage("kernel", processes=2),
    Stage("surfaces", processes=2),
    Stage("store", processes=2),
    Stage("model", processes=2),
    Stage("mcp", processes=2),
)
# Real agent programs, which most need Node.js: installed at the versions that are pinned, then driven.
# They wait for each other most of the time, so that more of them than there are cores do no harm.
AGENTS = (
    Stage("agent-programs", ("python", "scripts/agents.py"), alone=True),
    Stage("agents", processes=4, alone=True),
)
CI = (*TEST, Stage("e2e", processes=3), *AGENTS)

GATES = {"fast": FAST, "check": CHECK, "test": TEST, "agents": AGENTS, "ci": CI}


def main(arguments: Sequence[str]) -> int:
    """Run the gate that is named and return the exit status."""
    if len(arguments) != 1 or arguments[0] not in GATES:
        print(f"Name one gate of {', '.join(GATES)}.", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    stages = stages_of(arguments[0])
    begun = time.monotonic()
    fetch(stages)
    results = run_all(stages)
    broken = [stage.name for stage, result in zip(stages, results, strict=True) if not result.ok]
    if broken:
        print(f"stages that failed: {', '.join(broken)}")
    print(summary(results, time.monotonic() - begun))
    return 1 if broken else 0


def stages_of(gate: str) -> Sequence[Stage]:
    """The stages of a gate; what CI leaves out on a machine without Node.js is said."""
    if gate != "ci" or shutil.which("node") is not None:
        return GATES[gate]
    print("left out: agents, because Node.js is missing; `make test-agents` says what to install")
    return [stage for stage in CI if stage not in AGENTS]


def fetch(stages: Sequence[Stage]) -> None:
    """Install the system packages that suites want, where that is allowed; what fails they tell."""
    suites = [stage.name for stage in stages if not stage.command]
    subprocess.run(
        [str(BIN / "python"), "-m", "tests.support.packages", *suites], cwd=ROOT, check=False
    )


class Room:
    """How many processes of stages may run at a time."""

    def __init__(self, places: int) -> None:
        """Nothing runs yet."""
        self.free = places
        self.changed = threading.Condition()

    def take(self, places: int) -> None:
        """Wait until there is room for so many."""
        with self.changed:
            self.changed.wait_for(lambda: self.free >= places)
            self.free -= places

    def give_back(self, places: int) -> None:
        """They have ended."""
        with self.changed:
            self.free += places
            self.changed.notify_all()


def run_all(stages: Sequence[Stage]) -> list[Result]:
    """Run the stages, begun in their order; the results are in the same order."""
    room = Room(ROOM)

    def run_one(stage: Stage) -> Result:
        try:
            return run(stage)
        finally:
            room.give_back(stage.room())

    with ThreadPoolExecutor(max_workers=ROOM) as threads:
        running = []
        for stage in stages:
            room.take(stage.room())
            running.append(threads.submit(run_one, stage))
        return [one.result() for one in running]


def run(stage: Stage) -> Result:
    """Run one stage, print its line, and its output if it failed."""
    stage.report().unlink(missing_ok=True)
    begun = time.monotonic()
    done = subprocess.run(
        stage.line(),
        cwd=ROOT,
        env=SURROUNDINGS,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    took = time.monotonic() - begun
    ok = done.returncode == 0
    # A skipped test is never silent: its reason is shown also when all is well.
    skipped = "".join(re.findall(r"^SKIPPED .*\n", done.stdout, re.MULTILINE))
    result = count(stage, ok=ok)
    line = f"{'ok  ' if ok else 'FAIL'} {stage.name:<14} {took:6.1f} s  {figures(result)}\n"
    # One text, because the other stages print theirs at the same time.
    print((skipped if ok else f"{done.stdout.rstrip()}\n") + line, end="", flush=True)
    return result


def count(stage: Stage, *, ok: bool) -> Result:
    """Read the figures of a stage's tests; a stage without a report counts as one."""
    if not stage.report().exists():
        return Result(ok=ok, passed=int(ok), failed=int(not ok), skipped=0)
    # pytest wrote this file a moment ago; it is not from outside.
    suites = ET.parse(stage.report()).getroot().iter("testsuite")  # noqa: S314
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", "0"))
        failed += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        skipped += int(suite.get("skipped", "0"))
    # A suite can break outside its tests: at its end, or because it has none.
    broken_outside = int(not ok and failed == 0)
    return Result(ok, total - failed - skipped, failed + broken_outside, skipped)


def figures(result: Result) -> str:
    """The figures in words: '12 passed, 0 failed', and what was skipped if anything was."""
    skipped = f", {result.skipped} skipped" if result.skipped else ""
    return f"{result.passed} passed, {result.failed} failed{skipped}"


def summary(results: Sequence[Result], took: float) -> str:
    """The last line, for the whole."""
    whole = Result(
        ok=all(result.ok for result in results),
        passed=sum(result.passed for result in results),
        failed=sum(result.failed for result in results),
        skipped=sum(result.skipped for result in results),
    )
    return f"{figures(whole)} in {took:.1f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
