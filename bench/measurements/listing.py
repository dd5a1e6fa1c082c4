"""`list` on 1,000 tasks: the whole process, from its start to its last line.

Ours with and without a running `shop up`, the peer's `hermes kanban list`, and the bare start of the
interpreter that ours runs on.  Output goes into a pipe; a figure is the middle one of the rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench import peers
from bench.commands import Finished, finished
from bench.env import CouldNotMeasure, Env, Missing
from bench.figures import Figure, Line, Result, at_most
from bench.load import Load
from bench.rounds import interleave, ratio
from bench.shop import Shop

TASKS = 1_000
BARE = "python -c pass"
HERMES = "hermes kanban list"
WAYS = {"shop list, shop up runs": True, "shop list, nothing runs": False}


def run(env: Env) -> Result:
    """Measure it."""
    served, alone = Shop.make(env), Shop.make(env)
    for shop in (served, alone):
        shop.fill(TASKS)
    missing = None
    with served.up():
        contestants: dict[str, Callable[[], float]] = {
            way: listed(env, served if up else alone) for way, up in WAYS.items()
        }
        contestants[BARE] = lambda: finished(env, [str(env.python), "-c", "pass"]).seconds
        try:
            contestants[HERMES] = hermes(env)
        except Missing as reason:
            missing = str(reason)
        for once in contestants.values():
            once()
        taken = interleave(contestants, int(env.choose(21, 5)))
    lines = [line for way in WAYS for line in compared(way, taken, missing)]
    return Result(tuple(lines))


def listed(env: Env, shop: Shop) -> Callable[[], float]:
    """One `shop list` of all tasks."""
    command = [shop.command, "list", "--limit", str(TASKS)]
    return lambda: complete(finished(env, command, shop.variables()))


def hermes(env: Env) -> Callable[[], float]:
    """One `hermes kanban list` of as many tasks, which its own kernel created."""
    python, home = peers.hermes(env), env.folder("hermes")
    options = {"home": str(home), "check": True, "connection": "kept"}
    with Load(env, "hermes", options, python=python) as load:
        load.ask(tasks=TASKS)
    command = [str(python.parent / "hermes"), "kanban", "list"]
    return lambda: complete(finished(env, command, {"HERMES_HOME": str(home)}))


def complete(done: Finished) -> float:
    """The seconds of a list that shows every task; any other is not the same work."""
    lines = len(done.output.splitlines())
    if lines < TASKS:
        raise CouldNotMeasure(f"a list of {TASKS} tasks has {lines} lines")
    return done.seconds


def compared(way: str, taken: Mapping[str, list[float]], missing: str | None) -> list[Line]:
    """One way to list against the peer, and against the interpreter's bare start."""
    ours = milliseconds(taken[way])
    more = median(own - bare for own, bare in zip(taken[way], taken[BARE], strict=True))
    bare = Line(
        way, ours, BARE, milliseconds(taken[BARE]), Figure(1000 * more, "ms"), at_most(80, "ms")
    )
    goal = at_most(0.4, "x")
    if missing is not None:
        return [Line(way, ours, HERMES, goal=goal, missing=missing), bare]
    multiple = Figure(ratio(taken[way], taken[HERMES]), "x")
    return [Line(way, ours, HERMES, milliseconds(taken[HERMES]), multiple, goal), bare]


def milliseconds(seconds: Sequence[float]) -> Figure:
    """The middle one."""
    return Figure(1000 * median(seconds), "ms")
