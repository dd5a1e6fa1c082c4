"""What a supervisor starts: a plain command, or the runner of an agent, each with its environment."""

from __future__ import annotations

import json
import os.path
import sys
from collections.abc import Mapping
from typing import NamedTuple

from shopfloor.domain.model import Task
from shopfloor.domain.settings import Profile
from shopfloor.domain.settings_hooks import Hook
from shopfloor.process.environment import worker_environment

# The runner is our own program, run by our own interpreter without the user's packages, so that nothing in
# an agent's workspace can stand in for a module of it.  The package's place and the run's folder follow.
AGENT = "shopfloor.runners.agent"
BOOT = f"import sys; sys.path.append(sys.argv[1]); from {AGENT} import main; main()"
CALLER = "shopfloor.process.hook_call"
PYTHON = (sys.executable, "-I", "-S", "-X", "utf8")
RUNNER = (*PYTHON, "-c", BOOT)


# What a worker finds in its environment beside what its profile and its task name, in words.
VARIABLES = {
    "SHOPFLOOR_HOME": "the home, with all boards and the configuration",
    "SHOPFLOOR_BOARD": "the board's short name",
    "SHOPFLOOR_TASK": "the task's number",
    "SHOPFLOOR_RUN": "the run's number; a check has none",
    "SHOPFLOOR_TOKEN": "the run's secret: with it `shop` speaks as this run; a check has none",
    "SHOPFLOOR_SOCKET": "the door's socket",
    "SHOPFLOOR_WORKSPACE": "the directory that it starts in",
    "SHOPFLOOR_ATTEMPT": "the number of this attempt, from 1",
    "SHOPFLOOR_CONTEXT": "a Markdown file with all that is known of the task; `shop context` prints it",
    "SHOPFLOOR_MARKER": "finds what a dead supervisor left behind; leave it in the environment of children",
    "SHOPFLOOR_MCP_URL": "where the board's tools are; of agents alone",
    "SHOPFLOOR_MCP_TOKEN": "the bearer token of those tools, RUN:TOKEN; of agents alone",
}


class Program(NamedTuple):
    """What a supervisor starts."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str


class Attempt(NamedTuple):
    """Whose attempt it is, as its worker's environment says."""

    task: int
    number: int
    run: int
    token: str


class Place(NamedTuple):
    """Where an attempt runs: the paths and names that its worker finds in its environment."""

    home: str
    board: str
    socket: str
    workspace: str
    context: str


def program(
    task: Task,
    profile: Profile | None,
    place: Place,
    *,
    run_id: int,
    token: str,
    base: Mapping[str, str],
) -> Program | None:
    """The worker of an attempt; None where neither task nor profile names a command.

    A review is done by the reviewer's profile: the task's own command is the work that it looks at.
    """
    extra = _worker(Attempt(task.id, task.attempts, run_id, token), place)
    if task.command is None or task.phase == "review":
        if profile is None or not profile.argv:
            return None
        return Program(profile.argv, _environment(base, profile, {}, extra), place.workspace)
    given = json.loads(task.command)
    cwd = os.path.join(place.workspace, given.get("cwd") or "")  # noqa: PTH118 - "" must keep the folder
    return Program(
        tuple(given["argv"]), _environment(base, profile, given.get("env", {}), extra), cwd
    )


def agent_environment(
    attempt: Attempt,
    profile: Profile,
    place: Place,
    *,
    base: Mapping[str, str],
    passed: Mapping[str, str],
) -> dict[str, str]:
    """An agent's environment: a worker's, with what its preset and profile let pass of the dispatcher's."""
    return {**passed, **_environment(base, profile, {}, _worker(attempt, place))}


def passed_by(profile: Profile, base: Mapping[str, str]) -> dict[str, str]:
    """What a profile lets pass of the dispatcher's environment."""
    return {name: base[name] for name in profile.pass_env if name in base}


def hook_program_of(hook: Hook, home: str) -> tuple[str, ...]:
    """The words that start a hook; one in Python is called by a small program of ours."""
    if hook.python is None:
        return hook.command
    return (sys.executable, "-m", CALLER, hook.python, os.path.join(home, "hooks"))  # noqa: PTH118 - words of a command


def secrets(profile: Profile | None, base: Mapping[str, str]) -> tuple[str, ...]:
    """The values of a profile that no log may hold."""
    if profile is None:
        return ()
    own = (profile.env[name] for name in profile.secrets if name in profile.env)
    return (*own, *passed_by(profile, base).values())


def check(task: Task, profile: Profile | None, place: Place, *, base: Mapping[str, str]) -> Program:
    """The check of a task: the worker's surroundings, without the run's credentials."""
    assert task.check_command is not None
    env = _environment(base, profile, {}, _names(task.id, task.attempts, place))
    return Program(tuple(json.loads(task.check_command)), env, place.workspace)


def _worker(attempt: Attempt, place: Place) -> dict[str, str]:
    names = _names(attempt.task, attempt.number, place)
    return {**names, "SHOPFLOOR_RUN": str(attempt.run), "SHOPFLOOR_TOKEN": attempt.token}


def _names(task: int, attempt: int, place: Place) -> dict[str, str]:
    return {
        "SHOPFLOOR_HOME": place.home,
        "SHOPFLOOR_BOARD": place.board,
        "SHOPFLOOR_TASK": str(task),
        "SHOPFLOOR_SOCKET": place.socket,
        "SHOPFLOOR_WORKSPACE": place.workspace,
        "SHOPFLOOR_ATTEMPT": str(attempt),
        "SHOPFLOOR_CONTEXT": place.context,
    }


def _environment(
    base: Mapping[str, str],
    profile: Profile | None,
    asked: Mapping[str, str],
    extra: Mapping[str, str],
) -> dict[str, str]:
    own = {} if profile is None else {**passed_by(profile, base), **profile.env}
    env = worker_environment(base, {**own, **asked, **extra})
    # A worker reports with `shop`, so it must find it; last, so that it hides nothing of the user's.
    tools = os.path.dirname(sys.executable)  # noqa: PTH120 - a text for PATH
    env["PATH"] = f"{env['PATH']}:{tools}" if env.get("PATH") else tools
    return env
