"""The small programs: init, doctor, version: what is not a question to a board."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import sys
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from shopfloor import __version__
from shopfloor.app.boards import DEFAULT, HomeBoards, private
from shopfloor.app.own_door import prepare_board, release_board
from shopfloor.app.service import open_database
from shopfloor.app.up import EXAMPLE, running_pid
from shopfloor.config import Home, actor, find_home, safe_concurrency
from shopfloor.config.reading import load_settings
from shopfloor.domain.diagnostics import DISK_FREE_LEAST, DISK_FREE_LOW
from shopfloor.domain.errors import BoardError
from shopfloor.domain.settings import Profile
from shopfloor.runners.preset import load
from shopfloor.store.db import Database
from shopfloor.store.health import known_faults, library_version
from shopfloor.store.lock import BoardLock
from shopfloor.store.migrate import differences

OPEN_FILES_LEAST = 256
# So many differences of a schema are named; `shop fsck` has them all.
TOLD = 5


def init_arguments(parser: ArgumentParser) -> None:
    parser.description = "Make the home and its default board; harmless where they are there."
    parser.add_argument("--json", action="store_true", help="Print JSON.")


def init(args: Namespace) -> int:
    """Make the home and its default board, and say how to go on."""
    home = find_home()
    private(home.root)
    is_new = not home.boards.exists()
    _boards(home).resolve(DEFAULT)
    running = running_pid(home)
    if args.json:
        print(json.dumps({"home": str(home.root), "dispatcher": running}))
        return 0
    print(f"the board is at {home.root}")
    if running is None:
        print("no dispatcher is running; start one with `shop up`")
    if is_new:
        print(f"then, for example: {EXAMPLE}")
    return 0


def version_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="Print it with what it runs on.")


def version(args: Namespace) -> int:
    """Print the version."""
    if not getattr(args, "json", False):
        print(f"shop {__version__}")
        return 0
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": library_version(),
        "platform": platform.platform(),
    }
    print(json.dumps(facts))
    return 0


class Finding(NamedTuple):
    """One line of the doctor's: what was looked at, whether it is well, and what to do."""

    what: str
    well: bool
    sentence: str


def doctor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="Print JSON.")


def doctor(args: Namespace) -> int:
    """Look at the installation and every board; exit 1 if something is wrong."""
    home = find_home()
    findings: list[Finding] = []
    for look in (_versions, _home, _configuration, _disk, _boards_health, _daemon, _limits):
        findings.extend(look(home))
    if args.json:
        print(json.dumps([one._asdict() for one in findings]))
    else:
        for one in findings:
            print(f"{'ok  ' if one.well else 'BAD '} {one.what}: {one.sentence}")
    return 0 if all(one.well for one in findings) else 1


def _boards(home: Home) -> HomeBoards:
    return HomeBoards(home, prepare=prepare_board, release=release_board)


def _versions(_home: Home) -> list[Finding]:
    notes = known_faults()
    return [
        Finding("python", sys.version_info >= (3, 11), platform.python_version()),
        Finding("sqlite", True, f"{library_version()}{'; ' if notes else ''}{' '.join(notes)}"),
        Finding("git", True, shutil.which("git") or "not found; worktree workspaces need it"),
    ]


def _home(home: Home) -> list[Finding]:
    if not home.root.exists():
        return [Finding("home", True, f"{home.root} is not there yet; `shop init` makes it")]
    writable = os.access(home.root, os.W_OK | os.X_OK)
    return [Finding("home", writable, f"{home.root} {'can' if writable else 'cannot'} be written")]


def _configuration(home: Home) -> list[Finding]:
    try:
        settings = load_settings(home, DEFAULT)
    except BoardError as wrong:
        return [Finding("configuration", False, wrong.message)]
    warned = [Finding("configuration", True, warning) for warning in settings.warnings]
    missing = [found for one in settings.profiles.values() for found in _program(home, one)]
    counted = f"{len(settings.profiles)} profile(s), up to {safe_concurrency()} workers by default"
    return [Finding("configuration", True, counted), *warned, *missing]


def _program(home: Home, profile: Profile) -> list[Finding]:
    """What is wrong with what a profile starts."""
    try:
        program = profile.program or (
            load(profile.preset, home.presets)["program"] if profile.preset else profile.argv[0]
        )
    except BoardError as wrong:
        return [Finding(f"profile {profile.name}", False, wrong.message)]
    if shutil.which(program) is not None:
        return []
    return [Finding(f"profile {profile.name}", False, f"its program {program!r} is not in PATH")]


def _disk(home: Home) -> list[Finding]:
    place = home.root if home.root.exists() else Path.home()
    free = shutil.disk_usage(place).free
    low = "; that is little, see `shop diagnostics`" if free < DISK_FREE_LOW else ""
    return [Finding("disk", free >= DISK_FREE_LEAST, f"{free // (1 << 20)} MB are free{low}")]


def _boards_health(home: Home) -> list[Finding]:
    boards = _boards(home)
    if running_pid(home) is not None:
        broken = [one for one in boards.everyone(archived=False) if one.broken is not None]
        return [
            Finding("boards", True, "`shop up` has them open; `shop fsck` checks one"),
            *(Finding(f"board {one.slug}", False, one.broken or "") for one in broken),
        ]
    found = []
    for slug in boards.slugs():
        try:
            folder = boards.folder(slug)
            with BoardLock(folder.lock), closing(open_database(folder)) as database:
                found.append(_board_health(slug, database))
        except BoardError as wrong:
            found.append(Finding(f"board {slug}", False, wrong.message))
    return found


def _board_health(slug: str, database: Database) -> Finding:
    """What is so of a board that could be opened; a file that was changed is rebuilt by then."""
    if database.dialect == "sqlite":
        return Finding(f"board {slug}", True, "SQLite")
    strange = database.read(differences)
    if strange:
        more = f", and {len(strange) - TOLD} more" if len(strange) > TOLD else ""
        sentence = f"its PostgreSQL schema was changed: {'; '.join(strange[:TOLD])}{more}"
        return Finding(f"board {slug}", False, f"{sentence}; `shop fsck` names all of it")
    return Finding(f"board {slug}", True, "PostgreSQL: its daemon must be back within 40 s")


def _daemon(home: Home) -> list[Finding]:
    holder = running_pid(home)
    words = "not running; `shop up` starts it" if holder is None else f"process {holder}"
    return [Finding("shop up", True, words)]


def _limits(_home: Home) -> list[Finding]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return [
        Finding(
            "open files", soft >= OPEN_FILES_LEAST, f"{soft} allowed, {OPEN_FILES_LEAST} are needed"
        ),
        Finding("user", True, actor()),
    ]
