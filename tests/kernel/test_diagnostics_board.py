"""The diagnosis of a board: what is wrong with it as a whole, the order, pages, and what it costs."""

import re
from pathlib import Path

import pytest

from shopfloor.domain.diagnostics import CODES, DAY, HOUR, MINUTE, Circumstances
from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.domain.settings import Settings
from shopfloor.domain.settings_hooks import Hook
from shopfloor.domain.targets import parse
from shopfloor.kernel import deliveries as sending
from shopfloor.ops import diagnostics as asked
from shopfloor.ops.context import Context
from shopfloor.store import hooks
from tests.support.diagnosing import PROFILES, arrive, carry_out, leave


@pytest.fixture
def board(board):
    board.settings = Settings(profiles=PROFILES)
    arrive(board)
    return board


def test_work_without_a_dispatcher_is_an_error_until_one_runs(board):
    leave(board)
    assert board.ask("diagnostics.list").items == []
    board.create(assignee="a")
    [found] = board.ask("diagnostics.list").items
    assert (found.code, found.severity, found.task) == ("no_dispatcher", "error", None)
    assert [(step.command, step.op) for step in found.steps] == [("shop up", None)]
    arrive(board)
    assert board.ask("diagnostics.list").items == []


def test_a_trial_that_did_not_arrive_was_told_to_who_made_it_and_to_nobody_else(board):
    target = parse("chat:irc/dev")
    board.write(lambda tx: sending.trial(tx, "ann", target))
    told(board, ok=False)
    assert [one.state for one in board.ask("delivery.list").items] == ["given_up"]
    assert board.ask("diagnostics.list").items == []


def test_a_hook_that_failed_is_told_until_it_is_run_well_or_is_gone(board):
    known = board.settings
    board.settings = known._replace(hooks={"sign": Hook("sign", command=("sign",))})

    def found():
        return [(one.code, one.severity, one.task) for one in board.ask("diagnostics.list").items]

    board.write(lambda tx: hooks.begin(tx, "", "sign", 0))
    assert found() == []
    board.write(lambda tx: hooks.tried(tx, "", "sign", error="no paint"))
    assert found() == [("hook_failing", "warning", None)]
    board.clock.advance(1)
    board.write(lambda tx: hooks.done(tx, "", "sign", 1))
    assert found() == []
    board.clock.advance(1)
    board.write(lambda tx: hooks.failed(tx, "", "sign", 2, error="no paint"))
    [told_of] = board.ask("diagnostics.list").items
    assert "hook sign failed" in told_of.sentence and "no paint" in told_of.sentence
    board.write(
        lambda tx: hooks.failed(tx, "", "sign", 3, error=f"status 1: {'x' * 999} Dry: no paint")
    )
    [told_of] = board.ask("diagnostics.list").items
    assert "status 1" in told_of.sentence and told_of.sentence.endswith("Dry: no paint")
    assert len(told_of.sentence) < 300
    board.settings = known
    assert found() == []


def told(board, *, ok):
    """What is due is taken by its bridge, and arrives or not."""
    for one in board.ask("delivery.take", platform="irc"):
        board.ask("delivery.report", id=one.id, ok=ok, error="" if ok else "nobody there")


def failing(board):
    """A task whose end could not be told to its chat: a message that was sent once."""
    task = board.create(assignee="a")
    subscription = board.ask("subscription.add", target="chat:irc/dev", task=task).id
    board.ask("task.complete", id=task)
    board.clock.advance(MINUTE)
    told(board, ok=False)
    return subscription


def test_a_target_that_messages_do_not_arrive_at_is_told_until_one_does(board):
    failing(board)
    [found] = board.ask("diagnostics.list").items
    assert (found.code, found.severity, found.task) == ("deliveries_failing", "warning", None)
    assert "chat:irc" in found.sentence and "nobody there" in found.sentence
    for _ in range(4):
        board.clock.advance(HOUR)
        told(board, ok=False)
    [found] = board.ask("diagnostics.list").items
    assert found.severity == "error"
    carry_out(board, found.steps[0])
    told(board, ok=True)
    assert board.ask("diagnostics.list").items == []


def test_a_later_message_that_arrives_makes_up_for_one_that_was_given_up(board):
    failing(board)
    for _ in range(4):
        board.clock.advance(HOUR)
        told(board, ok=False)
    other = board.create(assignee="a")
    board.ask("subscription.add", target="chat:irc/dev", task=other)
    board.ask("task.complete", id=other)
    board.clock.advance(MINUTE)
    assert len(board.ask("diagnostics.list").items) == 1
    told(board, ok=True)
    assert board.ask("diagnostics.list").items == []


def test_a_target_that_nobody_subscribes_any_more_is_no_trouble(board):
    subscription = failing(board)
    [found] = board.ask("diagnostics.list").items
    [end] = [step for step in found.steps if step.ends]
    assert end.command == f"shop notify unsubscribe {subscription}"
    carry_out(board, end)
    assert board.ask("diagnostics.list").items == []


def test_a_disk_that_is_nearly_full_says_how_much_is_left(board):
    here = Circumstances("/home/of/the/board", 700 * 1024 * 1024)
    board.service.here = here
    [found] = board.ask("diagnostics.list").items
    assert (found.code, found.severity) == ("disk_nearly_full", "warning")
    assert "700 MB" in found.sentence
    carry_out(board, next(step for step in found.steps if step.op))
    board.service.here = here._replace(disk_free=100 * 1024 * 1024)
    assert [one.severity for one in board.ask("diagnostics.list").items] == ["error"]
    board.service.here = here._replace(disk_free=3 * 1024**3)
    assert board.ask("diagnostics.list").items == []


def test_a_clock_that_was_set_back_is_told_until_it_is_right_again(board):
    board.create(assignee="a")
    board.clock.advance(-DAY)
    found = board.ask("diagnostics.list").items
    assert [(one.code, one.severity) for one in found] == [("clock_moved", "error")]
    assert "24 hours in the future" in found[0].sentence
    board.clock.advance(DAY)
    assert board.ask("diagnostics.list").items == []


@pytest.mark.parametrize(
    ("shift", "words"), [(2 * HOUR, "forward by 2"), (-5 * MINUTE, "back by 5")]
)
def test_a_clock_that_was_set_while_it_ran_is_told(board, shift, words):
    board.service.here = board.service.circumstances()._replace(clock_shift_ms=shift)
    [found] = board.ask("diagnostics.list").items
    assert found.code == "clock_moved" and words in found.sentence
    assert "shop down && shop up" in [step.command for step in found.steps if step.ends]


def test_this_host_is_looked_at_as_it_is(board):
    here = board.service.circumstances()
    assert here.disk_free > 0 and abs(here.clock_shift_ms) < MINUTE


def test_errors_come_first_and_a_page_goes_on_where_the_one_before_ended(board):
    first, second = board.create(), board.create()
    third = board.create(assignee="ghost")
    whole = board.ask("diagnostics.list")
    assert [one.task for one in whole.items] == [third, first, second]
    assert (whole.errors, whole.warnings) == (1, 2)
    page = board.ask("diagnostics.list", limit=2)
    rest = board.ask("diagnostics.list", limit=2, after=page.next)
    assert page.items + rest.items == whole.items and rest.next is None
    only = board.ask("diagnostics.list", severity="error")
    assert [one.task for one in only.items] == [third] and only.warnings == 0
    with pytest.raises(Invalid):
        board.ask("diagnostics.list", after="there")
    with pytest.raises(NotFound):
        board.ask("diagnostics.list", id=99)


def test_a_task_and_its_card_tell_the_same(board):
    task, well = board.create(), board.create(assignee="a")
    assert [one.code for one in board.ask("task.show", id=task).diagnostics] == ["unassigned"]
    assert board.ask("task.show", id=well).diagnostics == []

    def count(tx):
        return asked.counts(Context(tx, None, board.settings, board.service), [task, well])

    assert board.read(count) == {task: 1}
    columns = board.ask("task.cards", ids=[task, well]).columns
    shown = {card.id: card.diagnostics for column in columns for card in column.items}
    assert shown == {task: 1, well: 0}


def test_the_guide_explains_every_code():
    guide = Path("docs/guides/diagnostics.md").read_text()
    table = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert table == set(CODES)
