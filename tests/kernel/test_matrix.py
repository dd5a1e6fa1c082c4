"""Every verb from every status, as the lifecycle table has it: it works, or it is refused and nothing changes.

The rows of this matrix are printed from the table itself, so a new edge or status is tried the day it is
written.  What a verb does beside moving the task is told by the other files of this folder.
"""

import pytest

from shopfloor.domain.caller import BOARD
from shopfloor.domain.errors import Stale, WrongStatus
from shopfloor.domain.lifecycle import (
    EVENT_IS_OUTCOME,
    RULES,
    By,
    Outcome,
    Status,
    Verb,
    rules_for,
)
from shopfloor.domain.outcomes import Counters
from shopfloor.kernel.apply import Change
from shopfloor.kernel.verbs import act
from tests.support.walk import STEPS, at, credentials, lead

PAIRS = sorted({(rule.verb, rule.by) for rule in RULES if rule.verb is not Verb.CREATE})
GIVEN = Change(
    BOARD,
    reason="the reason",
    block_kind="gave_up",
    due=1,
    outcome=Outcome.FAILED,
    error="the error",
    counters=Counters(1),
)


def bring_about(board, verb, by, status):
    """A task in the status that has run before, so that the guards of the verb hold where it has an edge."""
    task = at(board, Status.READY)
    old = board.claim(task)
    board.ask("task.reclaim", id=task)
    if (verb, by, status) == (Verb.REQUEST_CHANGES, By.WORKER, Status.RUNNING):
        lead(board, task, Status.REVIEW)
    lead(board, task, status)
    if verb is Verb.COME_DUE:
        board.execute(f"UPDATE task SET not_before = 1 WHERE id = {task}")
    if verb is Verb.PROMOTE:
        board.execute(f"DELETE FROM link WHERE child_id = {task}")
    if verb is Verb.DEMOTE and status is Status.READY:
        parent = board.create("a parent that came without the program")
        board.execute(
            f"INSERT INTO link (parent_id, child_id, created_at) VALUES ({parent}, {task}, 1)"
        )
    if verb is Verb.PROMOTE_MANUAL and status is Status.TODO:
        board.execute(f"DELETE FROM link WHERE child_id = {task}")
    return task, old


def attempt(board, verb, by, task, old):
    """Ask for the verb as its caller does."""
    if by is By.BOARD and verb is not Verb.CLAIM:
        given = {
            Verb.UNBLOCK: {"answered": True},
            Verb.BLOCK: {"quota_spent": True, "rounds_spent": True},
        }.get(verb, {})
        board.write(lambda tx: act(tx, verb, task, GIVEN, **given))
    elif verb is Verb.DELETE:
        board.ask("task.delete", id=task)
    elif by is By.WORKER and board.status(task) != Status.RUNNING:
        op = {Verb.BLOCK: "task.block", Verb.COMPLETE: "task.complete"}.get(verb, f"task.{verb}")
        words = {Verb.REQUEST_REVIEW: {"summary": "s"}, Verb.COMPLETE: {}}.get(
            verb, {"reason": "r"}
        )
        board.ask_as(old.run, old.token, op, id=task, **words)
    else:
        STEPS[verb, by](board, task, None)


@pytest.mark.parametrize(("verb", "by"), PAIRS, ids=[f"{verb}-by-{by}" for verb, by in PAIRS])
def test_a_verb_works_where_the_table_has_an_edge_and_changes_nothing_elsewhere(board, verb, by):
    for status in Status:
        if by is By.WORKER and verb is Verb.BLOCK and status is Status.RUNNING:
            continue  # the loop of blocks has tests of its own
        task, old = bring_about(board, verb, by, status)
        rules = rules_for(verb, by, status)
        before = board.dump()
        if rules:
            attempt(board, verb, by, task, old)
            expect_the_event(before, board.dump("event"), rules)
        else:
            with pytest.raises(Stale if by is By.WORKER else WrongStatus, match=f"#{task}"):
                attempt(board, verb, by, task, old)
            expect_only_the_refusal(before, board.dump(), recorded=by is By.WORKER)
        if verb not in (Verb.PROMOTE, Verb.DEMOTE):
            assert board.findings() == []


def expect_the_event(before, after, rules):
    """One of the rules was carried out: its event is there, with the status that it leads to."""
    new = [row for row in after["event"] if row not in before["event"]]
    told = {(row[3], row[4]) for row in new}
    meant = {
        ("failed" if rule.event == EVENT_IS_OUTCOME else rule.event, rule.target) for rule in rules
    }
    assert told & meant, f"{told} tells none of {meant}"


def expect_only_the_refusal(before, after, *, recorded):
    """Nothing changed, but that a worker's refused write is written down."""
    new = [row for row in after.pop("event") if row not in before["event"]]
    del before["event"]
    assert before == after
    assert [row[3] for row in new] == (["write_refused"] if recorded else [])


@pytest.mark.parametrize("status", Status)
def test_a_task_can_be_led_to_every_status_by_real_verbs(board, status):
    task = at(board, status)
    assert board.status(task) == status
    assert board.findings() == []
    told = board.ask("task.show", id=task)
    assert told.task.status == status
    assert told.why.sentence


def test_a_worker_blocks_and_the_third_time_the_task_goes_to_triage(board):
    task = at(board, Status.RUNNING)
    board.ask_as(*credentials(board, task), "task.block", id=task, reason="r")
    assert board.status(task) == "blocked"
    lead(board, task, Status.TRIAGE)
    assert "block_loop_detected" in board.kinds(task)
