"""From a claim to a running worker: folders, context, two-step start.

The supervisor waits at its go-pipe until its identity is in the ledger.  If the run was taken back in
between, the identity is refused and the supervisor leaves without having run anything.  What fails
before that ends the run as `spawn_failed` with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from shopfloor.daemon import brief, seats
from shopfloor.daemon.attempt import Attempt, marker
from shopfloor.daemon.board import DispatchBoard, write_all
from shopfloor.daemon.containers import Containers
from shopfloor.domain import limits
from shopfloor.domain.errors import BoardError, Refused, Unavailable
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.model import Task
from shopfloor.domain.settings import Profile
from shopfloor.kernel import resume
from shopfloor.kernel.claim import Claimed
from shopfloor.kernel.context import CONTEXT_LOG_BYTES, compose
from shopfloor.kernel.settle import end_as
from shopfloor.process.container import Seat
from shopfloor.process.identity import Identity
from shopfloor.process.launch import LaunchError, Pending, write_fence
from shopfloor.process.spec import WorkerSpec
from shopfloor.process.workspace import prepare
from shopfloor.runners import command
from shopfloor.store import orders, runs
from shopfloor.store.db import Tx

WORK, CHECK = "exit.json", "check.json"
FENCE_SHARE = 2 / 3


class Launching(Protocol):
    """What starts supervisors: they wait at their go-pipes."""

    def start_many(self, specs: Sequence[WorkerSpec]) -> list[Pending | LaunchError]: ...


class Ready(NamedTuple):
    """An attempt with its folders made: only the supervisor is missing."""

    attempt: Attempt
    spec: WorkerSpec
    workspace: str


class Started(NamedTuple):
    """A supervisor that was told to go; `deadline` is when its limit is reached, in ms since the epoch."""

    run_id: int
    task_id: int
    record: str
    supervisor: Identity
    deadline: int | None = None
    artifacts: bool = True


def attempts(tx: Tx, board: DispatchBoard, claimed: Sequence[Claimed]) -> list[Attempt]:
    """What the claimed tasks need to be started, with the context each worker is told."""
    profiles = board.settings().profiles
    runtimes = orders.runtimes(tx, [one.task.id for one in claimed if one.task.command is not None])

    def log_tail(task_id: int) -> str:
        return board.files.log_tail(task_id, CONTEXT_LOG_BYTES).text

    found = []
    for one in claimed:
        profile = profiles.get(one.profile or "")
        context = compose(tx, one.task, board.files.path, log_tail)
        session = None
        if profile is not None and profile.is_agent:
            session = _session(tx, board, one.task, profile)
        runtime = runtimes.get(one.task.id)
        found.append(Attempt(one.run_id, one.task, one.token, profile, context, session, runtime))
    return found


def _session(tx: Tx, board: DispatchBoard, task: Task, profile: Profile) -> brief.Session | None:
    """The session that an agent goes on in, with the run that left it."""
    role = "reviewer" if task.phase == "review" else "worker"
    found = resume.session_for(tx, task, profile.name, role, host=board.host)
    if found is None:
        return None
    last = runs.of_task(tx, task.id, resume.RUNS_SEARCHED)
    left = (run.id for run in last if run.session_id == found.session_id)
    return brief.Session(found.session_id, found.news, next(left, None))


def get_ready(board: DispatchBoard, attempt: Attempt, containers: Containers) -> Ready:
    """Make the folders of an attempt and write its context; raises Refused or OSError with the reason.

    One in a container gets its container here, too, and where none is warm that takes its time.
    """
    task = attempt.task
    repository = board.default_workdir() if task.workspace_kind == "worktree" else None
    workspace = prepare(
        task.workspace_kind,
        workspaces=board.files.workspaces(),
        name=str(task.id),
        path=task.workspace_path,
        repository=repository,
        branch=task.branch,
    ).path
    folder = board.files.run_folder(attempt.run_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    context = folder / "context.md"
    context.write_bytes(attempt.context.encode())
    place = command.Place(
        board.home_path, board.slug, board.socket_path, str(workspace), str(context)
    )
    program, masked = _program(board, attempt, place)
    limit = task.max_runtime_ms
    if limit is None and attempt.profile is not None:
        limit = attempt.profile.max_runtime_ms
    spec = _spec(board, attempt, folder, program)
    found = seats.wanted(board, attempt)
    if found is not None:
        seat = containers.take(attempt.run_id, found)
        spec = seats.moved_in(board, attempt, spec, seat=seat, image=found.image, context=context)
    spec = spec._replace(
        max_runtime_ms=limit, secrets=tuple(dict.fromkeys((*spec.secrets, *masked)))
    )
    return Ready(attempt, spec, str(workspace))


def _program(
    board: DispatchBoard, attempt: Attempt, place: command.Place
) -> tuple[command.Program, tuple[str, ...]]:
    """What the supervisor starts, and what its log must not hold beside the profile's secrets.

    The task's own command goes first where it is to be worked on; an agent's profile gets the runner.
    """
    task, profile = attempt.task, attempt.profile
    own = task.command is not None and task.phase != "review"
    if profile is not None and profile.is_agent and not own:
        return brief.agent(
            board,
            place,
            brief.Told(task, profile, attempt.run_id, attempt.token, attempt.session),
        )
    program = command.program(
        task,
        profile,
        place,
        run_id=attempt.run_id,
        token=attempt.token,
        base=board.base_environment,
    )
    if program is None:
        raise Refused(f"neither #{task.id} nor its profile names a command to run")
    return program, ()


def ready_to_check(
    board: DispatchBoard, attempt: Attempt, workspace: str, seat: Seat | None
) -> Ready:
    """The second supervised process of a run: its task's check, in the workspace and container of the work."""
    folder = board.files.run_folder(attempt.run_id)
    place = command.Place(
        board.home_path, board.slug, board.socket_path, workspace, str(folder / "context.md")
    )
    program = command.check(attempt.task, attempt.profile, place, base=board.base_environment)
    spec = _spec(board, attempt, folder, program)
    if seat is not None:
        image = seats.image_of_run(board, attempt.run_id)
        spec = seats.moved_in(
            board, attempt, spec, seat=seat, image=image, context=folder / "context.md"
        )
    spec = spec._replace(record=CHECK, max_runtime_ms=board.settings().dispatch.check_runtime_ms)
    return Ready(attempt, spec, workspace)


def _spec(
    board: DispatchBoard, attempt: Attempt, folder: Path, program: command.Program
) -> WorkerSpec:
    profile = attempt.profile
    spec = WorkerSpec(
        run=attempt.run_id,
        argv=program.argv,
        env=program.env,
        cwd=program.cwd,
        run_dir=str(folder),
        log_path=str(board.files.log_path(attempt.task.id)),
        marker=marker(board, attempt.run_id),
        grace_ms=limits.STOP_GRACE_MS if profile is None else profile.grace_ms,
        leave_grace_ms=limits.LEAVE_GRACE_MS if profile is None else profile.leave_grace_ms,
        log_limit_bytes=limits.LOG_BYTES_MAX,
        secrets=command.secrets(profile, board.base_environment),
        environment=board.environment_digest(program.env),
    )
    if not board.shared:
        return spec
    fence = str(folder / "lease")
    write_fence(fence)
    return spec._replace(fence_path=fence, fence_ms=round(board.lease_ms() * FENCE_SHARE))


def start(
    board: DispatchBoard, launcher: Launching, ready: Sequence[Ready]
) -> tuple[list[Started], BaseException | None]:
    """Start supervisors, write down who they are, and let them go; refused ones leave by themselves.

    Also answers with what kept something from being written: then the ledger has runs that nobody
    watches, which adopting them again puts right.
    """
    if not ready:
        return [], None
    pending = launcher.start_many([one.spec for one in ready])
    works: list[Callable[[Tx], bool]] = []
    for one, waiting in zip(ready, pending, strict=True):
        if isinstance(waiting, LaunchError):
            works.append(partial(_not_launched, board, one, waiting))
        else:
            works.append(partial(_identified, one, waiting.identity))
    started: list[Started] = []
    try:
        written = write_all(board.database, works)
        for one, waiting, known in zip(ready, pending, written, strict=True):
            if known is True and isinstance(waiting, Pending):
                waiting.go()
                started.append(_started(one, waiting.identity))
    finally:
        for waiting in pending:
            if isinstance(waiting, Pending):
                waiting.abandon()
    unknown = [
        partial(_never_started, board, one.attempt.run_id)
        for one, waiting, known in zip(ready, pending, written, strict=True)
        if known is not True and isinstance(waiting, Pending) and one.spec.record == WORK
    ]
    ended = write_all(board.database, unknown)
    failed = [one for one in (*written, *ended) if isinstance(one, BaseException)]
    return started, failed[0] if failed else None


def _started(one: Ready, supervisor: Identity) -> Started:
    limit = one.spec.max_runtime_ms
    return Started(
        one.attempt.run_id,
        one.attempt.task.id,
        one.spec.record,
        supervisor,
        None if limit is None else time.time_ns() // 1_000_000 + limit,
        one.attempt.task.artifacts != "[]",
    )


def _identified(one: Ready, supervisor: Identity, tx: Tx) -> bool:
    return runs.identify(
        tx,
        run_id=one.attempt.run_id,
        token=one.attempt.token,
        boot_id=supervisor.boot_id,
        pid=supervisor.pid,
        pid_start=supervisor.started,
        workspace=one.workspace,
    )


def _not_launched(board: DispatchBoard, one: Ready, error: LaunchError, tx: Tx) -> bool:
    """A check that could not be launched is tried again by a later pass; the work gets a new run.

    A helper that died is nobody's failure, so that run was never started and is reclaimed.
    """
    if one.spec.record == CHECK:
        return False
    outcome = Outcome.RECLAIMED if error.try_again else Outcome.SPAWN_FAILED
    end_as(tx, board.settings(), one.attempt.run_id, outcome, error=error.sentence, gone=True)
    return False


def _never_started(board: DispatchBoard, run_id: int, tx: Tx) -> None:
    """The identity was refused or could not be written: the supervisor left before it ran anything."""
    sentence = "it was taken back before its worker was started"
    end_as(tx, board.settings(), run_id, Outcome.RECLAIMED, error=sentence, gone=True)


def spawn_failed(board: DispatchBoard, run_id: int, why: Exception) -> BoardError | None:
    """End a run whose folders, profile or program could not be had; what keeps that from being written."""
    sentence = why.message if isinstance(why, BoardError) else str(why)
    # What is unavailable was cut off, as by the end of this dispatcher: nobody's failure.
    outcome = Outcome.RECLAIMED if isinstance(why, Unavailable) else Outcome.SPAWN_FAILED
    try:
        board.database.write(
            lambda tx: end_as(tx, board.settings(), run_id, outcome, error=sentence, gone=True)
        )
    except BoardError as failed:
        return failed
    return None
