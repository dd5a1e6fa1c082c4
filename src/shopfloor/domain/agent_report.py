"""Read the report that an agent's runner leaves beside the exit record: `report.json`, version 1.

The file lies in a folder that the agent itself could write to, so nothing of it is believed for its
shape: a field of another type than it should have counts as left out, and a text is cut.
"""

from __future__ import annotations

import json
from typing import Any

from shopfloor.domain import limits
from shopfloor.domain.outcomes import ENDINGS, Report, Usage

VERSION = 1


def read_report(text: str) -> Report | None:
    """The report in a file's text; None where it is no report that this program understands."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or body.get("v") != VERSION:
        return None
    ending = _text(body, "ending", limits.NAME_CHARS_MAX)
    return Report(
        ending=ending if ending in ENDINGS else None,
        sentence=_text(body, "sentence", limits.REASON_CHARS_MAX),
        reset_at=_number(body, "reset_at"),
        next=_text(body, "next", limits.REASON_CHARS_MAX),
        text=_text(body, "text", limits.REPORT_TEXT_BYTES_MAX),
        session_id=_text(body, "session_id", limits.KEY_CHARS_MAX),
        model=_text(body, "model", limits.NAME_CHARS_MAX),
        turns=_number(body, "turns") or 0,
        reminders=_number(body, "reminders") or 0,
        usage=_usage(body.get("usage")),
    )


def _usage(body: object) -> Usage:
    if not isinstance(body, dict):
        return Usage()
    return Usage(
        _number(body, "input_tokens") or 0,
        _number(body, "output_tokens") or 0,
        _number(body, "cache_read_tokens") or 0,
        _number(body, "cache_write_tokens") or 0,
        _number(body, "cost_micros"),
    )


def _text(body: dict[str, Any], name: str, most: int) -> str | None:
    """The text of a field without what no database takes, as far as it may go."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        return None
    plain = value.replace("\0", "").encode(errors="replace")
    return plain[:most].decode(errors="ignore") or None


def _number(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= limits.COUNT_MAX else None
