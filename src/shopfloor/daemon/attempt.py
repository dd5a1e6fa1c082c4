"""A claimed run on its way to a supervisor, and how its processes are told from all others."""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.daemon import brief
from shopfloor.daemon.board import DispatchBoard
from shopfloor.domain.model import Runtime, Task
from shopfloor.domain.settings import Profile


class Attempt(NamedTuple):
    """A claimed run on its way to a supervisor."""

    run_id: int
    task: Task
    token: str
    profile: Profile | None
    context: str
    session: brief.Session | None = None
    runtime: Runtime | None = None


def marker(board: DispatchBoard, run_id: int) -> str:
    """What every process of a run carries in its environment: unique on this machine."""
    return f"{board.home_path}:{board.slug}:{run_id}"
