"""Removes scratch workspaces, and nothing else, whatever it is asked for.

The program deletes only folders that it made itself: strictly below the `workspaces/` folder of
the board.  The way there is walked from the board's root by descriptors, one name at a time and
never through a symbolic link, so that nothing can be put in place of a checked folder meanwhile.
Links inside are removed and not followed, and what is mounted inside is not entered.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

WORKSPACES = "workspaces"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Removed(NamedTuple):
    """The folder is gone, or was not there."""

    path: str


class LeftAlone(NamedTuple):
    """The folder was not removed, or not all of it, and why."""

    path: str
    warning: str


class _Kept(Exception):
    """Why a folder is not removed."""


def remove_scratch(root: Path, path: Path) -> Removed | LeftAlone:
    """Remove a scratch workspace of the board whose folder is `root`.

    Never raises for what it finds there: a clean-up that fails stops nothing else.
    """
    try:
        _walk_and_remove(root, path)
    except (_Kept, OSError, RecursionError) as error:
        return LeftAlone(str(path), f"{path} was left alone: {_reason(error)}.")
    return Removed(str(path))


def _reason(error: Exception) -> str:
    if isinstance(error, _Kept):
        return str(error)
    if isinstance(error, RecursionError):
        return "its folders are nested too deeply; remove it by hand"
    if isinstance(error, NotADirectoryError):
        return "the way to it leads through a symbolic link or a file"
    return f"{error}; remove it by hand if it may go"


def _walk_and_remove(root: Path, path: Path) -> None:
    names = _names_below(root / WORKSPACES, path)
    if names is None:
        raise _Kept(f"only folders below {root / WORKSPACES} are ever removed")
    held: list[int] = []
    try:
        held.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for name in (WORKSPACES, *names[:-1]):
            held.append(os.open(name, FOLDER, dir_fd=held[-1]))
        if stat.S_ISLNK(os.lstat(names[-1], dir_fd=held[-1]).st_mode):
            raise _Kept("it is a symbolic link")
        _remove(names[-1], held[-1], os.fstat(held[-1]).st_dev)
    except FileNotFoundError:
        # It went before us, or somebody else removes it at the same time.
        if os.path.lexists(path):
            raise
    finally:
        for fd in held:
            os.close(fd)


def _names_below(top: Path, path: Path) -> tuple[str, ...] | None:
    """Return the names that lead from the top to the path; None when it is not strictly below."""
    if not path.is_absolute() or ".." in path.parts or not path.is_relative_to(top):
        return None
    return path.relative_to(top).parts or None


def _remove(name: str, parent: int, device: int) -> None:
    """Remove one name from a folder, and all that is below it."""
    found = os.lstat(name, dir_fd=parent)
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=parent)
        return
    if found.st_dev != device:
        raise _Kept(f"another file system is mounted at {name} inside it")
    if found.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        # Package managers leave folders that forbid writing even to their owner.
        os.chmod(name, stat.S_IRWXU, dir_fd=parent)
    fd = os.open(name, FOLDER, dir_fd=parent)
    try:
        for inside in os.listdir(fd):  # noqa: PTH208 - a descriptor, not a path
            _remove(inside, fd, device)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=parent)
