"""The slots of this host, which all boards that are served on it share.

Each board counts its own runs in its ledger; what the others hold on this host is counted here, in
memory.  Boards claim one after the other (`turn`), so that two of them never take the same slot, and a
board that found none is woken when another one's worker has gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from shopfloor.domain.report import DispatchReport

FULL = "board_cap"


class Member(NamedTuple):
    """A board: how many slots of this host it holds now, and how to wake its dispatcher."""

    used: Callable[[], int]
    ring: Callable[[], None]


class HostSlots:
    """Who holds how many slots of this host."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._guard = threading.Lock()
        self._members: dict[str, Member] = {}
        self._used: dict[str, int] = {}
        self._waiting: set[str] = set()
        self._freed = 0
        self._seen: dict[str, int] = {}

    def join(self, slug: str, member: Member) -> None:
        """Count a board in."""
        self._members[slug] = member

    def leave(self, slug: str) -> None:
        """Count a board out; what it still runs is counted when it is served again."""
        self._members.pop(slug, None)
        with self._guard:
            self._used.pop(slug, None)
            self._seen.pop(slug, None)
            self._waiting.discard(slug)

    def used_beside(self, slug: str) -> int:
        """How many slots of this host the other boards hold."""
        others = list(self._members.items())
        return sum(member.used() for name, member in others if name != slug)

    def after_pass(self, slug: str, report: DispatchReport) -> None:
        """Wake who waits for a slot when this board has freed one, and this board if one came free."""
        member = self._members.get(slug)
        if member is None:
            return
        rung: list[Member] = []
        with self._guard:
            used = member.used()
            if used < self._used.get(slug, 0):
                self._freed += 1
                rung = [
                    self._members[one] for one in self._waiting - {slug} if one in self._members
                ]
            self._used[slug] = used
            if any(skipped.code == FULL for skipped in report.skipped):
                self._waiting.add(slug)
                # It may have come free between this board's look and now.
                if self._seen.get(slug, self._freed) != self._freed:
                    rung.append(member)
            else:
                self._waiting.discard(slug)
            self._seen[slug] = self._freed
        for one in rung:
            one.ring()
