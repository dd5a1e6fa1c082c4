"""Attempts in containers: which container an attempt wants, and its spec once it has one."""

from __future__ import annotations

import shutil
from pathlib import Path

from shopfloor.daemon.attempt import Attempt
from shopfloor.daemon.board import DispatchBoard
from shopfloor.daemon.containers import Containers, tell, told_of
from shopfloor.domain.errors import BoardError
from shopfloor.process.container import Seat, Wanted, engine_words, find_engine
from shopfloor.process.spec import WorkerSpec
from shopfloor.runners import container

CONTEXT = "context.md"


def wanted(board: DispatchBoard, attempt: Attempt) -> Wanted | None:
    """The container that an attempt runs in; None is the host.  Raises Refused where no engine is."""
    asked = container.where(attempt.task, attempt.profile, attempt.runtime)
    if asked is None:
        return None
    settings = board.settings().runtime
    return container.wanted(
        asked,
        find_engine(settings.engine, board.base_environment),
        settings,
        profile=attempt.profile,
        workspaces=_workspaces(board, attempt),
    )


def image_to_make(board: DispatchBoard, attempt: Attempt, containers: Containers) -> str | None:
    """The image of the container that has to be made for an attempt; None where nothing has to be."""
    if container.where(attempt.task, attempt.profile, attempt.runtime) is None:
        return None
    try:
        found = wanted(board, attempt)
    except BoardError:
        # It is told where the attempt is prepared.
        return None
    return None if found is None or containers.is_warm(found) else found.image


def _workspaces(board: DispatchBoard, attempt: Attempt) -> list[str]:
    """The folders that hold the attempt's workspace: for scratch that of all, so that a container serves many.

    Where no container serves a second attempt, it is the attempt's own.
    """
    task = attempt.task
    if task.workspace_kind == "scratch":
        every = board.files.workspaces()
        every.mkdir(mode=0o700, parents=True, exist_ok=True)
        one_use = board.settings().runtime.idle_timeout_ms == 0
        return [str(every / str(task.id) if one_use else every)]
    folders = [task.workspace_path]
    if task.workspace_kind == "worktree":
        # What git keeps of a worktree lies in its repository.
        folders.append(board.default_workdir())
    return [folder for folder in folders if folder is not None]


def moved_in(
    board: DispatchBoard,
    attempt: Attempt,
    spec: WorkerSpec,
    *,
    seat: Seat,
    image: str,
    context: Path,
) -> WorkerSpec:
    """The spec of an attempt that has its container: the same command, started inside."""
    tell(Path(spec.run_dir), seat.name, image)
    env = container.carried(spec.env, attempt.task, attempt.profile)
    if context.exists():
        shutil.copyfile(context, seat.folder / CONTEXT)
        env["SHOPFLOOR_CONTEXT"] = str(seat.folder / CONTEXT)
    words = engine_words(seat)
    return spec._replace(
        env=env,
        runtime=f"container:{image}",
        container=seat.name,
        seat=str(seat.folder),
        fresh=seat.fresh,
        engine=words,
        engine_env=dict(board.base_environment) if words else None,
        environment=board.environment_digest(env),
    )


def image_of_run(board: DispatchBoard, run_id: int) -> str:
    """The image of the container that an attempt was started in."""
    return told_of(board.files.run_folder(run_id))["image"]


def container_in(run_folder: Path) -> dict[str, str] | None:
    """The runtime and the container of an attempt, as exit records tell them; None where it had none."""
    try:
        told = told_of(run_folder)
    except (FileNotFoundError, ValueError):
        return None
    return {"runtime": f"container:{told['image']}", "container": told["name"]}
