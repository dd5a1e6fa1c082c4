"""Gets claimed attempts ready: the quick ones at once, those that take long in a lane.

A git worktree is checked out, a container made, its image perhaps fetched: none of it holds a pass.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from shopfloor.daemon import seats
from shopfloor.daemon import start as starting
from shopfloor.daemon.attempt import Attempt
from shopfloor.daemon.board import DispatchBoard
from shopfloor.daemon.containers import Containers
from shopfloor.daemon.lane import Lane
from shopfloor.daemon.start import Ready
from shopfloor.domain.errors import BoardError


class Prepared(NamedTuple):
    """An attempt whose folders were to be made; `ready` is None where its run was ended instead."""

    run_id: int
    ready: Ready | BoardError | None


class Preparing:
    """The attempts of one board that are made ready; `under_way` are those that a lane has."""

    def __init__(self, board: DispatchBoard, lane: Lane) -> None:
        self._board = board
        self._lane = lane
        self.containers = Containers(board, lane)
        self.under_way: set[int] = set()

    def begin(self, attempt: Attempt) -> Prepared | None:
        """Get one ready; None: a lane does, and gives it back when it is."""
        lane = self._slow_lane(attempt)
        if lane is None:
            return self._get_ready(attempt)
        self.under_way.add(attempt.run_id)
        lane.put(partial(self._get_ready, attempt))
        return None

    def _slow_lane(self, attempt: Attempt) -> Lane | None:
        """Where an attempt is prepared that takes long: a worktree, or a container that is not warm."""
        image = seats.image_to_make(self._board, attempt, self.containers)
        if image is not None:
            return self.containers.lane_for(image)
        return self._lane if attempt.task.workspace_kind == "worktree" else None

    def _get_ready(self, attempt: Attempt) -> Prepared:
        """Make an attempt's folders; what stands in the way of one attempt stops no other."""
        try:
            ready = starting.get_ready(self._board, attempt, self.containers)
            return Prepared(attempt.run_id, ready)
        except (BoardError, OSError, ValueError) as failed:
            self.containers.release(attempt.run_id)
            return Prepared(
                attempt.run_id, starting.spawn_failed(self._board, attempt.run_id, failed)
            )
