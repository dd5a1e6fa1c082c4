"""What is said in a chat: who speaks where, what is answered, and how much of it fits.

A message of a chat is measured in UTF-16 code units, as the platforms do it.
"""

from __future__ import annotations

from math import isnan
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from shopfloor.domain.limits import RETRY_AFTER_MS_MAX

TEXT_MAX: Final = 3_800
POINTER_MAX: Final = 200


class Speaker(NamedTuple):
    """Who says something, and where; `admin`: who may also administer."""

    platform: str
    chat: str
    thread: str | None
    name: str
    admin: bool = False

    @property
    def actor(self) -> str:
        """How the board records who did it."""
        return f"{self.platform}:{self.name}"

    @property
    def target(self) -> str:
        """The place as a subscription names it."""
        return target_of(self.platform, self.chat, self.thread)


class Answer(NamedTuple):
    """What is said back; `table`: it has columns, so its letters should be equally wide."""

    text: str
    ok: bool = True
    table: bool = False


class Place(NamedTuple):
    """A chat and, where it has such, a thread of it."""

    chat: str
    thread: str | None


def target_of(platform: str, chat: str, thread: str | None) -> str:
    """The target that a chat and its thread are."""
    parts = [platform, _plain(chat), *([] if thread is None else [_plain(thread)])]
    return f"chat:{'/'.join(parts)}"


def _plain(name: str) -> str:
    """A name without what a target cannot have in one: slashes and blanks."""
    return "".join(
        quote(sign, safe="") if sign in "/%" or sign.isspace() or not sign.isprintable() else sign
        for sign in name
    )


def place_of(target: str) -> Place:
    """Where a target of a chat is."""
    _platform, chat, *thread = target.partition(":")[2].split("/")
    return Place(unquote(chat), unquote(thread[0]) if thread else None)


def wait_of(said: object) -> float | None:
    """How long somebody asks to wait, in seconds and within reason; None for what is no time."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        wait_s = float(said)
    except (ValueError, OverflowError):
        return None
    return None if isnan(wait_s) else min(max(wait_s, 0.0), RETRY_AFTER_MS_MAX / 1000)


def size(text: str) -> int:
    """How much of a message a text takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(text: str, pointer: str) -> str:
    """The text, or as many of its lines as fit, and where all of it is."""
    if size(text) <= TEXT_MAX:
        return text
    shown = pointer if len(pointer) <= POINTER_MAX else f"{pointer[:POINTER_MAX]}…"
    tail = f"\n… cut here; all of it: {shown}"
    kept = within(text, TEXT_MAX - size(tail))
    whole_lines = kept.rpartition("\n")[0]
    # A single line that is too long is cut where it must be.
    return (whole_lines or kept).rstrip() + tail


def within(text: str, most: int) -> str:
    """The longest beginning of a text that takes no more than this."""
    if len(text) <= most and size(text) <= most:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore")
