"""A command in a container: which container it wants, and which variables come with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shopfloor.domain.model import Runtime, Task
from shopfloor.domain.runtimes import image_of, memory_bytes, mount
from shopfloor.domain.settings import Profile
from shopfloor.domain.settings_runtime import Runtimes
from shopfloor.process.container import Engine, Wanted

CPU_MILLIS = 1_000
CARRIED = frozenset({"LANG", "TZ", "TERM", "COLORTERM"})
CARRIED_PREFIXES = ("LC_", "SHOPFLOOR_")


class Where(NamedTuple):
    """A container as a task or a profile asks for it."""

    image: str
    mounts: tuple[str, ...]
    memory_bytes: int | None
    cpu_millis: int | None
    pids: int | None


def where(task: Task, profile: Profile | None, own: Runtime | None) -> Where | None:
    """The container that an attempt runs in; None is the host.

    The task's own word is about its own command; a review is done where the reviewer's profile says.
    """
    if own is not None and task.command is not None and task.phase != "review":
        image = image_of(own.runtime)
        mounts = tuple(json.loads(own.mounts))
        limits = (own.memory_bytes, own.cpu_millis, own.pids)
        return None if image is None else Where(image, mounts, *limits)
    if profile is None or profile.runtime is None:
        return None
    image = image_of(profile.runtime)
    if image is None:
        return None
    return Where(
        image,
        tuple(mount(words).text() for words in profile.mounts),
        None if profile.memory is None else memory_bytes(profile.memory),
        None if profile.cpus is None else max(round(profile.cpus * CPU_MILLIS), 1),
        profile.pids,
    )


def wanted(
    asked: Where,
    engine: Engine,
    settings: Runtimes,
    *,
    profile: Profile | None,
    workspaces: Sequence[str],
) -> Wanted:
    """The container for it; the folders of workspaces are seen inside at the same paths."""
    seen = {folder: f"{folder}:{folder}" for folder in workspaces}
    given = {words.split(":")[1]: words for words in asked.mounts}
    return Wanted(
        engine,
        asked.image,
        tuple(sorted({**seen, **given}.values())),
        asked.memory_bytes,
        asked.cpu_millis,
        asked.pids,
        "" if profile is None else profile.name,
        settings.arguments,
    )


def carried(env: Mapping[str, str], task: Task, profile: Profile | None) -> dict[str, str]:
    """What of a worker's environment means something inside: not the host's PATH, HOME and folders.

    What the profile and the task name themselves is always carried.
    """
    named = set() if task.command is None else {*json.loads(task.command).get("env", {})}
    if profile is not None:
        named |= {*profile.env, *profile.pass_env}
    return {
        name: value
        for name, value in env.items()
        if name in named or name in CARRIED or name.startswith(CARRIED_PREFIXES)
    }
