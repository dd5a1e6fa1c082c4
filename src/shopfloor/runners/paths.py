"""Paths into an event of an agent program's output: `message.content.*.text`.

A name goes into an object, `*` into each member of a list.  A name that itself holds dots is found whole
where there is one.  What is not there is left out: a path answers with all it finds, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

EXPRESSION = "~"


def values(event: Any, path: str) -> list[Any]:
    """Everything at a path; nulls are left out."""
    return [found for found in _walk(event, path.split(".")) if found is not None]


def first(event: Any, path: str | None) -> Any:
    """The first thing at a path; None where there is none, or no path."""
    if path is None:
        return None
    return next(iter(values(event, path)), None)


def text(event: Any, path: str | None) -> str:
    """The texts at a path, one under the other; a list or an object is none."""
    if path is None:
        return ""
    return "\n".join(found for found in values(event, path) if isinstance(found, str))


def number(event: Any, path: str) -> float:
    """The number at a path, or the difference of two: `a - b`; 0 where there is none."""
    wanted, _, less = path.partition(" - ")
    found = _number(event, wanted) - (_number(event, less) if less else 0)
    return max(found, 0)


def holds(event: Any, when: Mapping[str, Any]) -> bool:
    """Whether each field has the value, one of the values, any value (true) or none (false)."""
    return all(_is(values(event, path), wanted) for path, wanted in when.items())


def _is(found: list[Any], wanted: Any) -> bool:
    if wanted is True:
        return any(one is not False for one in found)
    if wanted is False:
        return all(one is False for one in found)
    if isinstance(wanted, list):
        return any(one in wanted for one in found)
    if isinstance(wanted, str) and wanted.startswith(EXPRESSION):
        return any(isinstance(one, str) and re.search(wanted[1:], one) for one in found)
    return any(one == wanted for one in found)


def _number(event: Any, path: str) -> float:
    found = first(event, path.strip())
    return found if isinstance(found, int | float) and not isinstance(found, bool) else 0


def _walk(at: Any, names: list[str]) -> Iterator[Any]:
    if not names:
        yield at
    elif names[0] == "*":
        for one in at if isinstance(at, list) else ():
            yield from _walk(one, names[1:])
    elif isinstance(at, dict):
        if names[0] in at:
            yield from _walk(at[names[0]], names[1:])
        elif len(names) > 1 and ".".join(names) in at:
            yield at[".".join(names)]
