"""The whole ledger as a file of lines, and one that is kept current.

A file that is followed is appended to in pieces that end with a line of a cursor.  What a kill left behind the
last such line is cut off at the next start, which goes on from there: nothing is lost, nothing is there
twice.  Who follows holds a lock on the file, so that a second one is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

from shopfloor.domain.errors import Invalid
from shopfloor.surfaces.cli.asking import Desk
from shopfloor.surfaces.cli.chain import written
from shopfloor.surfaces.cli.console import Console, one_line
from shopfloor.surfaces.cli.follow import AT_ONCE_S, PAUSE_S, WAIT_S, patiently
from shopfloor.surfaces.cli.parser import Said

CURSOR = b'{"cursor":'


def export(desk: Desk, args: dict[str, Any], said: Said, console: Console) -> int:
    """Write the ledger of one moment; with --follow, then what changes, until Ctrl-C."""
    path = said.flags.output
    if not said.flags.follow:
        _write(desk, args, path, console)
        return 0
    with closing(_Kept(path) if path else _Printed(console)) as lines:
        cursor = lines.resumed()
        if cursor is not None:
            console.tell(f"going on with {one_line(path)} behind event {cursor['event']}")
        else:
            written_up_to = _write(desk, args, path, console)
            # What has the name now is kept, even if somebody else was writing there at the same time.
            cursor = lines.resumed() or written_up_to
        with suppress(KeyboardInterrupt):
            # Ctrl-C is how following ends, and no failure.
            _follow(desk, cursor, lines, console)
    return 0


def _write(desk: Desk, args: dict[str, Any], path: str | None, console: Console) -> dict[str, Any]:
    """Write the ledger of one moment; the cursor of its last line."""
    count, last = 0, ""
    with written(path, console) as file:
        for last in _snapshot(desk, args):
            file.write(f"{last}\n".encode())
            count += 1
    if path:
        console.tell(f"{count} line(s) written to {one_line(path)}")
    cursor: dict[str, Any] = json.loads(last)["cursor"]
    return cursor


def _snapshot(desk: Desk, args: dict[str, Any]) -> Iterator[str]:
    """All lines, a part at a time; the last one has the cursor."""
    asked = dict(args)
    while True:
        part = desk.answer("ledger.export", asked)
        yield from part["lines"]
        if part["next"] is None:
            return
        asked = {"export": part["export"], "offset": part["next"]}


def _follow(desk: Desk, cursor: dict[str, Any], lines: _Kept | _Printed, console: Console) -> None:
    while True:
        begun = time.monotonic()
        found = patiently(
            lambda c=cursor: desk.answer("ledger.changes", {"cursor": c, "wait_s": WAIT_S}),  # type: ignore[misc]
            console,
        )
        if found["lines"]:
            lines.append("".join(f"{line}\n" for line in found["lines"]).encode())
            cursor = json.loads(found["lines"][-1])["cursor"]
        if not found["more"] and time.monotonic() - begun < AT_ONCE_S:
            # What comes close together is written together; and where no door is open, nothing waits for us.
            time.sleep(PAUSE_S)


class _Printed:
    """What changes, on standard output."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def append(self, data: bytes) -> None:
        self._console.write_bytes(data)
        self._console.flush()

    def resumed(self) -> None:
        """Nothing is gone on with there."""

    def close(self) -> None:
        """It is not ours to close."""


class _Kept:
    """The file that is kept current, ours alone; where it was moved away, a new one takes its place."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._place = Path(path).expanduser()
        self._file: BinaryIO | None = None

    def resumed(self) -> dict[str, Any] | None:
        """The last cursor of the file, what stands behind it cut off; None to begin anew."""
        if not self._place.exists():
            return None
        try:
            file = self._ours()
            found = _last_cursor(file)
            if found is None:
                if self._place.stat().st_size:
                    raise Invalid(
                        f"{self._path!r} is no export that could be gone on with; name another file, or remove it"
                    )
                return None
            cursor, end = found
            file.truncate(end)
        except OSError as wrong:
            raise Invalid(f"{self._path!r} cannot be read: {wrong.strerror or wrong}") from None
        else:
            return cursor

    def append(self, data: bytes) -> None:
        """Write a piece at the end; it is on the disk then."""
        try:
            file = self._ours()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError as wrong:
            raise Invalid(f"{self._path!r} cannot be written: {wrong.strerror or wrong}") from None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _ours(self) -> BinaryIO:
        """The file that has the name now, locked; raises Invalid where somebody else keeps it."""
        if self._file is None or not self._is_there(self._file):
            if self._file is not None:
                self._file.close()
            self._file = self._place.open("ab+")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Invalid(
                    f"another process keeps {self._path!r} current; name another file"
                ) from None
        return self._file

    def _is_there(self, file: BinaryIO) -> bool:
        """Whether the file still has its name."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._place.stat())
        except FileNotFoundError:
            return False


def _last_cursor(file: BinaryIO) -> tuple[dict[str, Any], int] | None:
    found = None
    end = 0
    file.seek(0)
    for line in file:
        end += len(line)
        if line.startswith(CURSOR) and line.endswith(b"}\n"):
            found = line, end
    return None if found is None else (json.loads(found[0])["cursor"], found[1])
