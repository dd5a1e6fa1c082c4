"""What the workers of `worker.py` wrote down, and what must be true of it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

WORKER = str(Path(__file__).with_name("worker.py"))


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that others write meanwhile; none where it is not there yet.

    One whose end is not there yet does not count: it may be cut anywhere.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text.split("\n")[:-1]


class Notes:
    """The file in which a test's workers note their starts and ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def worker(self, *steps: str) -> list[str]:
        """The command line of a worker that does these steps."""
        return [sys.executable, "-I", "-S", WORKER, str(self.path), *steps]

    def lines(self) -> list[list[str]]:
        """[what, task, run] of every note, in the order in which they were written."""
        return [line.split() for line in whole_lines(self.path)]

    def count(self, what: str, task: int | None = None) -> int:
        """How often something was noted, by any task or by one."""
        return sum(
            line[0] == what and (task is None or line[1] == str(task)) for line in self.lines()
        )

    def runs(self, what: str) -> Counter[int]:
        """How often each run noted something."""
        return Counter(int(line[2]) for line in self.lines() if line[0] == what)

    def most_at_once(self) -> int:
        """The most workers that lived at the same moment; only for workers that all noted their ends."""
        living = most = 0
        for what, *_ in self.lines():
            living += {"start": 1, "end": -1}.get(what, 0)
            most = max(most, living)
        return most

    def nothing_overlapped(self) -> None:
        """No worker of a task started while a process of an earlier one lived."""
        assert self.count("overlap") == 0, self.lines()
