"""The terminal, or what stands in its place: where words go, how wide, and in which colours.

Data goes to standard output, talk to standard error.  Colour is for terminals only; NO_COLOR,
FORCE_COLOR, CLICOLOR and TERM=dumb are heard in this order.  Text from the board is never trusted:
control characters are shown, not sent.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from datetime import tzinfo

CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"
}
# Marks that turn the direction of what follows could make a line say what it does not.
CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}

INKS = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34",
    "magenta": "35", "cyan": "36",
}  # fmt: skip
STATUS_INKS = {
    "triage": "yellow",
    "todo": "",
    "scheduled": "yellow",
    "ready": "cyan",
    "running": "blue",
    "review": "magenta",
    "blocked": "red",
    "done": "green",
    "cancelled": "dim",
    "archived": "dim",
}
WIDTH_MIN = 40


class OutputLost(Exception):
    """What was printed could not be written: a full disk, say."""


class Console(NamedTuple):
    """The three streams, the environment and the clock of one command."""

    stdout: TextIO
    stderr: TextIO
    stdin: TextIO
    environment: Mapping[str, str]
    clock: Callable[[], int]

    def say(self, text: str) -> None:
        """A line of data."""
        _kept(self.stdout.write, f"{text}\n")

    def tell(self, text: str) -> None:
        """A line of talk."""
        self.stderr.write(f"{text}\n")

    def write_bytes(self, data: bytes) -> None:
        """Data as it is, whatever the encoding of standard output."""
        raw = getattr(self.stdout, "buffer", None)
        if raw is None:
            self.stdout.write(data.decode(errors="replace"))
            return
        _kept(self.stdout.flush)
        _kept(raw.write, data)
        _kept(raw.flush)

    def flush(self) -> None:
        """Bring everything out; raises BrokenPipeError when nobody reads any more."""
        _kept(self.stdout.flush)
        self.stderr.flush()

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees the output."""
        return self.stdout.isatty()

    @property
    def has_person(self) -> bool:
        """Whether somebody can be asked."""
        return self.stdin.isatty() and self.stderr.isatty()

    @property
    def colour(self) -> bool:
        """Whether the output is coloured."""
        given = self.environment.get
        if given("NO_COLOR"):
            return False
        if given("FORCE_COLOR", "0") not in ("", "0", "false"):
            return True
        if given("CLICOLOR") == "0" or given("TERM") == "dumb":
            return False
        return self.is_terminal

    @property
    def width(self) -> int | None:
        """The columns that a line may take; None is no limit: what goes into a pipe is whole."""
        if not self.is_terminal:
            return None
        columns = self.environment.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and int(columns) > 0:
            return max(int(columns), WIDTH_MIN)
        with contextlib.suppress(OSError, ValueError):
            found = os.get_terminal_size(self.stdout.fileno()).columns
            return max(found, WIDTH_MIN) if found else 80
        return 80

    @property
    def zone(self) -> tzinfo | None:
        """The reader's time zone; None is the machine's own."""
        name = self.environment.get("TZ", "").removeprefix(":")
        if not name or name.startswith("/"):
            return None
        zoneinfo = import_module("zoneinfo")
        try:
            found: tzinfo = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return None
        return found


def safe(text: str) -> str:
    """Text from the board as it may go to a terminal, its lines kept."""
    return text if text.isascii() and text.isprintable() else text.translate(CONTROLS)


def one_line(text: str) -> str:
    """Text from the board on one line."""
    return safe(" ".join(text.split()) if "\n" in text or "\t" in text else text)


def cells(text: str) -> int:
    """How many columns a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    data = import_module("unicodedata")
    return sum(
        0
        if data.combining(c) or data.category(c) in ("Mn", "Me", "Cf")
        else 2
        if data.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def cut(text: str, width: int) -> str:
    """The text within so many columns, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += cells(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


def _kept(write: Callable[..., object], *given: object) -> None:
    """Write, and raise OutputLost where the system refuses it; a closed pipe is no fault."""
    try:
        write(*given)
    except BrokenPipeError:
        raise
    except OSError as wrong:
        raise OutputLost(wrong.strerror or str(wrong)) from wrong
