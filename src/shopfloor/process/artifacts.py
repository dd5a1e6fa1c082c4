"""Copies the files that a worker declared as its results out of its workspace.

A name is relative to the workspace and stays inside it, also through symbolic links.  What cannot
be copied is reported with the reason, so that the worker can correct it.
"""

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from shopfloor.domain.limits import ATTACHMENT_BYTES_MAX
from shopfloor.process.files import store_unique


class Stored(NamedTuple):
    """A declared file and its copy."""

    name: str
    path: Path
    size: int


class Missing(NamedTuple):
    """A declared file that was not copied, and why."""

    name: str
    reason: str


class Collected(NamedTuple):
    """What became of the declared files, in their order."""

    stored: tuple[Stored, ...]
    missing: tuple[Missing, ...]


class _NotTaken(Exception):
    """Why a declared file is not copied."""


def collect(
    workspace: Path,
    names: Iterable[str],
    target: Path,
    *,
    taken: Collection[str] = (),
    size_max: int = ATTACHMENT_BYTES_MAX,
) -> Collected:
    """Copy declared files into the target folder; a name that is taken gets a number."""
    stored: list[Stored] = []
    missing: list[Missing] = []
    for name in names:
        try:
            data = _contents(workspace, name, size_max)
        except _NotTaken as why:
            missing.append(Missing(name, str(why)))
        else:
            target.mkdir(parents=True, exist_ok=True)
            stored.append(Stored(name, store_unique(target, name, data, taken), len(data)))
    return Collected(tuple(stored), tuple(missing))


def _contents(workspace: Path, name: str, size_max: int) -> bytes:
    if not name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise _NotTaken(f"{name!r} is not a relative path inside the workspace.")
    try:
        fd = _open_inside(workspace.resolve(strict=True), name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _NotTaken(f"{name} is not in the workspace {workspace}.") from error
    except (OSError, RuntimeError) as error:
        raise _NotTaken(f"{name} cannot be read: {error}.") from error
    with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        data = file.read(size_max + 1)
    if len(data) > size_max:
        raise _NotTaken(f"{name} is larger than {size_max} bytes; make it smaller or split it.")
    return data


def _open_inside(top: Path, name: str) -> int:
    """Open a plain file below the workspace; the caller closes it."""
    real = (top / name).resolve(strict=True)
    if not real.is_relative_to(top):
        raise _NotTaken(f"{name} leads out of the workspace through a symbolic link.")
    # Without waiting for a writer, should it be a pipe.
    fd = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if _still_inside(fd, top) and stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise _NotTaken(f"{name} is not a file; name the files inside it one by one.")


def _still_inside(fd: int, top: Path) -> bool:
    """Ask the kernel which file was opened: a folder on the way may have been exchanged since."""
    link = Path(f"/proc/self/fd/{fd}")
    return not link.exists() or link.resolve().is_relative_to(top)
