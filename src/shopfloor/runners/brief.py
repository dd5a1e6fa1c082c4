"""The brief: what the dispatcher tells the runner of one run, as `agent.json` in the run's folder.

It holds the profile, the preset that was in force at the start, the session to go on with and the news
for it.  It holds no secret: the run's token and the profile's variables are in the environment alone.
"""

# Each run loads this file, and pathlib would cost it time and memory.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from shopfloor.domain import limits

BRIEF = "agent.json"


class Goal(NamedTuple):
    """A task that is worked on turn by turn until a judge says that it is reached."""

    turns: int
    title: str
    body: str


class Mcp(NamedTuple):
    """The board's MCP server: its address, and the bridge for programs that take no address."""

    url: str
    stdio: tuple[str, ...]


class Profile(NamedTuple):
    """What the runner needs of a profile."""

    name: str
    kind: str
    preset: str
    argv: tuple[str, ...] = ()
    program: str | None = None
    provider: str | None = None
    permissions: str = "auto"
    max_turns: int | None = None
    reminders: int = limits.REMINDERS_MAX
    secrets: tuple[str, ...] = ()


class Brief(NamedTuple):
    """All that one run is told."""

    task: int
    run: int
    attempt: int
    role: str
    board: str
    profile: Profile
    preset: Mapping[str, Any]
    context: str
    folder: str
    workspace: str
    model: str | None = None
    skills: tuple[str, ...] = ()
    session: str | None = None
    session_usage: Mapping[str, Any] | None = None
    news: str | None = None
    goal: Goal | None = None
    mcp: Mcp | None = None
    quota_wait_s: float = limits.QUOTA_WAIT_S


def to_json(brief: Brief) -> str:
    """The brief as it is written."""
    told = brief._asdict()
    told["profile"] = brief.profile._asdict()
    told["goal"] = None if brief.goal is None else brief.goal._asdict()
    told["mcp"] = None if brief.mcp is None else brief.mcp._asdict()
    return json.dumps(told)


def read(folder: str) -> Brief:
    """The brief of a run; raises OSError, or ValueError for what is none."""
    with open(os.path.join(folder, BRIEF), "rb") as file:
        told = json.loads(file.read())
    try:
        told["profile"] = Profile(**_tuples(told["profile"], "argv", "secrets"))
        told["goal"] = None if told["goal"] is None else Goal(**told["goal"])
        told["mcp"] = None if told["mcp"] is None else Mcp(**_tuples(told["mcp"], "stdio"))
        return Brief(**_tuples(told, "skills"))
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"{folder}/{BRIEF} is not what a dispatcher writes: {wrong}") from None


def _tuples(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**told, **{name: tuple(told[name]) for name in names if name in told}}
