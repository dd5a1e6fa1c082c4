"""Where a command runs, as people write it: `host`, or `container:IMAGE` with mounts and limits."""

from __future__ import annotations

import re
from typing import NamedTuple

from shopfloor.domain.errors import Invalid

HOST = "host"
_PREFIX = "container:"
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", re.IGNORECASE)
MEMORY_BYTES_MIN = 6 << 20


class Mount(NamedTuple):
    """A folder or file of the host, and where a container sees it."""

    source: str
    target: str
    read_only: bool

    def text(self) -> str:
        """As it is stored and as the engines take it."""
        return f"{self.source}:{self.target}{':ro' if self.read_only else ''}"


def image_of(runtime: str) -> str | None:
    """The image of a runtime, None for the host; raises Invalid for what is neither."""
    if runtime == HOST:
        return None
    image = runtime.removeprefix(_PREFIX)
    wrong = image == runtime or not image or image.startswith("-")
    if wrong or any(char.isspace() or not char.isprintable() for char in image):
        raise Invalid(f"{runtime!r} is no runtime; use host, or container:IMAGE")
    return image


def mount(words: str) -> Mount:
    """The mount that `SOURCE[:TARGET][:ro]` names; raises Invalid."""
    source, *rest = words.split(":")
    read_only = bool(rest) and rest[-1] in ("ro", "rw") and rest.pop() == "ro"
    target = rest[0] if rest else source
    if len(rest) > 1 or not source.startswith("/") or not target.startswith("/") or "\0" in words:
        raise Invalid(
            f"{words!r} is no mount; write /absolute/path, /host:/inside or /host:/inside:ro"
        )
    return Mount(source, target, read_only)


def memory_bytes(words: str) -> int:
    """The bytes that `512m` or `2g` names; raises Invalid."""
    found = _MEMORY.fullmatch(words.strip())
    if found is None:
        raise Invalid(f"{words!r} is no size of memory; write 512m or 2g")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size < MEMORY_BYTES_MIN:
        raise Invalid(f"{words!r} is too little memory for a container; give it 6m or more")
    return size
