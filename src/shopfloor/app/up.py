"""`shop up` and `shop down`: everything in the foreground, and the way to end it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from shopfloor.app.boards import DEFAULT, BoardFolder, HomeBoards, private
from shopfloor.app.hall import Hall
from shopfloor.app.mcp import kept, stop_process
from shopfloor.app.own_door import prepare_board, release_board
from shopfloor.app.service import BoardService, open_database
from shopfloor.app.up_log import UpLog
from shopfloor.config import Home, find_home, notify_address
from shopfloor.config.reading import load_settings
from shopfloor.daemon.dispatcher import Dispatcher
from shopfloor.daemon.door import Door
from shopfloor.daemon.lane import Lane
from shopfloor.domain.durations import duration_ms
from shopfloor.domain.errors import BoardError, Invalid, Unavailable
from shopfloor.domain.lifecycle import Outcome
from shopfloor.kernel.settle import end_as
from shopfloor.process import identity, readiness
from shopfloor.process.files import write_atomic
from shopfloor.process.launch import Launcher
from shopfloor.store import runs
from shopfloor.store.db import Tx
from shopfloor.store.lock import BoardLock
from shopfloor.store.wake import Wake

LOOK_EVERY_S = 5.0
DOWN_WAIT_S = 60.0
# What a new home is tried with.
EXAMPLE = 'shop create "Say hello" -- echo hello'


def up_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--pidfile", type=Path, help="Write the process's number to this file.")
    parser.add_argument("--interval", help="Make a pass at least this often, as in 5s.")
    parser.add_argument(
        "--max", type=int, help="Run at most so many workers on this host; 0 is no cap."
    )
    parser.add_argument("--failure-limit", type=int, help="Give a task up after so many failures.")
    parser.add_argument("--no-web", action="store_true", help="Serve no dashboard and no API.")
    parser.add_argument("--verbose", action="store_true", help="Print every start and end.")
    parser.add_argument("--log", type=Path, help="Write to this file, which is kept small.")
    parser.add_argument(
        "--unattended",
        action="store_true",
        help="Leave at once where one is running, or `shop service stop` was said.",
    )


def up(args: Namespace) -> int:
    """Serve all boards of the home until SIGINT or SIGTERM; workers outlive it and are adopted later."""
    home = find_home()
    private(home.root)
    if args.unattended and (home.off.exists() or running_pid(home) is not None):
        return 0
    with UpLog(args.log) as log:
        return _serve(args, home, log)


def _serve(args: Namespace, home: Home, log: UpLog) -> int:
    load_settings(home, DEFAULT)
    if args.max is not None and args.max < 0:
        raise Invalid("--max takes a number of workers, or 0 for no cap")
    if args.failure_limit is not None and args.failure_limit < 1:
        raise Invalid("--failure-limit takes a number of at least 1")
    overrides = {"host_cap": args.max, "failure_limit": args.failure_limit}
    stop = StopSignals()
    with _the_only_one(home):
        hall = Hall(
            home,
            say=say,
            verbose=args.verbose,
            interval_s=None if args.interval is None else duration_ms(args.interval) / 1000,
            overrides={name: value for name, value in overrides.items() if value is not None},
        )
        hall.warm()
        is_new = not home.boards.exists()
        hall.boards.make_default()
        hall.look_after()
        door = Door(home.socket, hall.desk, hall, report=say)
        hall.open_tools()
        if not args.no_web:
            hall.open_web()
        if args.pidfile is not None:
            write_atomic(args.pidfile, f"{os.getpid()}\n".encode())
        say(
            f"serving {', '.join(hall.slugs()) or 'no board'} at {home.socket} (process {os.getpid()})"
        )
        if is_new:
            say(f"try it, in another terminal: {EXAMPLE}")
        readiness.tell(notify_address(), "READY=1")
        while not stop.wait(LOOK_EVERY_S):
            log.keep_small()
            if not hall.desk.alive:
                raise AssertionError("the thread that answers everyone has ended; see above")
            hall.look_after()
        readiness.tell(notify_address(), "STOPPING=1")
        say("stopping: no more claims")
        door.close()
        left = hall.close()
        if args.pidfile is not None:
            args.pidfile.unlink(missing_ok=True)
    say(f"stopped; {left} worker(s) go on and are adopted by the next `shop up`")
    return 0


@contextlib.contextmanager
def _the_only_one(home: Home) -> Iterator[None]:
    """Be the one `shop up` of a home; another one is waited for, because it may be about to end."""
    running = running_pid(home)
    if running is not None:
        say(f"process {running} serves {home.root} already; waiting a little for its end")
    lock = BoardLock(home.lock)
    try:
        lock.acquire()
    except Unavailable as held:
        who = f"process {held.detail['pid']}" if held.detail.get("pid") else "another process"
        raise Unavailable(
            f"`shop up` is running already: {who} serves {home.root}; `shop down` stops it",
            detail=held.detail,
        ) from None
    try:
        yield
    finally:
        lock.release()


class StopSignals:
    """SIGINT and SIGTERM as a descriptor: whatever thread the kernel chose, and whenever they came."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def wait(self, timeout_s: float) -> bool:
        """Whether one has come, at the latest after this time."""
        return bool(select.select([self._reading], [], [], timeout_s)[0])


def say(words: str) -> None:
    """One line for whoever watches, with the time; in a file, which is read later, with the day."""
    when = time.strftime("%H:%M:%S" if sys.stderr.isatty() else "%Y-%m-%d %H:%M:%S")
    print(f"{when} {words}", file=sys.stderr, flush=True)


def down_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--stop-workers",
        action="store_true",
        help="Also stop the workers; their tasks go back to their queues.",
    )
    parser.add_argument("--json", action="store_true", help="Print JSON.")


def down(args: Namespace) -> int:
    """Stop the `shop up` of this home, and with --stop-workers what it started."""
    home = find_home()
    told: dict[str, object] = {"stopped": stop_daemon(home)}
    if args.stop_workers:
        stop_process(kept(home))
        told["workers"] = _stop_workers(home)
    if args.json:
        print(json.dumps(told))
        return 0
    print("stopped `shop up`" if told["stopped"] else "no `shop up` is running")
    if args.stop_workers:
        print(f"stopped {told['workers']} worker(s)")
    return 0


def stop_daemon(home: Home) -> bool:
    """End the running `shop up` and wait until it has gone; false: there is none."""
    holder = running_pid(home)
    if holder is None:
        return False
    process = identity.of(holder)
    if process is None or not identity.send(process, signal.SIGTERM):
        return False
    deadline = time.monotonic() + DOWN_WAIT_S
    while identity.alive(process):
        if time.monotonic() > deadline:
            raise Unavailable(f"`shop up` (process {holder}) did not stop within a minute")
        time.sleep(0.02)
    return True


def running_pid(home: Home) -> int | None:
    """The process number of the running `shop up`, or None: nobody holds its lock."""
    if not home.lock.exists():
        return None
    lock = BoardLock(home.lock, wait_s=0)
    try:
        lock.acquire()
    except Unavailable:
        return int(home.lock.read_text(encoding="utf-8").strip() or 0) or None
    lock.release()
    return None


def _stop_workers(home: Home) -> int:
    boards = HomeBoards(home, prepare=prepare_board, release=release_board)
    stopped = 0
    broken: BoardError | None = None
    for slug in boards.slugs():
        try:
            folder = boards.folder(slug)
            with BoardLock(folder.lock), _opened(home, folder, boards) as service:
                stopped += _stop_board(service)
        except BoardError as wrong:
            # The workers of the other boards are stopped all the same.
            broken = broken or wrong
    if broken is not None:
        raise broken
    return stopped


def _opened(
    home: Home, folder: BoardFolder, boards: HomeBoards
) -> contextlib.closing[BoardService]:
    return contextlib.closing(BoardService(home, folder, open_database(folder), boards))


def _stop_board(service: BoardService) -> int:
    """End every run of this host as reclaimed, and wait until nothing of them lives.

    What has ended by itself is settled before, for what it was.
    """
    launcher, lane = Launcher(), Lane(Wake().ring)
    dispatcher = Dispatcher(service, launcher, lane)
    dispatcher.begin()
    dispatcher.run_pass(0)
    settings = service.settings()
    held = [
        run
        for run in service.database.read(lambda tx: runs.live_of_host(tx, service.host))
        if run.ended_at is None
    ]

    def end_all(tx: Tx) -> None:
        for run in held:
            end_as(
                tx, settings, run.id, Outcome.RECLAIMED, error="stopped by `shop down`", gone=False
            )

    service.database.write(end_all)
    deadline = time.monotonic() + DOWN_WAIT_S
    while len(dispatcher.live) and time.monotonic() < deadline:
        dispatcher.run_pass(0)
        time.sleep(0.02)
    left = len(dispatcher.live)
    lane.close()
    dispatcher.live.close()
    launcher.close()
    if left:
        raise Unavailable(f"{left} worker(s) of board {service.slug!r} did not end within a minute")
    return len(held)
