"""The whole ledger as a file of lines, and one that is kept current.

A file that is followed is appended to in pieces that end with a line of a cursor.  What a kill left behind the
last such line is cut off at the next start, which goes on from there: nothing is lost, nothing is there
twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
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
    cursor = _resumed(path) if path and said.flags.follow else None
    if cursor is None:
        with written(path, console) as file:
            lines = 0
            for line in _snapshot(desk, args):
                file.write(f"{line}\n".encode())
                lines += 1
        cursor = json.loads(line)["cursor"]
        if path:
            console.tell(f"{lines} line(s) written to {one_line(path)}")
    elif path:
        console.tell(f"going on with {one_line(path)} behind event {cursor['event']}")
    if said.flags.follow:
        try:
            _follow(desk, cursor, path, console)
        except KeyboardInterrupt:
            # Ctrl-C is how following ends, and no failure.
            return 0
    return 0


def _snapshot(desk: Desk, args: dict[str, Any]) -> Iterator[str]:
    """All lines, a part at a time; the last one has the cursor."""
    asked = dict(args)
    while True:
        part = desk.answer("ledger.export", asked)
        yield from part["lines"]
        if part["next"] is None:
            return
        asked = {"export": part["export"], "offset": part["next"]}


def _follow(desk: Desk, cursor: dict[str, Any], path: str | None, console: Console) -> None:
    while True:
        begun = time.monotonic()
        found = patiently(
            lambda c=cursor: desk.answer("ledger.changes", {"cursor": c, "wait_s": WAIT_S}),  # type: ignore[misc]
            console,
        )
        if found["lines"]:
            data = "".join(f"{line}\n" for line in found["lines"]).encode()
            _append(path, data, console)
            cursor = json.loads(found["lines"][-1])["cursor"]
        if not found["more"] and time.monotonic() - begun < AT_ONCE_S:
            # What comes close together is written together; and where no door is open, nothing waits for us.
            time.sleep(PAUSE_S)


def _append(path: str | None, data: bytes, console: Console) -> None:
    if not path:
        console.write_bytes(data)
        console.flush()
        return
    try:
        with Path(path).expanduser().open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be written: {wrong.strerror or wrong}") from None


def _resumed(path: str) -> dict[str, Any] | None:
    """The last cursor of a file that was followed, what stands behind it cut off; None to begin anew."""
    place = Path(path).expanduser()
    try:
        with place.open("rb+") as file:
            found = _last_cursor(file)
            if found is None:
                if place.stat().st_size:
                    raise Invalid(
                        f"{path!r} is no export that could be gone on with; name another file, or remove it"
                    )
                return None
            cursor, end = found
            file.truncate(end)
            return cursor
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be read: {wrong.strerror or wrong}") from None


def _last_cursor(file: BinaryIO) -> tuple[dict[str, Any], int] | None:
    found = None
    end = 0
    for line in file:
        end += len(line)
        if line.startswith(CURSOR) and line.endswith(b"}\n"):
            found = line, end
    return None if found is None else (json.loads(found[0])["cursor"], found[1])
