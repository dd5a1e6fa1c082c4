"""A write that is sent again: one effect and the same answer, whatever kind of operation it is."""

import base64

import pytest

from shopfloor.domain.errors import Conflict, Invalid, WrongStatus
from shopfloor.domain.limits import REQUEST_KEPT_MS
from shopfloor.kernel import sweep
from shopfloor.ops.call import Envelope
from tests.support.board import _raw
from tests.support.walk import at, credentials


def envelope(op, request_id="r", actor="ann", **args):
    return Envelope(op, _raw(args), None, request_id, actor)


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("task.create", {"title": "x"}),
        ("task.comment", {"id": 1, "body": "x"}),
        ("task.complete", {"id": 1, "summary": "x"}),
        ("task.archive", {"id": 1}),
        ("task.delete", {"id": 1}),
        ("task.attach", {"id": 1, "name": "a.txt", "content": base64.b64encode(b"x").decode()}),
        ("task.cancel", {"ids": [1, 2, 77]}),
        ("run.claim", {}),
        ("dispatch.pause", {}),
        ("admin.gc", {"event_days": 1}),
    ],
)
def test_the_same_request_again_has_the_same_answer_and_no_second_effect(board, op, args):
    board.create(), board.create()
    first = board.answer(envelope(op, **args))
    after = board.dump()
    files = sorted(board.folder.rglob("attachments/**/*"))
    board.clock.advance(1_000)
    assert board.answer(envelope(op, **args)) == first
    assert board.dump() == after
    assert sorted(board.folder.rglob("attachments/**/*")) == files


def test_another_request_with_the_same_id_is_refused(board):
    board.answer(envelope("task.create", title="x"))
    before = board.dump()
    for other in (
        envelope("task.create", title="y"),
        envelope("task.create", title="x", actor="bob"),
        envelope("run.claim"),
    ):
        with pytest.raises(Conflict, match="was used for another request"):
            board.send(other)
    assert board.dump() == before


def test_a_refused_request_is_not_kept_and_may_be_sent_again(board):
    task = board.create()
    with pytest.raises(WrongStatus):
        board.ask("task.reopen", id=task, request_id="again")
    assert board.dump("request") == {"request": []}
    board.ask("task.complete", id=task)
    board.ask("task.reopen", id=task, request_id="again")
    assert board.status(task) == "ready"


def test_each_of_several_tasks_keeps_its_own_answer(board):
    one, two = board.create(), at(board, "done")
    first = board.ask("task.complete", ids=[one, two], request_id="both")
    assert "error" in first[1]
    board.ask("task.reopen", id=two)
    second = board.ask("task.complete", ids=[one, two], request_id="both")
    assert second[0] == first[0] and "result" in second[1]


def test_a_workers_request_is_its_own(board):
    task = at(board, "running")
    run, token = credentials(board, task)
    for _ in range(2):
        board.ask_as(run, token, "task.comment", id=task, body="x", request_id="c")
    assert len(board.dump("comment")["comment"]) == 1
    with pytest.raises(Conflict):
        board.ask("task.comment", id=task, body="x", request_id="c")


def test_an_id_has_a_bound(board):
    with pytest.raises(Invalid, match="300 characters"):
        board.ask("task.create", title="x", request_id="x" * 301)


def test_answers_are_forgotten_after_a_day_a_few_at_a_time(board):
    for number in range(3):
        board.ask("task.create", title="x", request_id=f"old {number}")
    board.clock.advance(REQUEST_KEPT_MS + 1)
    board.ask("task.create", title="x", request_id="new")
    before = board.now - REQUEST_KEPT_MS
    assert board.write(lambda tx: sweep.prune_requests(tx, before)) == 3
    assert [row[1] for row in board.dump("request")["request"]] == ["new"]


def test_a_read_keeps_nothing(board):
    board.ask("task.list", request_id="look")
    assert board.dump("request") == {"request": []}


def test_one_handoff_is_not_given_to_several_tasks(board):
    one, two = board.create(), board.create()
    for field in ({"summary": "s"}, {"result": "r"}, {"metadata": {"a": 1}}, {"artifacts": ["a"]}):
        with pytest.raises(Invalid, match="belongs to one task"):
            board.ask("task.complete", ids=[one, two], **field)
    board.ask("task.complete", ids=[one], summary="s")
    board.ask("task.complete", ids=[two, at(board, "todo")])
    assert [board.status(number) for number in (one, two)] == ["done", "done"]


@pytest.mark.parametrize("ids", [[], "1", [1.5], [True], [1] * 501, None])
def test_ids_that_are_none_are_refused(board, ids):
    with pytest.raises(Invalid):
        board.ask("task.cancel", ids=ids)
    with pytest.raises(Invalid, match="stands instead of"):
        board.ask("task.cancel", id=1, ids=[1])
