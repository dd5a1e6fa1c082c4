"""The report: one JSON file in the run's folder in which the runner says how its agent goes and ended.

It is written anew at each turn's end and when the session becomes known: to another name, synced,
renamed; so whoever reads it sees all of it.  The dispatcher reads it beside the exit record.  `ending` is
None where there is nothing to say: the agent gave its verdict, or the run goes on.
"""

# Each run loads this file, and pathlib would cost it time and memory.
# ruff: noqa: PTH104, PTH118, PTH123

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from shopfloor.domain import limits

REPORT = "report.json"
BYTES_MAX = 1024 * 1024


class Usage(NamedTuple):
    """What was used; the tokens read from a cache are not among the input tokens.

    A cost of None means that the program does not tell it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_micros: int | None = None

    def plus(self, other: Usage) -> Usage:
        costs = [cost for cost in (self.cost_micros, other.cost_micros) if cost is not None]
        tokens = [a + b for a, b in zip(self[:4], other[:4], strict=True)]
        return Usage._make([*tokens, sum(costs) if costs else None])

    def less(self, other: Usage) -> Usage:
        """What came after `other` was counted."""
        tokens = [max(a - b, 0) for a, b in zip(self[:4], other[:4], strict=True)]
        cost = self.cost_micros
        if cost is not None:
            cost = max(cost - (other.cost_micros or 0), 0)
        return Usage._make([*tokens, cost])


NOTHING = Usage()


class Failure(NamedTuple):
    """Why a turn failed, as the program itself said it; `reset_at` is in ms since the epoch."""

    ending: str
    sentence: str
    reset_at: int | None = None
    next: str | None = None


class Report(NamedTuple):
    """What the runner says of its run."""

    v: int = 1
    ending: str | None = None
    sentence: str | None = None
    reset_at: int | None = None
    next: str | None = None
    text: str = ""
    session_id: str | None = None
    model: str | None = None
    turns: int = 0
    reminders: int = 0
    usage: Usage = NOTHING
    # What the session itself has counted, for a program whose counts go on over a resumed session.
    session_usage: Usage = NOTHING


def write(folder: str, report: Report) -> None:
    """Put the report in its place."""
    told = report._asdict()
    told["text"] = cut(report.text, limits.FINAL_TEXT_BYTES_MAX)
    for name in ("usage", "session_usage"):
        told[name] = told[name]._asdict()
    data = json.dumps(told).encode()
    temporary = os.path.join(folder, f".{REPORT}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, os.path.join(folder, REPORT))


def read(folder: str) -> Report | None:
    """The report of a run; None where there is none, or none that can be read."""
    try:
        with open(os.path.join(folder, REPORT), "rb") as file:
            told = json.loads(file.read(BYTES_MAX))
        kept: dict[str, Any] = {name: told[name] for name in Report._fields if name in told}
        for name in ("usage", "session_usage"):
            kept[name] = Usage(**kept.get(name, {}))
        return Report(**kept)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def cut(text: str, bytes_max: int) -> str:
    """The end of a text that is longer than so many bytes, with a sign that more was before it."""
    data = text.encode("utf-8", errors="replace")
    if len(data) <= bytes_max:
        return text
    return "… " + data[-(bytes_max - 4) :].decode("utf-8", errors="ignore")
