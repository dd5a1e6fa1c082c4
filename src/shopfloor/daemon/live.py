"""The runs of this host whose processes have not all gone: adopt, watch, stop, settle.

The ledger says which runs there are, the supervisors' exit records how they ended.  What this file
keeps in memory can be lost at any time: `adopt` builds it again from both.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from shopfloor.daemon.attempt import marker
from shopfloor.daemon.board import DispatchBoard
from shopfloor.daemon.seats import container_in
from shopfloor.daemon.start import CHECK, WORK, Started
from shopfloor.domain import limits
from shopfloor.domain.agent_report import read_report
from shopfloor.domain.caller import BOARD
from shopfloor.domain.errors import BoardError, GuardFailed
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.model import Run, Task
from shopfloor.domain.outcomes import WORKERS_OWN, Exit, Report
from shopfloor.kernel import notes as noting
from shopfloor.kernel.settle import (
    Ended,
    Settled,
    Settlement,
    end_as,
    settle,
    settle_check,
    was_cut_off,
)
from shopfloor.ops.context import Stored
from shopfloor.process import identity, leftovers, record
from shopfloor.process.identity import Identity
from shopfloor.process.watch import ExitWatch
from shopfloor.store import notes, runs, tasks
from shopfloor.store.db import Tx

OVERDUE_MARGIN_MS = 30_000
STOP_AGAIN_MS = 2_000
STUCK_MS = 4_000
NOTE_BYTES = 4_000
CHECKS_LOST_MAX = 3
NOBODY = Identity("", 0, 0)
REPORT, REPORT_BYTES_MAX = "report.json", 1024 * 1024


class Watched(NamedTuple):
    """A supervisor that was told to go, and what it was told since."""

    started: Started
    told: str = ""
    told_at: int = 0
    told_first_at: int = 0
    overdue: bool = False


class Live:
    """The supervisors of one board on this host.

    One thread uses it, but any may ask for its length: a run that moves from one of the collections to
    another is in both for a moment rather than in none.
    """

    def __init__(self, board: DispatchBoard) -> None:
        self._board = board
        self._watch: ExitWatch[int] = ExitWatch()
        self._held: dict[int, Watched] = {}
        self._ended: list[Watched] = []
        self._checks_lost: dict[int, int] = {}
        self._to_check: set[int] = set()

    def fileno(self) -> int:
        """Readable when a supervisor has ended."""
        return self._watch.fileno()

    def __len__(self) -> int:
        return len(self._held) + len(self._ended) + len(self._to_check)

    @property
    def clearing(self) -> bool:
        """Whether an ended run still waits to be settled: look again soon."""
        return bool(self._ended)

    def close(self) -> None:
        self._watch.close()

    def hold(self, started: Started) -> None:
        """Watch a supervisor; one that has ended already is settled by the next pass."""
        watched = Watched(started)
        if self._watch.add(started.run_id, started.supervisor):
            self._held[started.run_id] = watched
        else:
            self._ended.append(watched)
        self._to_check.discard(started.run_id)

    def adopt(self, preparing: Collection[int] = ()) -> list[Settled]:
        """Take over what an earlier dispatcher left: the living are watched, the others settled.

        A run without an identity was never told to go, so nothing of it ran.  A run of another boot
        died with that boot, but a verdict that was given in it stands, and its check is still to come.
        Runs that are only now being prepared are left alone.
        """
        settled: list[Settled] = []
        known = {*self._held, *preparing, *(one.started.run_id for one in self._ended)}
        for run in self.rows():
            if run.id in known:
                continue
            supervisor = supervisor_of(run)
            if supervisor is None:
                settled.append(self._reclaim(run, "its dispatcher did not come to start it"))
            elif (
                supervisor.boot_id != identity.boot_id()
                and run.pending is None
                and self._record_of(run) is None
            ):
                lost = _lost_record(self._folder(run.id))
                settled.append(self._reclaim(run, "the host was restarted", lost))
            else:
                self.hold(Started(run.id, run.task_id, self._stage(run), supervisor))
        self._to_check.clear()
        return settled

    def _reclaim(self, run: Run, sentence: str, lost: str | None = None) -> Settled:
        settings = self._board.settings()

        def reclaim(tx: Tx) -> Settled:
            if lost is not None:
                runs.exited(tx, run_id=run.id, exit_code=None, exit_signal=None, exit_record=lost)
            return end_as(tx, settings, run.id, Outcome.RECLAIMED, error=sentence, gone=True)

        return self._board.database.write(reclaim)

    def _stage(self, run: Run) -> str:
        """Whether the supervisor that the run names does its work or its check."""
        return CHECK if run.pending is not None and run.exit_record is not None else WORK

    def _record_of(self, run: Run) -> record.ExitRecord | None:
        return record.read(str(self._folder(run.id)), self._stage(run))

    def _folder(self, run_id: int) -> Path:
        return self._board.files.run_folder(run_id)

    def collect(self) -> None:
        """Note which supervisors have ended since the last look."""
        for run_id in self._watch.ready():
            watched = self._held.get(run_id)
            if watched is not None:
                self._ended.append(watched)
                del self._held[run_id]

    def to_settle(self) -> list[Settling]:
        """The writes that close the runs whose supervisors ended, or learn that a check must run next."""
        self.collect()
        works = []
        for watched in self._ended:
            seen = self._seen(watched)
            if seen is not None:
                lost = self._checks_lost.get(watched.started.run_id, 0)
                works.append(Settling(self._board, watched, seen, checks_lost=lost))
        return works

    def settled(
        self, works: Sequence[Settling], answers: Sequence[object]
    ) -> tuple[list[Settled], list[BaseException]]:
        """Learn how those writes ended; what the ledger refused for now is tried again by the next pass."""
        settled: list[Settled] = []
        mistakes: list[BaseException] = []
        written = {id(work.watched) for work in works}
        left = [one for one in self._ended if id(one) not in written]
        for work, answer in zip(works, answers, strict=True):
            if isinstance(answer, Settled):
                settled.append(answer)
                self._count_lost_check(work.watched, answer)
                continue
            left.append(work.watched)
            if isinstance(answer, BaseException) and not isinstance(answer, BoardError):
                mistakes.append(answer)
        # A run whose check is to come holds its slot all the time.
        self._to_check |= {one.run_id for one in settled if one.settlement is Settlement.CHECK}
        self._ended = left
        return settled, mistakes

    def _count_lost_check(self, watched: Watched, answer: Settled) -> None:
        run_id = watched.started.run_id
        if answer.settlement is not Settlement.CHECK:
            self._checks_lost.pop(run_id, None)
        elif watched.started.record == CHECK:
            self._checks_lost[run_id] = self._checks_lost.get(run_id, 0) + 1

    def check_again(self, run_id: int, task_id: int) -> None:
        """A check that was not started is settled as one that was cut off: by the next pass."""
        self._ended.append(Watched(Started(run_id, task_id, CHECK, NOBODY)))
        self._to_check.discard(run_id)

    def _seen(self, watched: Watched) -> Ended | None:
        """What is known of an ended supervisor's worker; None while something of it still lives."""
        folder = str(self._folder(watched.started.run_id))
        found = record.read(folder, watched.started.record)
        if found is None:
            worker = leftovers.recorded(folder)
            sessions = () if worker is None else (worker,)
            if not leftovers.stop(marker(self._board, watched.started.run_id), sessions):
                return None
            seen = Exit(lost=not watched.overdue, timed_out=watched.overdue)
            return Ended(seen, _lost_record(Path(folder)), None, _report_in(Path(folder)))
        seen = Exit(
            never_started=found.never_started,
            spawn_error=found.spawn_error,
            exit_code=found.exit_code,
            signal=found.signal,
            timed_out=found.timed_out,
            stopped=found.stopped,
            fenced=found.fenced,
            guard_refused=found.guard_refused,
        )
        note = None
        if watched.started.record == CHECK:
            # The log goes on from attempt to attempt; only its end is this check's.
            own = min(found.output_bytes, NOTE_BYTES)
            note = self._board.files.log_tail(watched.started.task_id, own).text
        return Ended(seen, json.dumps(found._asdict()), note, _report_in(Path(folder)))

    def rows(self) -> list[Run]:
        """The runs of this host that the ledger does not know to be gone."""
        return self._board.database.read(lambda tx: runs.live_of_host(tx, self._board.host))

    def steer(self, now: int, rows: list[Run]) -> None:
        """Tell supervisors what follows from the ledger: leave after a verdict, or stop now."""
        for run in rows:
            watched = self._held.get(run.id)
            if watched is None:
                continue
            wish = _wish(run, watched)
            again = now - watched.told_at >= STOP_AGAIN_MS
            if not wish or (wish == watched.told and not again):
                continue
            first_at = watched.told_first_at if wish == watched.told else now
            number = signal.SIGTERM if wish == "stop" else signal.SIGUSR1
            if now - first_at > self._patience_ms(run, wish):
                number = signal.SIGKILL
            identity.send(watched.started.supervisor, number)
            self._held[run.id] = watched._replace(told=wish, told_at=now, told_first_at=first_at)

    def _patience_ms(self, run: Run, wish: str) -> int:
        """How long a supervisor may take for what it was told; one that takes longer is frozen or stuck."""
        profile = self._board.settings().profiles.get(run.profile or "")
        grace_ms = limits.STOP_GRACE_MS if profile is None else profile.grace_ms
        leave_ms = limits.LEAVE_GRACE_MS if profile is None else profile.leave_grace_ms
        return grace_ms + STUCK_MS + (leave_ms if wish == "leave" else 0)

    def stop_overdue(self, now: int) -> None:
        """The safety net below the supervisor's own limit: one that does not stop its worker is killed."""
        for run_id, watched in self._held.items():
            deadline = watched.started.deadline
            if deadline is not None and now > deadline + OVERDUE_MARGIN_MS and not watched.overdue:
                self._held[run_id] = watched._replace(overdue=True)
                identity.send(watched.started.supervisor, signal.SIGKILL)

    def last_activity_ms(self, run_id: int) -> int | None:
        """When the supervisor last saw output or work of its worker."""
        try:
            return round((self._folder(run_id) / "activity").stat().st_mtime * 1000)
        except FileNotFoundError:
            return None

    def running(self) -> list[int]:
        """The runs whose supervisors are watched."""
        return list(self._held)


def _wish(run: Run, watched: Watched) -> str:
    if run.ended_at is None:
        return "leave" if run.pending is not None and watched.started.record == WORK else ""
    assert run.outcome is not None
    return "leave" if Outcome(run.outcome) in WORKERS_OWN else "stop"


def _lost_record(folder: Path) -> str:
    """What can still be told of an attempt whose supervisor left no exit record: where it ran."""
    found = container_in(folder)
    where = {"runtime": "host"} if found is None else found
    return json.dumps({"lost": True, **where})


def _report_in(folder: Path) -> Report | None:
    """What an agent's runner left in the run's folder; a plain command has none."""
    try:
        with (folder / REPORT).open(encoding="utf-8", errors="replace") as file:
            return read_report(file.read(REPORT_BYTES_MAX))
    except FileNotFoundError:
        return None


def supervisor_of(run: Run) -> Identity | None:
    """The supervisor that the ledger names for a run."""
    if run.boot_id is None or run.pid is None or run.pid_start is None:
        return None
    return Identity(run.boot_id, run.pid, run.pid_start)


class Settling:
    """The write that settles one ended supervisor; artifacts are taken before, rows beside the end."""

    def __init__(
        self, board: DispatchBoard, watched: Watched, ended: Ended, *, checks_lost: int
    ) -> None:
        self._board = board
        self.watched = watched
        self._ended = ended
        self._checks_lost = checks_lost
        self._kept: list[Stored] = []
        self._missing: str | None = None
        seen = ended.seen
        if watched.started.artifacts and seen.exit_code == 0 and not seen.timed_out:
            self._take_artifacts()

    def _take_artifacts(self) -> None:
        run, task = self._board.database.read(self._rows)
        if run is None or task is None or run.ended_at is not None or run.workspace is None:
            return
        decides = self.watched.started.record == CHECK or task.check_command is None
        names = json.loads(task.artifacts)
        if not names or not decides:
            return
        try:
            taken = self._board.database.read(lambda tx: notes.attachment_names(tx, task.id))
            self._kept = self._board.files.collect(task.id, run.workspace, names, taken)
        except GuardFailed as missing:
            self._missing = missing.message

    def _rows(self, tx: Tx) -> tuple[Run | None, Task | None]:
        return runs.get(tx, self.watched.started.run_id), tasks.get(
            tx, self.watched.started.task_id
        )

    def __call__(self, tx: Tx) -> Settled:
        settings = self._board.settings()
        run_id = self.watched.started.run_id
        if self._missing is not None:
            return end_as(tx, settings, run_id, Outcome.FAILED, error=self._missing, gone=True)
        checks = self.watched.started.record == CHECK
        if checks and self._checks_lost >= CHECKS_LOST_MAX and was_cut_off(self._ended.seen):
            sentence = f"the check was cut off from outside {self._checks_lost + 1} times"
            return end_as(tx, settings, run_id, Outcome.CHECK_FAILED, error=sentence, gone=True)
        close = settle_check if checks else settle
        settled = close(tx, settings, run_id, self._ended)
        if settled.outcome is Outcome.COMPLETED and settled.settlement is Settlement.CLOSED:
            for kept in self._kept:
                noting.attach(
                    tx,
                    BOARD,
                    settled.task_id,
                    name=kept.name,
                    size=kept.size,
                    sha256=kept.sha256,
                )
        return settled
