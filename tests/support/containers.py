"""A container engine of the tests' own: storage in a folder, images from static programs, no network.

Podman with runc is what works without a network and without a service, also in a container.  It is
installed where that is allowed; elsewhere each of these tests is skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.home import Home, home_in
from tests.support.packages import CONTAINERS, absent

APPLETS = [
    "cat",
    "cut",
    "env",
    "false",
    "id",
    "ls",
    "printf",
    "ps",
    "pwd",
    "rm",
    "seq",
    "setsid",
    "sh",
    "sleep",
    "test",
    "touch",
    "true",
]
TIMEOUT_S = 250.0
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4000:4000"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
lock_type = "file"
"""


class Engine:
    """Podman with a store of its own, and an image `box` whose shell is busybox's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        places = f'tmp_dir = "{folder}/tmp"\nstatic_dir = "{folder}/static"\n'
        (folder / "containers.conf").write_text(CONTAINERS_CONF + places)
        # By arguments, because what podman starts when a container ends gets those and not the environment.
        self._program = folder / "bin" / "podman"
        self._program.parent.mkdir()
        store = f"--root={folder}/graph --runroot={folder}/run --storage-driver=vfs"
        self._program.write_text(f'#!/bin/sh\nexec {shutil.which("podman")} {store} "$@"\n')
        self._program.chmod(0o755)
        self.environment = {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "PATH": f"{self._program.parent}:{os.environ['PATH']}",
        }
        self.add_image("box", {})

    def podman(self, *words: str, given: bytes = b"") -> str:
        """What a podman command prints; one that fails is a failure."""
        done = subprocess.run(
            [str(self._program), *words],
            env={**os.environ, **self.environment},
            input=given,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def names(self) -> list[str]:
        """All containers, running or not."""
        return self.podman("ps", "--all", "--format", "{{.Names}}").split()

    def add_image(self, name: str, programs: dict[str, str], change: str = "WORKDIR /") -> None:
        """An image of busybox with more programs of this machine, each with its libraries."""
        tree = BytesIO()
        with tarfile.open(fileobj=tree, mode="w") as tar:
            busybox = shutil.which("busybox")
            assert busybox is not None
            tar.add(os.path.realpath(busybox), "bin/busybox")
            for applet in APPLETS:
                if applet not in programs:
                    link = tarfile.TarInfo(f"bin/{applet}")
                    link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(link)
            for applet, path in programs.items():
                tar.add(os.path.realpath(path), f"bin/{applet}")
                for library in _libraries(path):
                    tar.add(os.path.realpath(library), library.lstrip("/"))
            folder = tarfile.TarInfo("tmp")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(folder)
        self.podman("import", "--change", change, "-", name, given=tree.getvalue())

    def close(self) -> None:
        """Remove what is left; nothing should be."""
        self.podman("rm", "--all", "--force", "--time", "0")
        shutil.rmtree(self.folder, ignore_errors=True)


def an_engine() -> Iterator[Engine]:
    """An engine for some tests, or their skip; podman wants its folder's path to be short."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    engine = Engine(Path(tempfile.mkdtemp(prefix="shop-", dir="/tmp")))
    try:
        yield engine
    finally:
        engine.close()


def home_with(engine: Engine, folder: Path) -> Iterator[Home]:
    """A home for a fixture whose orders find the engine; it fails the test that leaves a container behind."""
    for found in home_in(folder):
        found.environment |= engine.environment
        yield found
        found.environment |= engine.environment
    assert engine.names() == [], "a container was left behind"


def missing() -> str | None:
    """Why there is no engine here; what may be installed is installed first."""
    lacking = absent(CONTAINERS)
    if lacking:
        return f"containers need {', '.join(lacking)}, and this user may not install them"
    if os.getuid() != 0:
        return "podman with runc and without a network is set up for root only"
    return None


def _libraries(path: str) -> list[str]:
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return [word for word in said.split() if word.startswith("/")]
