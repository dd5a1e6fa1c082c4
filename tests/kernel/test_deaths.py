"""Death after each statement: whatever dies in the middle of a verb, the board is as before it or as after it.

A process plays a scene and dies before its first statement, the next process before the second, and so
on: each leaves the board as it was.  The last one gets to the end and tells nobody; when the same is asked
once more, it has no second effect.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from shopfloor.domain.caller import BOARD
from shopfloor.domain.errors import Unavailable
from shopfloor.domain.lifecycle import Outcome
from shopfloor.domain.outcomes import Exit, Report, Usage
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel import sweep
from shopfloor.kernel.questions import expire
from shopfloor.kernel.retention import prune_events
from shopfloor.kernel.settle import end_as
from tests.support.death import die_at
from tests.support.schedule_scenes import SCENES as OF_SCHEDULES
from tests.support.walk import at, lead

USED = {"input_tokens": 5, "output_tokens": 6, "cost_micros": 7}
ORDER = {"command": {"argv": ["true"]}}
SETTINGS = Settings(
    dispatch=Dispatch(reviewer="b", default_assignee="a", failure_limit=1),
    profiles={
        **{name: Profile(name, argv=("x",)) for name in ("a", "b")},
        "agent": Profile("agent", kind="cli", account="acme"),
    },
)


class Scene(NamedTuple):
    """What there is before, and what is done to it; `done` gets what `before` gave."""

    name: str
    before: Callable[[Any], Any]
    done: Callable[[Any, Any], object]


def asks(op, before, **args):
    """A scene in which a person asks an operation of the task that `before` made."""
    return Scene(op, before, lambda b, task: b.ask(op, request_id="r", id=task, **args))


def says(op, before, **args):
    """A scene in which the worker of that task asks it."""

    def done(board, task):
        run = board.runs(task)[-1]
        return board.ask_as(run.id, run.token, op, request_id="r", id=task, **args)

    return Scene(f"{op} by its worker", before, done)


def own(op, before, **args):
    """A scene in which a worker asks what knows its task by the run."""

    def done(board, task):
        run = board.runs(task)[-1]
        return board.ask_as(run.id, run.token, op, request_id="r", **args)

    return Scene(f"{op} by its worker", before, done)


def reports(name, before, report):
    """A scene in which a run is settled with what its runner left."""

    def done(board, task):
        return board.settle(board.runs(task)[-1].id, Exit(exit_code=0), report=report)

    return Scene(f"report: {name}", before, done)


def settles(name, before, seen):
    return Scene(f"settle: {name}", before, lambda b, task: b.settle(b.runs(task)[-1].id, seen))


def stands(status, **args):
    return lambda board: at(board, status, **args)


def family(status="ready"):
    """A task that two others wait for, one of them with a child of its own."""

    def before(board):
        task = board.create(command={"argv": ["true"]})
        child = board.create(parents=[task])
        board.create(parents=[child])
        board.create(parents=[task], start_after="any")
        return lead(board, task, status)

    return before


def supervised(board, **args):
    task = board.create(**{**ORDER, **args})
    board.create(parents=[task])
    [one] = [one for one in board.start() if one.task.id == task]
    assert one.task.id == task
    return task


def reviewed(board):
    task = at(board, "review")
    board.claim(task)
    return task


def checked(board):
    task = supervised(board, check=["true"])
    board.settle(board.runs(task)[-1].id, Exit(exit_code=0))
    return task


def commented(board):
    task = at(board, "running")
    board.ask("task.comment", id=task, body="look at this")
    return task


def asked(board, **args):
    task = at(board, "running")
    run = board.runs(task)[-1]
    board.ask_as(run.id, run.token, "task.ask", id=task, question="which one?", **args)
    return task


def agents(board):
    """Two running agents of one account."""
    for _ in range(2):
        board.create(assignee="agent")
    return [one.run_id for one in board.start() if one.profile == "agent"]


def parked(board):
    """An account that reached its limit, with two tasks that wait for it."""
    for run in agents(board):
        board.settle(run, Exit(exit_code=0), report=Report("quota", "used up"))
    board.create(assignee="agent")
    board.clock.advance(300_000)
    return board.task(1).id


def probed(board):
    parked(board)
    [one] = board.start()
    return one.task.id


def spent(board):
    parked(board)
    board.execute("UPDATE quota SET rounds = 12")


def over(board):
    task = probed(board)
    run = board.runs(task)[-1]
    board.ask_as(run.id, run.token, "run.progress", output=True)
    board.clock.advance(120_000)


def overdue(board):
    task = asked(board, default="this one", deadline_ms=1_000)
    board.clock.advance(2_000)
    return task


def parents(board):
    return [board.create(), at(board, "done")]


def queue(board):
    return [board.create(assignee="a"), board.create(**ORDER), at(board, "review")]


def linked(board):
    parent = board.create()
    return parent, board.create(parents=[parent])


def waiting(board):
    return board.create(), at(board, "running")


def blocks_on(board, pair):
    other, task = pair
    run = board.runs(task)[-1]
    board.ask_as(
        run.id,
        run.token,
        "task.block",
        request_id="r",
        id=task,
        reason="r",
        kind="dependency",
        on=other,
    )


def due(board):
    task = board.create(initial_status="scheduled")
    board.execute(f"UPDATE task SET not_before = 1 WHERE id = {task}")
    return task


def old(board):
    task = at(board, "done")
    board.clock.advance(10 * 86_400_000)
    return task


SCENES = [
    Scene(
        "create",
        parents,
        lambda b, ids: b.ask("task.create", request_id="r", title="t", parents=ids),
    ),
    Scene("claim", stands("ready"), lambda b, t: b.ask("run.claim", request_id="r", id=t)),
    Scene("claim many", queue, lambda b, _ids: b.take()),
    Scene(
        "assign default",
        stands("ready"),
        lambda b, _t: b.write(lambda tx: sweep.assign_default(tx, SETTINGS, dry_run=False)),
    ),
    Scene(
        "link",
        lambda b: (b.create(), b.create()),
        lambda b, p: b.ask("task.link", request_id="r", parent=p[0], child=p[1]),
    ),
    Scene(
        "unlink", linked, lambda b, p: b.ask("task.unlink", request_id="r", parent=p[0], child=p[1])
    ),
    Scene("block on another", waiting, blocks_on),
    Scene("come due", due, lambda b, _t: b.write(sweep.come_due)),
    Scene(
        "reclaim expired",
        lambda b: (supervised(b), b.clock.advance(10**9)),
        lambda b, _t: b.write(lambda tx: sweep.reclaim_expired(tx, SETTINGS, "there", shared=True)),
    ),
    Scene(
        "pause and stop", queue, lambda b, _ids: b.ask("dispatch.pause", request_id="r", stop=True)
    ),
    Scene(
        "refuse a login",
        supervised,
        lambda b, t: b.write(
            lambda tx: end_as(
                tx, SETTINGS, b.runs(t)[-1].id, Outcome.AUTH_FAILED, error="no key", gone=True
            )
        ),
    ),
    Scene(
        "settle: check", checked, lambda b, t: b.settle_check(b.runs(t)[-1].id, Exit(exit_code=0))
    ),
    Scene(
        "settle: check failed",
        checked,
        lambda b, t: b.settle_check(b.runs(t)[-1].id, Exit(exit_code=1)),
    ),
    Scene("forget events", old, lambda b, _t: b.write(lambda tx: prune_events(tx, BOARD, 5, 10))),
    settles("done", supervised, Exit(exit_code=0)),
    settles("given up", supervised, Exit(exit_code=1)),
    settles("crashed with patience", lambda b: supervised(b, max_attempts=5), Exit(signal=9)),
    settles(
        "retry", lambda b: supervised(b, max_attempts=5, backoff={"base_ms": 5}), Exit(exit_code=1)
    ),
    settles(
        "worker left for its check", lambda b: supervised(b, check=["true"]), Exit(exit_code=0)
    ),
    says("task.complete", family("running")),
    says("task.complete", lambda b: supervised(b, check=["true"]), summary="s"),
    says("task.block", family("running"), reason="r"),
    says("task.request_review", stands("running"), summary="s"),
    says("task.request_changes", reviewed, reason="r"),
    says("task.heartbeat", stands("running"), note="n"),
    says("task.comment", stands("running"), body="b"),
    own("task.inbox", commented),
    own("task.subtask", stands("running"), title="a piece", wait=True),
    own(
        "run.progress",
        lambda b: at(b, "running", max_tokens=10, assignee="agent"),
        usage={"input_tokens": 11},
    ),
    Scene(
        "create with limits",
        lambda _b: None,
        lambda b, _n: b.ask("task.create", request_id="r", title="t", max_cost=0.5),
    ),
    asks("task.edit", lambda b: at(b, "ready", max_tokens=10), max_tokens=0),
    asks("task.edit", stands("ready"), max_tokens=20, title="t"),
    says("task.ask", family("running"), question="which one?", options=["a", "b"]),
    says("task.ask", stands("running"), question="which one?", wait=True),
    Scene(
        "reach a limit",
        agents,
        lambda b, r: b.settle(r[0], Exit(exit_code=0), report=Report("quota", "used up")),
    ),
    Scene("start a probe", parked, lambda b, _t: b.take()),
    own("run.progress", probed, output=True),
    Scene(
        "reach the limit again",
        probed,
        lambda b, t: b.settle(b.runs(t)[-1].id, Exit(exit_code=75), report=Report("quota", "no")),
    ),
    Scene("block what waits in vain", spent, lambda b, _t: b.take()),
    Scene("forget an account that is open", over, lambda b, _t: b.take()),
    Scene(
        "clear an account",
        parked,
        lambda b, _t: b.ask("quota.clear", request_id="r", account="acme"),
    ),
    *(Scene(*scene) for scene in OF_SCHEDULES),
    asks("task.answer", asked, answer="this one"),
    Scene("answer by default", overdue, lambda b, _t: b.write(expire)),
    own("run.progress", stands("running"), note="n", usage=USED, session_id="s", model="m"),
    reports("without a verdict", stands("running"), Report("failed", "no", usage=Usage(5, 6))),
    reports("after its verdict", stands("done"), Report(session_id="s", text="bye")),
    asks("task.complete", family()),
    asks("task.complete", family("running")),
    asks("task.block", stands("ready"), reason="r"),
    asks("task.unblock", stands("blocked")),
    asks("task.promote", stands("todo"), force=True),
    asks("task.schedule", stands("running")),
    asks("task.cancel", family("running"), children="cancel"),
    asks("task.archive", family(), children="go-on"),
    asks("task.unarchive", family("archived")),
    asks("task.reopen", family("done")),
    asks("task.delete", family(), children="wait"),
    asks("task.delete", family(), children="cancel"),
    asks("task.specify", stands("triage"), title="better"),
    asks("task.decompose", stands("triage"), pieces=[{"title": "a"}, {"title": "b", "after": [0]}]),
    asks("task.edit", stands("ready"), title="t"),
    asks("task.attach", stands("ready"), name="a.txt", content="eA=="),
    asks("task.reclaim", family("running")),
    asks("run.terminate", stands("running")),
    asks("dispatch.bypass", stands("ready")),
]


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_a_death_at_any_statement_leaves_the_board_as_before_or_as_after(place, scene):
    board = place.open(settings=SETTINGS)
    given = scene.before(board)

    def play(on):
        on.settings = SETTINGS
        return scene.done(on, given)

    before = board.dump()
    committed = None
    number = 1
    while die_at(place, number, play):
        now = board.dump()
        # Some look at the board once more after their commit.
        committed = now if now != before and committed is None else committed
        assert now in (before, committed), f"death before statement {number} left something else"
        number += 1
    assert number > 3, "a write has a begin, a statement and a commit at least"
    after = board.dump()
    assert after != before
    assert committed in (None, after), "what was committed first was not the whole"
    assert board.findings() == []
    play(board)
    assert board.dump() == after, "the answer was lost, and the same once more had an effect"


CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    " AND application_name = 'shopfloor'"
)


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
@pytest.mark.parametrize("number", range(2, 12))
def test_a_lost_connection_is_made_anew_and_the_work_is_done_once(place, number):
    watcher = place.open()
    task = watcher.create()
    asked = []

    def probe(name):
        asked.append(name)
        if len(asked) == number:
            with watcher.connection() as execute:
                execute(CUT_OFF)

    board = place.open(probe=probe)
    asked.clear()
    # After the COMMIT was sent nobody knows; then it says so, and the same request is sent again.
    with suppress(Unavailable):
        board.ask("task.complete", id=task, summary="s", request_id="r")
    board.ask("task.complete", id=task, summary="s", request_id="r")
    assert board.kinds(task) == ["created", "completed"]
    assert len(board.runs(task)) == 1
