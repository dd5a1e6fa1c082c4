"""A log as HTML: its colours as classes, everything else as text.

What a worker prints is not trusted.  Of the escape sequences only those for colours and styles mean
anything; all others are left out, and what is left is escaped.
"""

from __future__ import annotations

import re
from html import escape

_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[@-Z\\-_0-9a-z=>]?"
)
_CONTROLS = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 27), *range(28, 32), 127, *range(128, 160))
)
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
PLAIN = len(COLOURS)
FRONT, BACK, FRONT_END, BACK_END = 38, 48, 39, 49
DIGITS = 3
STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",), 29: ("strike",)}


class _Pen:
    """The colours and styles that are on."""

    def __init__(self) -> None:
        self.front = self.back = ""
        self.styles: set[str] = set()

    @property
    def classes(self) -> str:
        """The classes of a span; empty where nothing is on."""
        found = [*sorted(self.styles), *filter(None, (self.front, self.back))]
        return " ".join(f"ansi-{one}" for one in found)

    def change(self, codes: list[int]) -> None:
        """Read one sequence's numbers."""
        at = 0
        while at < len(codes):
            at += self._take(codes, at)

    def _take(self, codes: list[int], at: int) -> int:
        """Read the number at this place; answers how many were read."""
        code = codes[at]
        if code in (FRONT, BACK):
            return self._wide(codes, at)
        if code == 0:
            self.front = self.back = ""
            self.styles = set()
        elif code in STYLES:
            self.styles.add(STYLES[code])
        elif code in ENDS:
            self.styles.difference_update(ENDS[code])
        elif code in (FRONT_END, BACK_END):
            self._set(code == FRONT_END, "")
        else:
            self._plain(code)
        return 1

    def _plain(self, code: int) -> None:
        tens, colour = divmod(code, 10)
        bright = {3: "", 4: "", 9: "bright-", 10: "bright-"}.get(tens)
        if bright is not None and colour < len(COLOURS):
            self._set(tens in (3, 9), bright + COLOURS[colour])

    def _wide(self, codes: list[int], at: int) -> int:
        """One of 256 colours, or one of red, green and blue, which becomes the nearest of the 256."""
        front, rest = codes[at] == FRONT, codes[at + 1 : at + 5]
        match rest:
            case [5, number, *_]:
                self._set(front, _of_256(number))
                return 3
            case [2, red, green, blue]:
                self._set(front, _of_256(_nearest(red, green, blue)))
                return 5
            case _:
                return len(codes)

    def _set(self, front: bool, name: str) -> None:  # noqa: FBT001 - it says which of the two
        if front:
            self.front = name
        else:
            self.back = name and f"bg-{name}"


def _of_256(number: int) -> str:
    if number < PLAIN:
        return COLOURS[number]
    if number < 2 * PLAIN:
        return f"bright-{COLOURS[number - PLAIN]}"
    return str(min(number, 255))


def _nearest(*parts: int) -> int:
    red, green, blue = (round(min(part, 255) / 255 * 5) for part in parts)
    return 2 * PLAIN + 36 * red + 6 * green + blue


def html(text: str) -> str:
    """A log's text as HTML: spans with classes `ansi-*` around what is coloured."""
    text = "\n".join(_as_left(line) for line in text.split("\n"))
    parts: list[str] = []
    pen, begin = _Pen(), 0
    for found in _SEQUENCE.finditer(text):
        _write(parts, text[begin : found.start()], pen.classes)
        begin = found.end()
        if found[1] is not None:
            numbers = re.split("[;:]", found[1])
            pen.change([int(one[-DIGITS:] or "0") for one in numbers])
    _write(parts, text[begin:], pen.classes)
    return "".join(parts)


def _write(parts: list[str], text: str, classes: str) -> None:
    shown = escape(text.translate(_CONTROLS))
    if shown:
        parts.append(f'<span class="{classes}">{shown}</span>' if classes else shown)


def _as_left(line: str) -> str:
    """A line as a terminal would leave it: what was overwritten after a carriage return is gone."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line
