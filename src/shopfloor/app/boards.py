"""The boards of a home: a folder each, with a small `board.json` that says where the ledger is.

A board is there when its `board.json` is; it is written last when a board is made and the folder is
renamed as a whole when it is removed, so a board is never half there.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from shopfloor.config import Home
from shopfloor.domain.errors import (
    BadConfiguration,
    Conflict,
    Damaged,
    Invalid,
    NotFound,
    Unavailable,
)
from shopfloor.domain.limits import SLUG_CHARS_MAX
from shopfloor.ops.context import BoardInfo

DEFAULT = "default"
ARCHIVE = ".archived"
# What reading a damaged `board.json` raises.
UNREADABLE = (OSError, ValueError, TypeError, AttributeError, KeyError)
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")


class BoardFolder(NamedTuple):
    """One board's folder, and what its `board.json` says."""

    slug: str
    path: Path
    name: str
    url: str | None
    default_workdir: str | None
    created_at: int

    @property
    def database(self) -> Path:
        return self.path / "board.db"

    @property
    def lock(self) -> Path:
        return self.path / "board.lock"

    @property
    def schema(self) -> str:
        """The PostgreSQL schema of a shared board: the same on every host that joins by this name."""
        return f"shopfloor_{self.slug}"


def checked_slug(given: str) -> str:
    """The board's short name in lower case; raises Invalid for what is none."""
    slug = given.lower()
    if len(slug) > SLUG_CHARS_MAX or not _SLUG.fullmatch(slug):
        raise Invalid(
            f"{given!r} is no board name: use 1 to {SLUG_CHARS_MAX} of a-z, 0-9, - and _, "
            "beginning with a letter or digit"
        )
    return slug


class HomeBoards:
    """The boards of one home.

    `prepare` makes a new board's ledger, `made` learns of a board that was made, `release` lets go of one
    that is about to be removed.
    """

    def __init__(
        self,
        home: Home,
        *,
        prepare: Callable[[BoardFolder], None],
        release: Callable[[BoardFolder], None],
        made: Callable[[BoardFolder], None] | None = None,
    ) -> None:
        self._home = home
        self._prepare = prepare
        self._release = release
        self._made = made
        self._current_read: tuple[tuple[int, ...], str | None] = ((), None)

    def folder(self, slug: str) -> BoardFolder:
        """The board of that name; raises NotFound."""
        path = self._home.boards / checked_slug(slug)
        try:
            return _described(path)
        except FileNotFoundError:
            raise NotFound(
                f"there is no board {slug!r} in {self._home.root}; `shop board list` shows what there is"
            ) from None
        except UNREADABLE as wrong:
            raise _unreadable(path, wrong) from None

    def resolve(self, named: str | None) -> BoardFolder:
        """The board that is meant: named, or the usual one; the default one is made when first meant."""
        return self.folder(self._meant(named))

    def outline(self, named: str | None) -> BoardFolder:
        """The place of the board that is meant, for what reads neither its description nor its ledger."""
        slug = checked_slug(self._meant(named))
        return BoardFolder(slug, self._home.boards / slug, slug, None, None, 0)

    def make_default(self) -> None:
        """Make the default board where it is not there."""
        if not (self._home.boards / DEFAULT / "board.json").exists():
            self.create(DEFAULT, name=None, database=None, default_workdir=None)

    def usual(self) -> str:
        """The board used where none is named: the current-board file says, or it is the default one."""
        return self._current() or DEFAULT

    def slugs(self) -> list[str]:
        """The names of all boards that are not archived."""
        if not self._home.boards.is_dir():
            return []
        found = self._home.boards.iterdir()
        return sorted(p.name for p in found if p.name != ARCHIVE and (p / "board.json").is_file())

    def create(
        self, slug: str, *, name: str | None, database: str | None, default_workdir: str | None
    ) -> BoardInfo:
        slug = checked_slug(slug)
        if database is not None and not database.startswith(("postgresql://", "postgres://")):
            raise Invalid(
                "--database takes a postgresql:// address; without it the board is a SQLite file"
            )
        _check_workdir(default_workdir)
        path = self._home.boards / slug
        if (path / "board.json").exists():
            if slug == DEFAULT:
                return self._info(self.folder(slug))
            raise Conflict(f"there is a board {slug!r} already")
        folder = BoardFolder(slug, path, name or slug, database, default_workdir, _now())
        try:
            for part in ("workspaces", "runs", "logs", "attachments"):
                (path / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as wrong:
            raise Unavailable(
                f"the board's folder {path} cannot be made: {wrong.strerror}"
            ) from None
        self._prepare(folder)
        self._write(folder)
        if self._made is not None:
            self._made(folder)
        return self._info(folder)

    def everyone(self, *, archived: bool) -> list[BoardInfo]:
        """All boards; one whose description cannot be read is among them and says why."""
        found = [self._listed(self._home.boards / slug) for slug in self.slugs()]
        shelf = self._home.boards / ARCHIVE
        if archived and shelf.is_dir():
            for description in sorted(shelf.glob("*/board.json")):
                one = self._listed(description.parent)
                found.append(one._replace(archived=True, current=False, default_workdir=None))
        return found

    def get(self, slug: str) -> BoardInfo:
        return self._info(self.folder(slug))

    def switch(self, slug: str) -> BoardInfo:
        folder = self.folder(slug)
        _replace(self._home.current_board, f"{folder.slug}\n".encode())
        return self._info(folder)

    def rename(self, slug: str, name: str) -> BoardInfo:
        folder = self.folder(slug)._replace(name=name)
        self._write(folder)
        return self._info(folder)

    def set_workdir(self, slug: str, path: str | None) -> BoardInfo:
        folder = self.folder(slug)._replace(default_workdir=path or None)
        _check_workdir(folder.default_workdir)
        self._write(folder)
        return self._info(folder)

    def remove(self, slug: str, *, delete: bool) -> str:
        folder = self.folder(slug)
        self._release(folder)
        if self._current() == folder.slug:
            self._home.current_board.unlink(missing_ok=True)
        shelf = self._home.boards / ARCHIVE
        shelf.mkdir(mode=0o700, exist_ok=True)
        place = shelf / f"{folder.slug}-{_now()}"
        folder.path.rename(place)
        if not delete:
            return str(place)
        import shutil  # noqa: PLC0415 - boards are seldom deleted

        shutil.rmtree(place)
        return ""

    def _meant(self, named: str | None) -> str:
        slug = named or self.usual()
        if slug == DEFAULT:
            self.make_default()
        return slug

    def _listed(self, path: Path) -> BoardInfo:
        try:
            return self._info(_described(path))
        except UNREADABLE as wrong:
            slug = path.name
            current = self.usual() == slug
            why = _unreadable(path, wrong).message
            return BoardInfo(
                slug, slug, "", None, None, archived=False, current=current, broken=why
            )

    def _current(self) -> str | None:
        """What the current-board file says; it is read again only when it is another one."""
        path = self._home.current_board
        try:
            seen = os.stat(path)  # noqa: PTH116 - at each request that names no board, and half the price
            stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            if stamp != self._current_read[0]:
                self._current_read = (stamp, path.read_text(encoding="utf-8").strip() or None)
        except FileNotFoundError:
            return None
        return self._current_read[1]

    def _info(self, folder: BoardFolder) -> BoardInfo:
        current = self.usual() == folder.slug
        return BoardInfo(
            folder.slug,
            folder.name,
            "sqlite" if folder.url is None else without_password(folder.url),
            folder.default_workdir,
            folder.created_at,
            archived=False,
            current=current,
        )

    def _write(self, folder: BoardFolder) -> None:
        told = {
            "name": folder.name,
            "database": folder.url,
            "default_workdir": folder.default_workdir,
            "created_at": folder.created_at,
        }
        _replace(folder.path / "board.json", json.dumps(told, indent=2).encode() + b"\n")


def _check_workdir(path: str | None) -> None:
    if path is not None and not path.startswith("/"):
        raise Invalid(f"the default directory {path!r} is not absolute")


def _replace(path: Path, content: bytes) -> None:
    from shopfloor.process.files import write_atomic  # noqa: PLC0415 - boards seldom change

    write_atomic(path, content)


def without_password(url: str) -> str:
    """The address as people may see it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":***@", 1)


def _now() -> int:
    return time.time_ns() // 1_000_000


def private(path: Path) -> None:
    """Make the home's folder for its user alone; raises BadConfiguration where it cannot be made."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as wrong:
        raise BadConfiguration(
            f"the home {path} cannot be made: {wrong.strerror}; set SHOPFLOOR_HOME to a folder of yours"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadConfiguration(
            f"the home {path} cannot be written; set SHOPFLOOR_HOME to a folder of yours"
        )


def _described(path: Path) -> BoardFolder:
    """The board in a folder, as that describes it; raises what `UNREADABLE` names."""
    told = json.loads((path / "board.json").read_text(encoding="utf-8"))
    return BoardFolder(
        path.name,
        path,
        told["name"],
        told.get("database"),
        told.get("default_workdir"),
        told["created_at"],
    )


def _unreadable(path: Path, wrong: Exception) -> Damaged:
    how = f"it has no {wrong}" if isinstance(wrong, KeyError) else str(wrong)
    return Damaged(f"{path / 'board.json'} cannot be read: {how}; mend it, or move {path} away")
