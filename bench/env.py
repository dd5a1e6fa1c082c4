"""Where a run of the benchmark keeps its things, and what it starts programs with.

All files are below `.cache/bench` of the repository: the peers' environments stay there, everything
that belongs to one run is removed at its end.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("LANG", "LC_ALL", "TZ", "TERM")


class CouldNotMeasure(Exception):
    """A measurement has no figure, with the reason."""


class Missing(Exception):
    """A peer is not on this machine and could not be had, with the reason."""


@dataclass(frozen=True)
class Env:
    """One run: the repository, the cache, a folder of its own, and whether it should be short.

    `found` remembers which peers are there and which are missing, so that each is looked for once.
    """

    work: Path
    quick: bool
    root: Path = ROOT
    cache: Path = ROOT / ".cache" / "bench"
    python: Path = Path(sys.executable)
    found: dict[str, Path | Missing] = field(default_factory=dict)

    @classmethod
    def make(cls, *, quick: bool) -> Self:
        """A run with a fresh folder."""
        cls.cache.mkdir(parents=True, exist_ok=True)
        return cls(Path(tempfile.mkdtemp(prefix="run-", dir=cls.cache)), quick)

    def __enter__(self) -> Self:
        (self.work / "home").mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

    def folder(self, name: str) -> Path:
        """A fresh folder for this run."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))

    def variables(self) -> dict[str, str]:
        """The environment of every program that is measured: short, and with a home of its own."""
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        path = os.environ.get("PATH", os.defpath)
        return {**kept, "PATH": path, "HOME": str(self.work / "home")}

    def choose(self, full: float, quick: float) -> float:
        """The one amount or the other."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell whoever waits what goes on."""
        print(text, file=sys.stderr, flush=True)
