"""Eight processes create, claim and complete with a connection per operation and no daemon.

This is how commands and tools use a board where nothing runs.  Ours takes the board's lock for each
request and opens the board; the peer is the kernel of Hermes Agent, which opens the file each time.
They write in turns, 20 s each in all.  Every acknowledged write is looked for afterwards, and the
file is checked as a whole.  The comparison is with the peer's size check off; as shipped, that check
opens and closes the database file in each process and so drops SQLite's locks, and what then becomes
of the file in 10 s is shown as well.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import peers
from bench.contest import OURS, Answer, Contest, Start
from bench.env import CouldNotMeasure, Env
from bench.figures import Figure, Line, Result, at_least, at_most
from bench.fleet import fleet, told
from bench.load import Load
from bench.shop import Shop

PROCESSES = 8
SAID_MAX = 70
UNCHECKED = "Hermes kernel, unchecked"
SHIPPED = "Hermes kernel, as shipped"


class Found(NamedTuple):
    """What was acknowledged, and what of it is in the file."""

    acknowledged: int
    lost: int
    health: str
    failed: int
    first: str | None


def run(env: Env) -> Result:
    """Measure it."""
    shop = Shop.make(env)
    unchecked, shipped = env.folder("hermes"), env.folder("hermes")
    with Contest(env) as contest:
        contest.enter(OURS, writers(lambda: shop.load("alone")))
        contest.enter(UNCHECKED, hermes(env, unchecked, check=False))
        contest.run(rounds=int(env.choose(10, 2)), seconds=env.choose(2.0, 2.0))
        line = contest.line(f"{PROCESSES} processes, no daemon", UNCHECKED, at_least(2, "x"))
        answers = contest.answers
    ours = found(answers[OURS], shop.database, "task")
    if ours.health != "ok":
        raise CouldNotMeasure(f"the board's own file is damaged: {ours.health}")
    lost = Line("  acknowledged and lost", Figure(ours.lost, ""), goal=at_most(0, ""))
    notes = [*contest.notes(), said(OURS, ours)]
    if UNCHECKED not in answers:
        return Result((line, lost), tuple(notes))
    notes.append(said(UNCHECKED, found(answers[UNCHECKED], unchecked / "kanban.db", "tasks")))
    # Apart from the others, because it may not survive its turn.
    with Contest(env) as contest:
        contest.enter(SHIPPED, hermes(env, shipped, check=True))
        contest.run(rounds=1, seconds=env.choose(10.0, 4.0))
        peer = found(contest.answers[SHIPPED], shipped / "kanban.db", "tasks")
    notes.append(said(SHIPPED, peer))
    theirs = Line(lost.what, lost.ours, SHIPPED, Figure(peer.lost, ""), lost.ours, lost.goal)
    return Result((line, theirs), tuple(notes))


def writers(start: Callable[[], Load]) -> Start:
    """Eight loads that go on when the system refuses them something."""
    return fleet(start, PROCESSES, forgiving=True)


def hermes(env: Env, home: Path, *, check: bool) -> Start:
    """The peer's processes."""
    options = {"home": str(home), "check": check, "connection": "each"}

    def started(stack: contextlib.ExitStack) -> Callable[[float], Answer]:
        python = peers.hermes(env)
        return writers(lambda: Load(env, "hermes", options, python=python))(stack)

    return started


def found(rounds: Sequence[Answer], path: Path, table: str) -> Found:
    """Look for everything that was acknowledged."""
    created, completed = set(told(rounds, "created")), set(told(rounds, "completed"))
    health, statuses = looked_at(path, table)
    lost = len(created - statuses.keys())
    lost += sum(1 for number in completed if statuses.get(number) != "done")
    clients = [client for answer in rounds for client in answer["clients"]]
    errors = [client["first_error"] for client in clients if client["first_error"] is not None]
    failed = sum(client["errors"] for client in clients)
    first = errors[0].replace(str(path), "its file") if errors else None
    return Found(len(created) + len(completed), lost, health, failed, first)


def looked_at(path: Path, table: str) -> tuple[str, dict[Any, str]]:
    """What SQLite says of the file, and the status of each task that can still be read."""
    statuses: dict[Any, str] = {}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            health = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            # Of a damaged file, whatever can be read before it ends.
            statuses.update(connection.execute(f"SELECT id, status FROM {table}"))
        except sqlite3.DatabaseError as error:
            health = str(error)
    return health, statuses


def said(name: str, what: Found) -> str:
    """One contestant's outcome in a sentence."""
    health = " ".join(what.health.split())[:SAID_MAX]
    words = (
        f"{name}: {what.acknowledged:,} creates and completions acknowledged, {what.lost:,} lost,"
        f" file {health}"
    )
    if what.failed:
        words += f"; {what.failed:,} lives failed, first: {(what.first or '')[:SAID_MAX]}"
    return words
