"""What a value may be read from instead of the command line: standard input, or a file.

Loaded only when a value is `-` or begins with `@`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from shopfloor.domain.errors import Invalid, LimitReached, NotFound
from shopfloor.domain.limits import REQUEST_BYTES_MAX


def read_file(path: str) -> bytes:
    """A file's bytes; raises NotFound or Invalid with the path and the reason."""
    place = Path(path).expanduser()
    try:
        size = place.stat().st_size
        if size > REQUEST_BYTES_MAX:
            raise LimitReached(
                f"{path} has {size} bytes, and at most {REQUEST_BYTES_MAX} can be sent"
            )
        return place.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path!r}") from None
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be read: {wrong.strerror or wrong}") from None


def read_text(path: str) -> str:
    """A file's text, without the line end at its end."""
    return _decoded(read_file(path), path)


def is_file(path: str) -> bool:
    """Whether there is something to read at the path."""
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError):
        return False


def standard_input_bytes(stdin: TextIO) -> bytes:
    """All of standard input."""
    raw = getattr(stdin, "buffer", None)
    return stdin.read().encode() if raw is None else bytes(raw.read())


def standard_input(stdin: TextIO) -> str:
    """All of standard input as text, without the line end at its end."""
    return _decoded(standard_input_bytes(stdin), "standard input")


def write_file(path: str, data: bytes) -> None:
    """Write a file that was asked for; raises Invalid with the reason."""
    try:
        Path(path).expanduser().write_bytes(data)
    except OSError as wrong:
        raise Invalid(f"{path!r} cannot be written: {wrong.strerror or wrong}") from None


def name_of(path: str) -> str:
    """The last part of a path."""
    return Path(path).name


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise Invalid(f"{source} is not UTF-8 text; attach it as a file instead") from None
