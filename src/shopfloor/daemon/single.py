"""One dispatch pass by a command, where no dispatcher runs; the workers that it starts live on.

A dry run only reads: it reports what a pass would start and what it would leave, and why.
"""

from __future__ import annotations

from shopfloor.daemon.board import DispatchBoard
from shopfloor.daemon.dispatcher import Dispatcher
from shopfloor.daemon.lane import Lane
from shopfloor.daemon.live import supervisor_of
from shopfloor.daemon.start import CHECK, WORK
from shopfloor.domain.errors import Refused
from shopfloor.domain.limits import BATCH_PER_TICK
from shopfloor.domain.report import DispatchReport, Skipped, Start
from shopfloor.kernel import claim as claiming
from shopfloor.kernel import sweep
from shopfloor.process import identity, record
from shopfloor.process.launch import Launcher
from shopfloor.store import runs, tasks
from shopfloor.store.db import Tx
from shopfloor.store.wake import Wake


def single_pass(board: DispatchBoard, *, most: int | None) -> DispatchReport:
    """Adopt, make one pass, and leave the workers to their supervisors."""
    if board.shared:
        raise Refused(
            "a shared board needs a dispatcher that stays, because its leases must be renewed; "
            "run `shop up`, or look with `shop dispatch --dry-run`"
        )
    wake = Wake()
    lane, launcher = Lane(wake.ring), Launcher()
    dispatcher = Dispatcher(board, launcher, lane)
    try:
        adopted = dispatcher.begin()
        report = dispatcher.run_pass(most)
        report.settled[:0] = adopted.settled
        lane.close()
        dispatcher.preparing.containers.finish(cut_off=False)
        dispatcher.start_prepared()
    finally:
        dispatcher.live.close()
        launcher.close()
    return report


def look(board: DispatchBoard, *, most: int | None) -> DispatchReport:
    """What a pass would do now; nothing is written."""
    return board.database.read(lambda tx: _would(tx, board, most))


def _would(tx: Tx, board: DispatchBoard, most: int | None) -> DispatchReport:
    settings = board.settings()
    planned = claiming.plan(
        tx,
        settings,
        host=board.host,
        host_cap=board.host_cap(),
        most=BATCH_PER_TICK if most is None else most,
    )
    return DispatchReport(
        dry_run=True,
        started=[Start(c.task.id, None, c.profile, c.role) for c in planned.start],
        due=tasks.due(tx, BATCH_PER_TICK),
        promoted=tasks.todo_after(tx, 0, BATCH_PER_TICK),
        assigned=sweep.assign_default(tx, settings, dry_run=True),
        skipped=[Skipped(s.code, s.lane, s.sentence, s.task_id) for s in planned.skipped],
        warnings=list(settings.warnings),
    )


def lost(board: DispatchBoard) -> list[int]:
    """The open runs of this host whose supervisor is not alive and left no record of how they ended.

    A run that was never told to go is one of them: where this is asked, no dispatcher runs that could.
    """
    found = []
    for run in board.database.read(lambda tx: runs.live_of_host(tx, board.host)):
        supervisor = supervisor_of(run)
        folder = str(board.files.run_folder(run.id))
        settled_later = any(record.read(folder, name) is not None for name in (WORK, CHECK))
        alive = supervisor is not None and identity.alive(supervisor)
        if run.ended_at is None and not alive and not settled_later:
            found.append(run.id)
    return found
