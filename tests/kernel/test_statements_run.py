"""Every statement is run by what the program does, on both databases; one that nothing runs is dead.

The scenes of the deaths are most of what writes; the operations that look, and a few sweeps, are the rest.
"""

import json
import re
from pathlib import Path

import pytest

import shopfloor
from shopfloor.domain.caller import person
from shopfloor.domain.errors import BoardError
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.domain.settings_hooks import Hook
from shopfloor.domain.targets import parse
from shopfloor.kernel import deliveries, planning, sweep
from shopfloor.ops.receipt_book import Bookkeeper
from shopfloor.ops.registry import everything
from shopfloor.store import cards, hooks, hosts, orders, plannings, runs
from shopfloor.store.statements import FOLDER, Statements
from tests.kernel.test_deaths import SCENES, SETTINGS
from tests.support.places import Place, new_files
from tests.support.schedules import HOUR, Floor
from tests.support.walk import at

SOURCE = Path(shopfloor.__file__).parent
PLAIN = Statements("sqlite")
# What they are asked about is not there, or has no number.
NAMED = {"profile.show", "run.show", "run.guard", "question.show", "schedule.show",
         "schedule.history", "schedule.preview", "order.show"}  # fmt: skip
NAMES = {name for name in PLAIN.names() if PLAIN[name].source != "engine.sql"}


def look_at_everything(board):
    """Every operation that reads, of a board with something on it, and what a dispatcher asks for."""
    board.claim(at(board, "ready"))
    board.ask("run.show", id=1)
    task = at(board, "blocked")
    waiting = at(board, "todo")
    board.ask("task.comment", id=task, body="http://x/pull/1")
    board.ask("task.attach", id=task, name="a", content="eA==")
    for op in everything().values():
        if op.kind == "read":
            fields = op.request.__struct_fields__
            try:
                board.ask(op.name, **({"id": task} if "id" in fields else {}))
            except BoardError:
                assert op.name in NAMED
    board.ask("task.why", id=waiting)
    idea = board.create(initial_status="triage")
    asked = {"verb": "split", "digest": "d", "attempts": 1}
    number = board.write(lambda tx: planning.begin(tx, person("ann"), idea, **asked))
    ended = {"error": None, "input_tokens": 1, "output_tokens": 1}
    board.write(lambda tx: plannings.end(tx, number, "answered", **ended))
    board.read(lambda tx: plannings.wanted(tx, 1))
    board.ask("task.why", id=idea)
    board.ask("task.list", sort="title")
    for words in ({}, {"after": 0}, {"id": task}, {"id": task, "after": 0}):
        board.ask("event.list", **words)
    board.ask("task.attachments", id=task)
    board.ask("task.fetch", id=task, name="a")
    board.ask("task.detach", id=task, name="a")
    board.ask("task.archive", id=task)


def look_at_cards(board):
    """The board as a page shows it, by all that it can be asked for, and what is wrong on it."""
    ended, idea = board.create(), board.create(initial_status="triage")
    board.ask("task.complete", id=ended)
    for words in ({}, {"text": "task"}, {"ids": [ended, idea]}):
        board.ask("task.cards", **words)
    board.read(lambda tx: cards.ended_lately(tx, Status.DONE, before=2**40, limit=1))
    dead = board.create()
    waiting = board.create(parents=[dead])
    board.ask("task.cancel", id=dead)
    stuck = board.create(assignee="nobody")
    for _ in range(3):
        board.ask("task.block", id=stuck, reason="stuck")
        board.ask("task.unblock", id=stuck)
    board.ask("diagnostics.list", id=waiting)
    board.ask("diagnostics.list")


def keep_house(board):
    """What a dispatcher does beside starting and settling."""
    names = {"boot_id": "b", "pid": 1, "pid_start": 1, "version": "1", "labels": "[]"}
    board.write(lambda tx: hosts.arrive(tx, name="here", **names))
    board.write(lambda tx: hosts.seen(tx, "here"))
    board.write(lambda tx: runs.renew(tx, "here", 1))
    board.write(lambda tx: hosts.leave(tx, "here"))
    board.write(lambda tx: sweep.repair_queues(tx, 0))
    floor = Floor(board)
    floor.add("every 1h", keep=1, overlap="allow")
    for _ in range(3):
        floor.after(HOUR)
    board.ask("schedule.show", name="t")
    board.write(lambda tx: sweep.prune_requests(tx, board.now))
    board.read(lambda tx: runs.live_of_host(tx, "here"))
    board.read(lambda tx: sweep.times(tx, SETTINGS))
    key = {"title": "x", "idempotency_key": "k"}
    board.ask("task.create", request_id="once", **key)
    board.ask("task.create", request_id="once", **key)
    board.settings = Settings(dispatch=Dispatch(guard_active_pr=True))
    task = board.create(command={"argv": ["x"]})
    board.ask("task.comment", id=task, body="http://x/pull/1")
    board.clock.advance(1)
    board.start()
    board.ask("task.why", id=task)
    profiles = {"a": Profile("a", kind="cli", tokens_per_day=1, tokens_per_run=1)}
    dispatch = Dispatch(tokens_per_day=1)
    board.settings = Settings(dispatch=dispatch, profiles=profiles)
    number = board.create(assignee="a")
    [agent] = [one for one in board.start() if one.task.id == number]
    board.ask_as(agent.run_id, agent.token, "run.progress")
    board.settings = Settings(dispatch=Dispatch(guard_active_pr=True))
    board.ask("dispatch.resume")
    board.clock.advance(10**9)
    assert board.plan().start
    [one] = board.start()
    board.ask("task.cancel", id=task)
    board.settle(one.run_id, Exit(stopped=True))
    order = board.ask("order.enqueue", command={"argv": ["x"]}, runtime="container:x").order.id
    board.ask("order.show", id=order)
    board.ask("order.wait", id=order)
    board.start()
    board.ask("order.reclaim_stale")
    assert board.read(lambda tx: orders.runtimes(tx, [order]))[order].runtime == "container:x"


def tell_everybody(board):
    """Subscriptions, and messages that arrive, fail, expire and are forgotten."""
    task = board.create()
    one = board.ask("subscription.add", target="chat:x/1", task=task, kinds=["created"])
    board.ask("subscription.add", target="chat:x/1", task=task, kinds=["all"])
    board.ask("subscription.add", target="chat:x/1", tenant="t")
    board.ask("schedule.add", name="daily", rule="every day at 9", title="x")
    board.ask("subscription.add", target="chat:x/2", schedule="daily")
    board.create(origin=task)
    board.ask("task.comment", id=task, body="hello")
    board.ask("delivery.list")
    board.clock.advance(10_000)
    cursor = json.loads(board.ask("ledger.export").lines[-1])["cursor"]
    for ok in (False, True):
        [taken] = board.ask("delivery.take", platform="x")
        board.ask("delivery.report", id=taken.id, ok=ok)
        board.ask("diagnostics.list")
        board.ask("delivery.retry", id=taken.id)
        with pytest.raises(BoardError):
            board.ask("delivery.dismiss", id=taken.id)
    board.read(deliveries.due)
    board.ask("delivery.take", platform="x")
    board.ask("ledger.changes", cursor=cursor)
    board.write(lambda tx: deliveries.begin_anew(tx, "chat:x"))
    board.write(lambda tx: deliveries.trial(tx, "ann", parse("desktop:")))
    board.ask("subscription.remove", id=one.id)
    board.ask("admin.gc", event_days=1)


def keep_receipts(board):
    """What is asked of receipts, and what writes them."""
    board.create(command={"argv": ["x"]})
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0))
    book = Bookkeeper(board.service)
    book.bring_up()
    board.create(command={"argv": ["x"]})
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0))
    book.bring_up()
    board.ask("receipt.show", id=1)
    board.ask("receipt.show", run=1)
    board.ask("receipt.show", task=1)
    board.ask("receipt.list")
    board.ask("receipt.export")
    board.ask("receipt.verify")
    cursor = json.loads(board.ask("ledger.export").lines[-1])["cursor"]
    board.create()
    board.ask("ledger.changes", cursor=cursor)
    board.ask("task.delete", id=1)


def follow_with_hooks(board):
    """A hook that runs, fails and is moved on."""
    host = board.service.hook_host()
    board.settings = Settings(hooks={"h": Hook("h", command=("true",))})
    board.write(lambda tx: hooks.begin(tx, host, "h", 0))
    board.create()
    board.write(lambda tx: hooks.done(tx, host, "h", 1))
    board.write(lambda tx: hooks.failed(tx, host, "h", 1, error="x"))
    board.write(lambda tx: hooks.tried(tx, host, "h", error="x"))
    board.write(lambda tx: hooks.skipped(tx, host, "h", 1, count=1))
    board.read(lambda tx: hooks.newest_but(tx, 0, (), 1))
    board.ask("hook.list")


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_every_statement_is_run(dialect, tmp_path, tmp_path_factory, request):
    shared = request.getfixturevalue("board_database") if dialect == "postgres" else None
    run = set()
    parts = [
        look_at_everything,
        look_at_cards,
        keep_house,
        tell_everybody,
        keep_receipts,
        follow_with_hooks,
        *SCENES,
    ]
    for number, part in enumerate(parts):
        files = new_files(tmp_path_factory)
        place = Place(dialect, tmp_path / str(number), shared and shared.url, files)
        board = place.open(probe=run.add, settings=SETTINGS)
        try:
            part(board) if callable(part) else part.done(board, part.before(board))
        finally:
            place.close()
            if shared is not None:
                shared.wipe()
    assert NAMES - run == set()


def test_every_function_of_the_store_is_used_by_the_program():
    texts = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    used = set(re.findall(r"\b(?=(\w+\.\w+)\b)", texts))
    unused = []
    for file in sorted(FOLDER.parent.glob("*.py")):
        if not (FOLDER / f"{file.stem}.sql").exists():
            continue
        names = re.findall(r"^def ([a-z]\w*)\(", file.read_text(), re.MULTILINE)
        unused += [call for name in names if (call := f"{file.stem}.{name}") not in used]
    assert unused == []
