"""What an agent's runner is told and started as: the brief in the run's folder, and the program."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shopfloor.daemon.board import DispatchBoard
from shopfloor.domain import limits
from shopfloor.domain.model import Task
from shopfloor.domain.settings import Profile
from shopfloor.process.launch import PACKAGE_ROOT
from shopfloor.runners import brief as briefs
from shopfloor.runners import command, preset, report

SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "CONFIG_CONTENT")


class Session(NamedTuple):
    """A session of an earlier attempt to go on with, and what its agent is told there."""

    id: str
    news: str
    run_id: int | None


class Told(NamedTuple):
    """What an agent's attempt is made from."""

    task: Task
    profile: Profile
    run_id: int
    token: str
    session: Session | None


def agent(
    board: DispatchBoard, place: command.Place, told: Told
) -> tuple[command.Program, tuple[str, ...]]:
    """Write the brief and answer with the runner's program and the values to mask in its log.

    Raises NotFound or Invalid where the preset is not there or not right, and OSError.
    """
    task, profile = told.task, told.profile
    assert profile.preset is not None, "the settings give every agent its preset"
    found = preset.load(profile.preset, Path(board.home_path) / "presets")
    passed = {
        name: board.base_environment[name]
        for name in (*found.get("pass_env", ()), *profile.pass_env)
        if name in board.base_environment
    }
    hidden = _hidden(profile, passed)
    folder = os.path.dirname(place.context)  # noqa: PTH120 - a text that goes into texts
    workspace = os.path.join(place.workspace, profile.workdir or "")  # noqa: PTH118 - "" keeps the folder
    brief = briefs.Brief(
        task=task.id,
        run=told.run_id,
        attempt=task.attempts,
        role="reviewer" if task.phase == "review" else "worker",
        board=board.slug,
        profile=_profile(profile, (*profile.secrets, *hidden)),
        preset=found,
        context=place.context,
        folder=folder,
        workspace=workspace.rstrip("/") or "/",
        model=task.model or profile.model,
        skills=tuple(dict.fromkeys((*profile.skills, *json.loads(task.skills)))),
        session=None if told.session is None else told.session.id,
        session_usage=_counted(board, told.session),
        news=None if told.session is None else told.session.news,
        goal=_goal(task),
        mcp=_mcp(board),
        quota_wait_s=profile.quota_wait_ms / 1000,
    )
    _write(Path(folder) / briefs.BRIEF, briefs.to_json(brief))
    report.write(folder, report.Report(session_id=brief.session, model=brief.model))
    argv = (*command.RUNNER, PACKAGE_ROOT, folder)
    attempt = command.Attempt(task.id, task.attempts, told.run_id, told.token)
    base = board.base_environment
    env = command.agent_environment(attempt, profile, place, base=base, passed=passed)
    return command.Program(argv, env, place.workspace), tuple(hidden.values())


def _hidden(profile: Profile, passed: Mapping[str, str]) -> dict[str, str]:
    """What of the dispatcher's variables no log may hold; an address or a folder would be missed in one."""
    return {
        name: value
        for name, value in passed.items()
        if name in profile.pass_env or any(word in name for word in SECRET_WORDS)
    }


def _counted(board: DispatchBoard, session: Session | None) -> Mapping[str, object] | None:
    """What a session had counted when its last run left it; None where no report says."""
    if session is None or session.run_id is None:
        return None
    found = report.read(str(board.files.run_folder(session.run_id)))
    return None if found is None else found.session_usage._asdict()


def _profile(profile: Profile, secrets: tuple[str, ...]) -> briefs.Profile:
    return briefs.Profile(
        profile.name,
        profile.kind,
        profile.preset or "",
        profile.argv,
        profile.program,
        profile.provider,
        profile.permissions,
        profile.max_turns,
        profile.reminders,
        secrets,
    )


def _mcp(board: DispatchBoard) -> briefs.Mcp | None:
    """The board's tools; without them an agent uses `shop` from its shell."""
    found = board.mcp()
    return None if found is None else briefs.Mcp(found["url"], tuple(found["stdio"]))


def _goal(task: Task) -> briefs.Goal | None:
    if not task.goal or task.phase == "review":
        return None
    turns = min(task.goal_turns or limits.GOAL_TURNS, limits.GOAL_TURNS_MAX)
    return briefs.Goal(turns, task.title, task.body)


def _write(path: Path, text: str) -> None:
    """Write the brief for this user alone; the runner is started after it is whole."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
