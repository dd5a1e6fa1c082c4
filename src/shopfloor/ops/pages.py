"""Pages of a list that is short enough to be there as a whole: boards, hosts, profiles, holds, tokens.

A list that can grow without end has a statement that reads one page of it; these have none, and give away the
part that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid
from shopfloor.ops.schema import Arg, Request

T = TypeVar("T")


class Paged(Request, frozen=True, kw_only=True):
    """Which part of the list."""

    after: Annotated[str | None, Arg("Only what comes behind this one.")] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_MAX


def page(found: Iterable[T], asked: Paged, name: Callable[[T], str]) -> list[T]:
    """The part that was asked for; raises Invalid where it is to go on after one that is not there any more."""
    entries = list(found)
    begin = 0
    if asked.after is not None:
        names = [name(one) for one in entries]
        if asked.after not in names:
            raise Invalid(f"there is no {asked.after!r} to go on after; begin without `after`")
        begin = names.index(asked.after) + 1
    return entries[begin : begin + asked.limit]
