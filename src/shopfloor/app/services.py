"""`shop service`: have this machine keep `shop up` running, and see whether it does."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from shopfloor.app.boards import private
from shopfloor.app.keeper_texts import Kept, is_ours
from shopfloor.app.keepers import Keeper, installed, to_install
from shopfloor.app.up import running_pid, stop_daemon
from shopfloor.config import Home, environment, find_home, usual_home
from shopfloor.domain.durations import words
from shopfloor.domain.errors import NotFound, Unavailable

START_WAIT_S: Final = 60.0
WORDS_SHOWN: Final = 10
LOG_READ_BYTES: Final = 64 * 1024
# What `shop up` says when all is well.
ROUTINE: Final = (" serving ", " dashboard: ", " stopping: ", " stopped; ", " goes on", " try it, ")


def service_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("install", "status", "start", "stop", "remove"),
        help="`install`, `status`, `start`, `stop` or `remove`.",
    )
    parser.add_argument(
        "--with",
        dest="keeper",
        choices=("systemd", "launchd", "cron"),
        help="Who keeps it: systemd, launchd or cron; if left out, who has it, or the first that is there.",
    )
    parser.add_argument(
        "--force", action="store_true", help="Also replace or remove a changed file."
    )
    parser.add_argument("--json", action="store_true", help="Print the status as JSON.")


def service(args: Namespace) -> int:
    """Install, look at, start, stop or remove what keeps `shop up` running."""
    home = find_home()
    chosen = to_install if args.action == "install" else installed
    keeper = chosen(_kept(home), log_of(home), environment(), args.keeper)
    match args.action:
        case "install":
            return _install(home, keeper, force=args.force)
        case "remove":
            return _remove(home, keeper, force=args.force)
        case "start":
            return _start(home, keeper)
        case "stop":
            return _stop(home, keeper)
        case _:
            return _status(home, keeper, as_json=args.json)


def log_of(home: Home) -> Path:
    """Where a `shop up` that nobody watches writes."""
    return home.root / "service.log"


def _kept(home: Home) -> Kept:
    """What is to be kept running; a home that is not the usual one has a name of its own."""
    mark = blake2b(str(home.root).encode(), digest_size=4).hexdigest()
    name = "shopfloor" if home == usual_home() else f"shopfloor-{mark}"
    env = {"SHOPFLOOR_HOME": str(home.root)}
    # Agent programs are found where they are found now; services start with next to no PATH.
    env |= {key: environment()[key] for key in ("PATH", "SHOPFLOOR_HOST") if environment().get(key)}
    argv = (sys.executable, "-m", "shopfloor", "up", "--log", str(log_of(home)))
    return Kept(name, argv, env, str(home.root))


def _install(home: Home, keeper: Keeper, *, force: bool) -> int:
    private(home.root)
    keeper.install(force=force)
    print(f"installed with {keeper.kind}: {keeper.place}")
    holder = running_pid(home)
    if holder is not None:
        keeper.start()
        print(
            f"process {holder} serves {home.root} already; the service does when that one has ended"
        )
    else:
        _begin(home, keeper)
    hint = keeper.hint()
    if hint is not None:
        print(f"note: {hint}")
    return 0


def _remove(home: Home, keeper: Keeper, *, force: bool) -> int:
    keeper.remove(force=force)
    if keeper.kind == "cron":
        stop_daemon(home)
    print(f"removed from {keeper.kind}; workers that run go on, and so do your boards")
    return 0


def _start(home: Home, keeper: Keeper) -> int:
    _installed(keeper)
    if running_pid(home) is not None:
        print(f"`shop up` is running already (process {running_pid(home)})")
        return 0
    _begin(home, keeper)
    return 0


def _begin(home: Home, keeper: Keeper) -> None:
    """Start it and wait until it serves; raises Unavailable with its last words where it does not."""
    keeper.start()
    deadline = time.monotonic() + START_WAIT_S
    while not home.socket.exists() or running_pid(home) is None:
        if time.monotonic() > deadline:
            last = "; ".join(_last_words(home)[-3:]) or "it has said nothing"
            raise Unavailable(f"`shop up` does not serve after {START_WAIT_S:g} s: {last}")
        time.sleep(0.1)
    print(f"started: process {running_pid(home)} serves {home.root}")


def _stop(home: Home, keeper: Keeper) -> int:
    _installed(keeper)
    keeper.stop()
    if keeper.kind == "cron":
        stop_daemon(home)
    print("stopped; workers that run go on, and the next start adopts them")
    return 0


def _installed(keeper: Keeper) -> None:
    if not keeper.text():
        raise NotFound(f"no service is installed with {keeper.kind}; `shop service install` does")


def _status(home: Home, keeper: Keeper, *, as_json: bool) -> int:
    """Tell what is installed and running; the exit status is 0 only where it runs."""
    told = _facts(home, keeper)
    if as_json:
        print(json.dumps(told))
        return 0 if told["running"] else 1
    if not told["installed"]:
        print("no service is installed; `shop service install` does")
    else:
        changed = " (changed since it was installed)" if told["changed"] else ""
        print(f"{told['keeper']}: {told['place']}{changed}, {told['says']}")
    if told["running"]:
        since = datetime.fromisoformat(told["since"])
        print(f"running: process {told['pid']}, since {since:%Y-%m-%d %H:%M:%S} ({told['for']})")
    else:
        print("not running")
    if told["words"]:
        print(f"last words in {told['log']}:")
        for line in told["words"]:
            print(f"  {line}")
    return 0 if told["running"] else 1


def _facts(home: Home, keeper: Keeper) -> dict[str, Any]:
    text = keeper.text()
    pid = running_pid(home)
    # Whoever takes the lock writes its number into it.
    since = home.lock.stat().st_mtime if pid is not None else None
    return {
        "installed": bool(text),
        "changed": bool(text) and not is_ours(text),
        "keeper": keeper.kind,
        "place": keeper.place,
        "says": keeper.says() if text else "",
        "running": pid is not None,
        "pid": pid,
        "since": None if since is None else datetime.fromtimestamp(since).astimezone().isoformat(),
        "for": None if since is None else words(max(int((time.time() - since) * 1000), 0)),  # noqa: TID251 - for people
        "log": str(log_of(home)),
        "words": _last_words(home),
    }


def _last_words(home: Home) -> list[str]:
    """The last lines of its log that do not say that all is well."""
    try:
        with log_of(home).open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(log.tell() - LOG_READ_BYTES, 0))
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    telling = [line for line in lines if not any(word in line for word in ROUTINE)]
    return telling[-WORDS_SHOWN:]
