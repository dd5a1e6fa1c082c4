"""Create, claim and complete in one process, each a durable commit.

Ours goes through the single door of the operations, with events and the stored request.  Peers: the
kanban kernel of Hermes Agent by its own functions, its size check on as shipped; bare sqlite3, which
writes the same rows as ours and decides nothing; huey, which writes fewer.  Each contestant gets half a
second a turn, fifteen rounds; a ratio is the middle one of the rounds.
"""

from __future__ import annotations

import contextlib
import json

from bench import peers
from bench.contest import OURS, Contest, Turn
from bench.env import Env
from bench.figures import Result, at_least
from bench.load import Load
from bench.recording import copy, record
from bench.shop import Shop
from shopfloor.store.sqlite_file import WRITING

HERMES = "Hermes kernel"
BARE = "bare sqlite3"
HUEY = "huey, SQLite"


def run(env: Env) -> Result:
    """Measure it."""
    with Contest(env) as contest:
        contest.enter(OURS, lambda stack: turns(stack.enter_context(Shop.make(env).load("call"))))
        contest.enter(HERMES, lambda stack: turns(stack.enter_context(hermes(env))))
        contest.enter(BARE, lambda stack: turns(stack.enter_context(bare(env))))
        contest.enter(HUEY, lambda stack: turns(stack.enter_context(huey(env))))
        contest.run(rounds=int(env.choose(15, 3)), seconds=env.choose(0.5, 0.3))
        what = "create, claim, complete"
        return Result(
            (
                contest.line(what, HERMES, at_least(2.5, "x")),
                contest.line(what, BARE, at_least(60, "%")),
                contest.line(what, HUEY),
            ),
            contest.notes(),
        )


def turns(load: Load) -> Turn:
    """A load's turn of so many seconds."""
    return lambda seconds: load.ask(seconds=seconds)


def hermes(env: Env) -> Load:
    """The peer's kernel with a connection that it keeps."""
    options = {"home": str(env.folder("hermes")), "check": True, "connection": "kept"}
    return Load(env, "hermes", options, python=peers.hermes(env))


def huey(env: Env) -> Load:
    """The queue alone, without its consumer."""
    path = str(env.folder("huey") / "queue.db")
    return Load(env, "huey_queue", {"path": path}, python=peers.huey(env))


def bare(env: Env) -> Load:
    """The same rows on a copy of a board that has lived one life."""
    shop = Shop.make(env)
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(shop.load("call"))
        steps = record(shop.database, lambda name: load.ask(step=name))
    folder = env.folder("bare")
    copy(shop.database, folder / "board.db")
    recording = folder / "recording.json"
    recording.write_text(json.dumps({"settings": WRITING, "steps": steps}), encoding="utf-8")
    options = {"path": str(folder / "board.db"), "recording": str(recording)}
    return Load(env, "bare", options)
