"""One dispatch pass: settle, look, stop, promote, reclaim, come due, assign, claim, start - in this order.

Each step is its own transaction and one failing step never stops the others; it is named in the
report.  Nothing here waits: what can take long (a git worktree, a stubborn worker) has a lane or a
process of its own.  The pass may run at any time and as often as anybody likes.

On a board that this process alone writes, ended runs are settled and the slots that they free filled
again in one commit, unless something else comes first; the claim at the end is for what came up since.
"""

from __future__ import annotations

import contextlib
import random
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from shopfloor.daemon import look as looking
from shopfloor.daemon import start as starting
from shopfloor.daemon.attempt import Attempt
from shopfloor.daemon.board import DispatchBoard, write_all
from shopfloor.daemon.lane import Lane
from shopfloor.daemon.live import Live
from shopfloor.daemon.preparing import Prepared, Preparing
from shopfloor.daemon.start import Launching, Ready
from shopfloor.domain.caller import BOARD
from shopfloor.domain.errors import BoardError
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.limits import BATCH_PER_TICK
from shopfloor.domain.model import Run
from shopfloor.domain.report import DispatchReport, End, Skipped, Start, Trouble
from shopfloor.kernel import claim as claiming
from shopfloor.kernel import sweep
from shopfloor.kernel.questions import expire
from shopfloor.kernel.settle import Settled, Settlement, end_as
from shopfloor.process.fence import write_fence
from shopfloor.store import hosts, runs, tasks
from shopfloor.store.db import Tx

RENEWALS_PER_LEASE = 6
REPAIR_EVERY_S = 60.0
CLEAR_AGAIN_S = 0.2
POLL_JITTER = 0.2


class Taken(NamedTuple):
    """What was claimed, and by which plan."""

    planned: claiming.Plan
    attempts: list[Attempt]


class Dispatcher:
    """The dispatcher of one board on this host; one thread uses it."""

    def __init__(self, board: DispatchBoard, launcher: Launching, lane: Lane) -> None:
        self._board = board
        self._launcher = launcher
        self._lane = lane
        self.preparing = Preparing(board, lane)
        self.live = Live(board)
        self._report = DispatchReport()
        self._repaired_at: float | None = None
        self._renewed_at = time.monotonic()
        self._seen = looking.NOTHING_SEEN
        self._found = False
        self._filled: tuple[object, claiming.Plan] | None = None
        self._begun = False

    def used(self) -> int:
        """How many slots of this host the board holds now; any thread may ask.

        Before it has begun the ledger says so; where the ledger cannot be read, nothing is known.
        """
        if self._begun:
            return len(self.live) + len(self.preparing.under_way)
        with contextlib.suppress(BoardError):
            return len(self.live.rows())
        return 0

    def begin(self) -> DispatchReport:
        """Adopt what an earlier dispatcher of this host left."""
        self._report = DispatchReport()
        for settled in self.live.adopt(self.preparing.under_way):
            self._count(settled)
        self._begun = True
        self._lane.put(self._clean_all)
        self.preparing.containers.begin((*self.live.running(), *self.preparing.under_way))
        return self._report

    def run_pass(self, most: int | None = None) -> DispatchReport:
        """Make one pass and say what it did; `most` bounds how many are started."""
        self._report = report = DispatchReport(warnings=list(self._board.settings().warnings))
        most = BATCH_PER_TICK if most is None else most
        self._filled = None
        self._try("settle", lambda: self._settle(most))
        self._try("look", lambda: self._look(most))
        seen = self._seen
        self._try("stop", self._stop)
        self._try("renew", self._renew_leases)
        self._try("promote", self._repair)
        if seen.expired:
            self._try("reclaim", self._reclaim)
        if seen.due:
            self._try("come due", self._come_due)
        if seen.unassigned:
            self._try("assign", self._assign)
        self._try("claim", lambda: self._claim(most))
        self._try("start", self.start_prepared)
        return report

    def _try(self, name: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (BoardError, OSError) as failed:
            words = failed.message if isinstance(failed, BoardError) else str(failed)
            self._report.troubles.append(Trouble(name, words))
        except Exception as mistake:  # noqa: BLE001 - a mistake in one step must not stop the others
            traceback.print_exc()
            self._report.troubles.append(Trouble(name, f"a mistake of ours: {mistake!r}"))

    def _count(self, settled: Settled) -> None:
        if settled.settlement is Settlement.CLOSED:
            outcome = None if settled.outcome is None else settled.outcome.value
            self._report.settled.append(
                End(settled.task_id, settled.run_id, outcome, settled.gave_up)
            )

    def _settle(self, most: int) -> None:
        ends = self.live.to_settle()
        if not ends:
            return
        works: list[Callable[[Tx], object]] = [*ends]
        if most and not self._board.shared and not self._seen.ripe(self._now()):
            works.append(lambda tx: self._take(tx, most))
        with self._board.claiming():
            answers = write_all(self._board.database, works)
            settled, mistakes = self.live.settled(ends, answers[: len(ends)])
            for one in settled:
                self._count(one)
            try:
                for taken in answers[len(ends) :]:
                    if isinstance(taken, Taken):
                        self._fill(taken)
                    elif isinstance(taken, BaseException):
                        mistakes.append(taken)
            finally:
                self._see_off(settled)
        if mistakes:
            raise mistakes[0]

    def _see_off(self, settled: list[Settled]) -> None:
        """What follows from an end: the check, or a workspace that nobody needs any more."""
        for one in settled:
            if one.settlement is not Settlement.CHECK:
                self.preparing.containers.release(one.run_id)
        ended = [one.task_id for one in settled if one.settlement is not Settlement.CHECK]
        if ended:
            self._lane.put(lambda: self._clean(ended))
        self._check([one for one in settled if one.settlement is Settlement.CHECK])

    def _check(self, to_check: list[Settled]) -> None:
        """Start checks; one that cannot start now, or whose run was closed meanwhile, is settled again."""
        if not to_check:
            return
        found = self._board.database.read(
            lambda tx: [(tasks.get(tx, one.task_id), runs.get(tx, one.run_id)) for one in to_check]
        )
        ready: list[Ready] = []
        for task, run in found:
            if task is None or run is None or run.ended_at is not None or run.workspace is None:
                continue
            profile = self._board.settings().profiles.get(run.profile or "")
            attempt = Attempt(run.id, task, run.token, profile, "")
            seat = self.preparing.containers.seat_of(run.id)
            ready.append(starting.ready_to_check(self._board, attempt, run.workspace, seat))
        going = self._launch(ready)
        for one in to_check:
            if one.run_id not in going:
                self.live.check_again(one.run_id, one.task_id)

    def _clean(self, task_ids: list[int]) -> None:
        """Remove the scratch workspaces of tasks that are over, unless a process of theirs still lives."""
        for task_id in self._board.database.read(lambda tx: looking.over(tx, task_ids)):
            self._board.files.drop_scratch(task_id)

    def _clean_all(self) -> None:
        """The same for what an earlier dispatcher did not come to."""
        folders = self._board.files.workspaces()
        if folders.is_dir():
            self._clean([int(one.name) for one in folders.iterdir() if one.name.isdecimal()])

    def _stop(self) -> None:
        if not len(self.live):
            return
        now = self._now()
        rows = self._seen.live
        self.live.steer(now, rows)
        self.live.stop_overdue(now)
        profiles = self._board.settings().profiles
        for run in rows:
            profile = profiles.get(run.profile or "")
            timeout = 0 if profile is None else profile.stale_timeout_ms
            if timeout and run.ended_at is None and self._is_stale(run, timeout, now):
                self._end_stale(run)

    def _is_stale(self, run: Run, timeout_ms: int, now: int) -> bool:
        since = run.started_at or run.claimed_at
        signs = (since, run.heartbeat_at or 0, self.live.last_activity_ms(run.id) or 0)
        silence = now - max(signs)
        return (
            now - since > timeout_ms
            and silence > self._board.settings().dispatch.heartbeat_timeout_ms
        )

    def _end_stale(self, run: Run) -> None:
        sentence = "it gave no sign of life for too long"
        settings = self._board.settings()
        settled = self._board.database.write(
            lambda tx: end_as(tx, settings, run.id, Outcome.STALE, error=sentence, gone=False)
        )
        self._count(settled)

    def _look(self, most: int) -> None:
        self._seen = looking.NOTHING_SEEN
        running, planned = len(self.live) > 0, None if self._found or self._filled else most
        self._seen = self._board.database.read(
            lambda tx: looking.glance(tx, self._board, running=running, most=planned)
        )

    def _reclaim(self) -> None:
        settings, board = self._board.settings(), self._board
        for settled in board.database.write(
            lambda tx: sweep.reclaim_expired(tx, settings, board.host, shared=board.shared)
        ):
            self._count(settled)
            self._report.reclaimed.append(settled.run_id)

    def _renew_leases(self) -> None:
        """Renew in time, and only after the commit tell the supervisors of a shared board."""
        every_s = self._board.lease_ms() / RENEWALS_PER_LEASE / 1000
        if time.monotonic() - self._renewed_at < every_s:
            return
        lease_ms = self._board.lease_ms()

        def renew(tx: Tx) -> None:
            runs.renew(tx, self._board.host, tx.now + lease_ms)
            hosts.seen(tx, self._board.host)

        self._board.database.write(renew)
        self._renewed_at = time.monotonic()
        if self._board.shared:
            for run_id in self.live.running():
                write_fence(str(self._board.files.run_folder(run_id) / "lease"))

    def _come_due(self) -> None:
        for step in (sweep.come_due, expire):
            self._report.due.extend(self._board.database.write(step))

    def _repair(self) -> None:
        """The safety net of promotion: at the start, and then once in a while."""
        now = time.monotonic()
        if self._repaired_at is not None and now - self._repaired_at < REPAIR_EVERY_S:
            return
        self._repaired_at = now
        if not self._board.database.read(self._needs_repair):
            return
        after: int | None = 0
        while after is not None:
            moved, after = self._board.database.write(partial(self._repaired, after))
            self._report.promoted.extend(moved)

    @staticmethod
    def _repaired(after: int, tx: Tx) -> tuple[list[int], int | None]:
        return sweep.repair_queues(tx, after)

    @staticmethod
    def _needs_repair(tx: Tx) -> bool:
        return bool(tasks.todo_after(tx, 0, 1) or tasks.wrongly_ready(tx, 1))

    def _assign(self) -> None:
        settings = self._board.settings()
        self._report.assigned.extend(
            self._board.database.write(lambda tx: sweep.assign_default(tx, settings, dry_run=False))
        )

    def _claim(self, most: int) -> None:
        if self._filled is not None and self._filled[0] == looking.moved(self._report):
            planned = self._filled[1]
        else:
            # Where the last pass found work, or this one moved tasks, what was seen is no plan any more.
            seen = None if self._report.changed else self._seen.plan
            planned = self._claimed(most) if seen is None or seen.writes else seen
        self._report.skipped.extend(
            Skipped(s.code, s.lane, s.sentence, s.task_id) for s in planned.skipped
        )

    def _claimed(self, most: int) -> claiming.Plan:
        left = max(most - len(self._report.started), 0)
        with self._board.claiming():
            taken = self._board.database.write(lambda tx: self._take(tx, left))
            self._fill(taken)
        return taken.planned

    def _fill(self, taken: Taken) -> None:
        """Start what was claimed, before another board may count the slots."""
        self._found = bool(taken.attempts)
        self._filled = (looking.moved(self._report), taken.planned)
        self._prepare(taken.attempts)

    def _take(self, tx: Tx, most: int) -> Taken:
        planned = looking.plan(tx, self._board, most, lock=True)
        claimed = claiming.take(
            tx,
            BOARD,
            planned,
            host=self._board.host,
            lease_ms=self._board.lease_ms(),
            new_token=claiming.new_token,
            settings=self._board.settings(),
        )
        return Taken(planned, starting.attempts(tx, self._board, claimed))

    def _prepare(self, taken: list[Attempt]) -> None:
        """Make the folders of quick workspaces here, and of the slow ones in the lane."""
        ready: list[Ready] = []
        for attempt in taken:
            self._report.started.append(
                Start(
                    attempt.task.id,
                    attempt.run_id,
                    None if attempt.profile is None else attempt.profile.name,
                    "reviewer" if attempt.task.phase == "review" else "worker",
                )
            )
            prepared = self.preparing.begin(attempt)
            if prepared is not None:
                ready += self._folders_made(prepared)
        self._launch(ready)

    def _folders_made(self, prepared: Prepared) -> list[Ready]:
        if isinstance(prepared.ready, BoardError):
            # Its end could not be written either: adopting reclaims it, and a trouble leads to that.
            self._report.troubles.append(Trouble("start", prepared.ready.message))
        return [prepared.ready] if isinstance(prepared.ready, Ready) else []

    def _launch(self, ready: list[Ready]) -> set[int]:
        """Start what is ready; raises what kept a start or an end from being written."""
        started, failed = starting.start(self._board, self._launcher, ready)
        for one in started:
            self.live.hold(one)
        going = {one.run_id for one in started}
        for left in ready:
            if left.attempt.run_id not in going and left.spec.record == starting.WORK:
                self.preparing.containers.release(left.attempt.run_id)
        if failed is not None:
            raise failed
        return going

    def start_prepared(self) -> None:
        """Start the attempts whose folders the lane has made."""
        ready: list[Ready] = []
        made: set[int] = set()
        for done in self._lane.take():
            if isinstance(done, Prepared):
                made.add(done.run_id)
                ready += self._folders_made(done)
            elif isinstance(done, Exception):
                self._report.troubles.append(Trouble("lane", str(done) or repr(done)))
        try:
            self._launch(ready)
        finally:
            self.preparing.under_way -= made

    def sleep_s(self) -> float:
        """How long the next pass may wait if nothing happens: due times, leases, the slow poll."""
        spread = 1 + random.random() * POLL_JITTER  # noqa: S311 - spreads polls, guards nothing
        waits = [self._board.settings().dispatch.poll_ms / 1000 * spread]
        every_s = self._board.lease_ms() / RENEWALS_PER_LEASE / 1000
        waits.append(self._renewed_at + every_s - time.monotonic())
        if self._seen.next_due is not None:
            waits.append((self._seen.next_due - self._now()) / 1000)
        if self.live.clearing:
            waits.append(CLEAR_AGAIN_S)
        return max(min(waits), 0.0)

    def _now(self) -> int:
        return time.time_ns() // 1_000_000
