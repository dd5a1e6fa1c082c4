"""A sheet that renderers write on: lines, facts and tables, coloured and cut to the reader's width."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import INKS, Console, cells, cut, one_line, safe

GAP = "  "
COLUMN_MAX = 32
LAST_MIN = 12


class Cell(NamedTuple):
    """One field of a table; `aside` follows it dimmed, as far as there is room."""

    text: str
    ink: str = ""
    aside: str = ""


class Page:
    """What one answer looks like; the reader's width and the time are asked for once."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._colour = console.colour
        self.width = console.width
        self.now_ms = console.clock()

    def ink(self, name: str, text: str) -> str:
        """The text in that colour, where there are colours."""
        if not self._colour or not name or not text:
            return text
        return f"\x1b[{INKS[name]}m{text}\x1b[0m"

    def line(self, text: str = "") -> None:
        """A line as it is; what came from the board went through `safe` or `one_line` before."""
        self._console.say(text)

    def raw(self, data: bytes) -> None:
        """Bytes that somebody asked for as they are."""
        self._console.write_bytes(data)

    def note(self, text: str) -> None:
        """Talk beside the data."""
        if not self._quiet:
            self._console.tell(text)

    def text(self, text: str, indent: str = "") -> None:
        """Words of several lines."""
        for line in safe(text).rstrip("\n").split("\n"):
            self.line(f"{indent}{line}".rstrip())

    def heading(self, text: str) -> None:
        """The title of a part of the page, with an empty line before it."""
        self.line()
        self.line(self.ink("bold", text))

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values, aligned, each line of a value; empty values are left out."""
        told = [(name, value) for name, value in pairs if value]
        width = max((len(name) for name, _ in told), default=0)
        for name, value in told:
            first, *others = safe(value).rstrip("\n").split("\n")
            self.line(f"{self.ink('dim', name.ljust(width))}{GAP}{first}")
            for line in others:
                self.line(f"{' ' * width}{GAP}{line}".rstrip())

    def table(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Aligned columns; a head that begins with `>` is aligned right, and the last one is cut to fit."""
        names = [name.removeprefix(">") for name in head]
        clean = [[cell._replace(text=one_line(cell.text)) for cell in row] for row in rows]
        most = COLUMN_MAX if self.width is not None else sys.maxsize
        widths = [
            min(max([len(name), *(cells(row[at].text) for row in clean)]), most)
            for at, name in enumerate(names[:-1])
        ]
        used = sum(widths) + len(GAP) * len(widths)
        last = None if self.width is None else max(self.width - used, LAST_MIN)
        self._row([Cell(name, "dim") for name in names], head, widths, last)
        for row in clean:
            self._row(row, head, widths, last)

    def _row(
        self, row: Sequence[Cell], head: Sequence[str], widths: Sequence[int], last: int | None
    ) -> None:
        parts = []
        for cell, name, width in zip(row[:-1], head[:-1], widths, strict=True):
            text = cut(cell.text, width)
            blank = " " * (width - cells(text))
            inked = self.ink(cell.ink, text)
            parts.append(f"{blank}{inked}" if name.startswith(">") else f"{inked}{blank}")
        parts.append(self._last(row[-1], last))
        self.line(GAP.join(parts).rstrip())

    def _last(self, cell: Cell, room: int | None) -> str:
        text = cell.text if room is None else cut(cell.text, room)
        left = None if room is None else room - cells(text) - len(GAP)
        aside = one_line(cell.aside)
        if left is not None:
            aside = cut(aside, left) if left >= LAST_MIN else ""
        tail = f"{GAP}{self.ink('dim', aside)}" if aside else ""
        return f"{self.ink(cell.ink, text)}{tail}"

    def when(self, time: str | None) -> str:
        """A time of an answer in the reader's zone."""
        return "" if time is None else moments.local(time, self._console.zone)

    def age(self, time: str | None) -> str:
        """How long ago a time of an answer was."""
        return "" if time is None else moments.age(moments.seconds_since(time, self.now_ms))

    def until(self, time: str | None) -> str:
        """How long until a time of an answer, as `in 3m`; empty for one that has come."""
        left_s = -1.0 if time is None else -moments.seconds_since(time, self.now_ms)
        return f"in {moments.age(left_s)}" if left_s > 0 else ""

    def lasted(self, begin: str | None, end: str | None) -> str:
        """From one time of an answer to another, or until now."""
        if begin is None:
            return ""
        if end is None:
            return moments.span(moments.seconds_since(begin, self.now_ms))
        return moments.span(moments.seconds_between(begin, end))
