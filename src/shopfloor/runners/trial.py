"""A trial of a profile: its program is really started, by the real runner, with a trivial task.

It works in a folder of its own before a stand-in for the board, so nothing on a board changes.  What
follows is a list of findings: each says what was looked at, whether it is well, and what to do.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shopfloor.domain.settings import Profile
from shopfloor.process import leftovers
from shopfloor.process.child import Child, Line
from shopfloor.process.launch import PACKAGE_ROOT
from shopfloor.process.spec import MARKER_NAME
from shopfloor.runners import brief as briefs
from shopfloor.runners import command, report
from shopfloor.runners.report import Report
from shopfloor.runners.stand_in import RUN, TASK, StandIn

VERSION_S = 20.0
TRIAL_S = 75.0
STOP_GRACE_S = 2.0
LEFTOVER_ROUNDS = 20
BOARD = "trial"
TASK_TEXT = f"""# Task #{TASK}: a trial

This is a trial of a set-up, not work: read no files and change none.

End the task now, with the summary "ready":

- with the board's `task_complete` tool, if you have it;
- otherwise in a shell: `shop complete {TASK} --summary ready`
- if you have neither, say "ready" and end your turn.
"""
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class Finding(NamedTuple):
    """What was looked at, whether it is well, and what is so or what to do."""

    what: str
    well: bool
    sentence: str


class Surroundings(NamedTuple):
    """Where a trial happens: a folder that is made and removed, a socket's path, an environment."""

    folder: Path
    socket: str
    base: Mapping[str, str]


def check(profile: Profile, preset: Mapping[str, Any], around: Surroundings) -> list[Finding]:
    """Look at a profile from its program's path to a verdict; later looks need the earlier ones."""
    program = profile.program or str(preset["program"])
    path = shutil.which(program, path=around.base.get("PATH"))
    if path is None:
        install = preset.get("install", "install it")
        return [Finding("program", False, f"{program!r} is not in PATH; {install}")]
    found = [Finding("program", True, path)]
    version = _version(path, preset, around.base)
    found.append(version)
    return [*found, *_tried(profile, preset, around)] if version.well else found


def _version(path: str, preset: Mapping[str, Any], base: Mapping[str, str]) -> Finding:
    words = preset.get("version", ["--version"])
    try:
        said = _said([path, *words], base)
    except OSError as wrong:
        return Finding("version", False, f"{path} cannot be started: {wrong}")
    number = _NUMBER.search(said)
    least = preset.get("minimum")
    if number is None:
        return Finding("version", True, "it does not say a number")
    if least is not None and _parts(number[0]) < _parts(least):
        words = f"{number[0]} is older than {least}, with which this preset works; update it"
        return Finding("version", False, words)
    return Finding("version", True, number[0])


def _said(argv: list[str], base: Mapping[str, str]) -> str:
    """What a program prints within a moment."""
    child = Child(argv, env=base, cwd="/")
    lines: list[Line] = []
    deadline = time.monotonic() + VERSION_S
    while child.status is None and time.monotonic() < deadline:
        lines += child.read(1.0)
    if child.status is None:
        child.stop(STOP_GRACE_S)
    child.close()
    return "\n".join(line.text for line in lines)


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _tried(profile: Profile, preset: Mapping[str, Any], around: Surroundings) -> list[Finding]:
    """The trial itself, and what it shows."""
    folder = around.folder
    token = secrets.token_hex(16)
    for part in ("run", "work"):
        (folder / part).mkdir(mode=0o700, parents=True)
    board = StandIn(around.socket, token)
    try:
        (folder / "mcp.json").write_text(json.dumps({"port": board.port, "process": None}))
        (folder / "run" / "context.md").write_text(TASK_TEXT)
        text = briefs.to_json(_brief(profile, preset, folder, board.url))
        (folder / "run" / briefs.BRIEF).write_text(text)
        ended, lines = _run(_environment(profile, preset, around, token), folder)
        told = report.read(str(folder / "run")) or Report()
        return _findings(preset, board, told, lines if ended else None)
    finally:
        board.close()
        shutil.rmtree(folder, ignore_errors=True)


def _brief(profile: Profile, preset: Mapping[str, Any], folder: Path, url: str) -> briefs.Brief:
    bridge = (sys.executable, "-m", "shopfloor", "mcp")
    return briefs.Brief(
        task=TASK,
        run=RUN,
        attempt=1,
        role="worker",
        board=BOARD,
        profile=briefs.Profile(
            profile.name,
            profile.kind,
            profile.preset or "",
            profile.argv,
            profile.program,
            profile.provider,
            "auto" if profile.permissions == "ask" else profile.permissions,
            profile.max_turns,
            0,
            profile.secrets,
        ),
        preset=preset,
        context=str(folder / "run" / "context.md"),
        folder=str(folder / "run"),
        workspace=str(folder / "work"),
        model=profile.model,
        mcp=briefs.Mcp(url, bridge),
        quota_wait_s=0,
    )


def _environment(
    profile: Profile, preset: Mapping[str, Any], around: Surroundings, token: str
) -> dict[str, str]:
    run = around.folder / "run"
    place = command.Place(
        str(around.folder),
        BOARD,
        around.socket,
        str(around.folder / "work"),
        str(run / "context.md"),
    )
    base = around.base
    passed = {name: base[name] for name in preset.get("pass_env", ()) if name in base}
    env = command.agent_environment(
        command.Attempt(TASK, 1, RUN, token), profile, place, base=base, passed=passed
    )
    return {**env, MARKER_NAME: str(around.folder)}


def _run(env: Mapping[str, str], folder: Path) -> tuple[bool, list[str]]:
    """Run the runner to its end, or to the end of our patience; nothing of it stays."""
    child = Child(
        [*command.RUNNER, PACKAGE_ROOT, str(folder / "run")], env=env, cwd=str(folder / "work")
    )
    lines: list[str] = []
    deadline = time.monotonic() + TRIAL_S
    while child.status is None and time.monotonic() < deadline:
        lines += [line.text for line in child.read(1.0)]
    ended = child.status is not None
    if not ended:
        child.stop(STOP_GRACE_S)
    child.close()
    for _ in range(LEFTOVER_ROUNDS):
        if leftovers.stop(str(folder)):
            break
    return ended, lines


def _findings(
    preset: Mapping[str, Any], board: StandIn, told: Report, lines: list[str] | None
) -> list[Finding]:
    """What a trial shows; `lines` is None where it did not end in time."""
    if lines is None:
        words = f"it had not ended after {TRIAL_S:.0f} s; look whether it waits for a login or a question"
        return [Finding("start", False, words)]
    failed = told.ending is not None and told.ending != "no_verdict"
    if failed:
        what = "login" if told.ending == "auth_failed" else "start"
        last = "" if what == "login" else _last(lines)
        return [Finding(what, False, f"{told.sentence}{last}")]
    found = [Finding("login", True, "its provider answered")]
    found.append(_tools(preset, board))
    if board.verdict is not None:
        found.append(Finding("verdict", True, f"it ended the task by {board.verdict}"))
    else:
        words = f"it ended without a verdict; its last words: {told.text or _last(lines)}"
        found.append(Finding("verdict", False, words))
    return found


def _tools(preset: Mapping[str, Any], board: StandIn) -> Finding:
    if board.shook_hands:
        return Finding("tools", True, "it has the board's tools")
    hint = preset.get("setup")
    words = "it did not ask for the board's tools and works with `shop` from its shell"
    if preset.get("verdict") == "turn":
        words = "it takes no tools: the end of its turn is its verdict"
    return Finding("tools", True, f"{words}; for the tools: {hint}" if hint else words)


def _last(lines: list[str]) -> str:
    words = " / ".join(line.strip() for line in lines[-3:] if line.strip())
    return f" ({words})" if words else ""


def free_folder(home: Path) -> Path:
    """A folder's name for a trial, below the home: some programs trust no folder that others may write."""
    return home / "trials" / f"{os.getpid()}-{secrets.token_hex(4)}"
