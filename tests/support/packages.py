"""System packages that suites want: installed where that is allowed, by the scripts for it.

    python -m tests.support.packages [SUITE...]

The gate does this before it begins, so that no test's time goes by while packages are fetched and no two
stages want the same one.  A suite that is run by itself installs what it misses when a test asks for it.
What cannot be had is no failure here: the tests that need it say so when they are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
# Each program and the package that brings it.
CONTAINERS = {"podman": "podman", "runc": "runc", "busybox": "busybox-static"}
CRON = {"crontab": "cron", "cron": "cron"}
SUITES = {"e2e": {**CONTAINERS, **CRON}}


def absent(packages: Mapping[str, str]) -> list[str]:
    """The packages that are not here and cannot be had; what may be installed is installed first."""
    _install(_pairs(packages))
    return [package for program, package in packages.items() if shutil.which(program) is None]


def main(suites: Sequence[str]) -> None:
    """Install what these suites want; what happens is told on the standard error stream."""
    for suite in suites:
        if suite == "web":
            subprocess.run([str(SCRIPTS / "chromium")], stdout=subprocess.DEVNULL, check=False)
        wanted = _pairs(SUITES.get(suite, {}))
        subprocess.run([str(SCRIPTS / "system-packages"), *wanted], check=False)


def _pairs(packages: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{program}:{package}" for program, package in packages.items())


@cache
def _install(pairs: tuple[str, ...]) -> None:
    """Once in a process: what could not be had will not be there a moment later."""
    subprocess.run([str(SCRIPTS / "system-packages"), *pairs], capture_output=True, check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
