"""Links between tasks: circles are refused, children follow their parents, and a parent may be dropped."""

import pytest

from shopfloor.domain import limits
from shopfloor.domain.errors import (
    Conflict,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
    WrongStatus,
)
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel import sweep
from tests.support.walk import at


def link(board, parent, child):
    return board.ask("task.link", parent=parent, child=child)


def test_a_circle_is_refused_with_its_way(board):
    one, two, three = board.create(), board.create(), board.create()
    link(board, one, two)
    link(board, two, three)
    with pytest.raises(GuardFailed, match=f"#{one} → #{two} → #{three}") as refused:
        link(board, three, one)
    assert refused.value.detail == {"cycle": [one, two, three]}
    with pytest.raises(Invalid, match="cannot wait for itself"):
        link(board, one, one)
    assert board.findings() == []


def test_a_link_that_is_there_changes_nothing(board):
    one, two = board.create(), board.create()
    assert link(board, one, two).changed
    assert not link(board, one, two).changed
    assert board.kinds(two) == ["created", "linked", "demoted"]


def test_an_unfinished_parent_takes_a_ready_task_back_and_a_done_one_does_not(board):
    done, open_one, task = at(board, Status.DONE), board.create(), board.create()
    link(board, done, task)
    assert board.status(task) == "ready"
    link(board, open_one, task)
    assert board.status(task) == "todo"
    board.ask("task.unlink", parent=open_one, child=task)
    assert board.status(task) == "ready"
    with pytest.raises(NotFound, match="no link to remove"):
        board.ask("task.unlink", parent=open_one, child=task)


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED, Status.ARCHIVED])
def test_a_task_that_has_ended_waits_for_nothing_more(board, status):
    with pytest.raises(WrongStatus, match="reopen it first"):
        link(board, board.create(), at(board, status))


def test_a_running_task_may_get_a_parent_and_waits_for_it_at_its_next_attempt(board):
    task, parent = board.create(command={"argv": ["x"]}), board.create()
    [one] = board.start()
    link(board, parent, task)
    assert board.status(task) == "running"
    board.settle(one.run_id, Exit(exit_code=1))
    assert board.status(task) == "todo"


def test_there_are_bounds_to_the_links_of_a_task(board, monkeypatch):
    monkeypatch.setattr(limits, "LINKS_MAX", 3)
    parents = [board.create() for _ in range(4)]
    with pytest.raises(Invalid, match="may have 3 parents, and 4 were given"):
        board.create(parents=parents)
    child = board.create(parents=parents[:3])
    with pytest.raises(LimitReached, match="3 links"):
        link(board, parents[3], child)
    for _ in range(2):
        board.create(parents=[parents[0]])
    with pytest.raises(LimitReached, match="3 links"):
        board.create(parents=[parents[0]])


@pytest.mark.parametrize("drop", ["task.cancel", "task.archive"])
def test_children_of_a_dropped_parent_wait_and_why_says_so(board, drop):
    parent = board.create()
    child = board.create(parents=[parent])
    board.ask(drop, id=parent)
    assert board.status(child) == "todo"
    told = board.ask("task.why", id=child)
    assert told.code == "parent_failed"
    assert f"promote --force {child}" in told.next_step


@pytest.mark.parametrize("drop", ["task.cancel", "task.archive"])
def test_children_may_be_cancelled_with_their_parent_and_theirs_too(board, drop):
    root = board.create()
    child = board.create(parents=[root])
    parked = board.create(parents=[root], initial_status="scheduled")
    grandchild = board.create(parents=[child])
    other = board.create(parents=[board.create()])
    done = board.ask(drop, id=root, children="cancel")
    assert [board.status(number) for number in (child, parked, grandchild)] == ["cancelled"] * 3
    assert board.status(other) == "todo"
    assert done.note == f"also cancelled: #{child}, #{parked}, #{grandchild}"


@pytest.mark.parametrize("drop", ["task.cancel", "task.archive"])
def test_children_may_go_on_without_their_parent(board, drop):
    parent = board.create()
    child = board.create(parents=[parent])
    board.ask(drop, id=parent, children="go-on")
    assert board.status(child) == "ready"
    [waived] = board.ask("task.show", id=child).parents
    assert waived.waived
    link(board, parent, child)
    assert board.status(child) == "todo"


def test_cancelling_children_leaves_alone_what_does_not_wait(board):
    parent = board.create()
    forced, waived = board.create(parents=[parent]), board.create(parents=[parent])
    board.ask("task.promote", id=forced, force=True)
    board.execute(f"UPDATE link SET waived_at = 1 WHERE child_id = {waived}")
    board.write(lambda tx: sweep.repair_queues(tx, 0))
    board.ask("task.cancel", id=parent, children="cancel")
    assert board.status(forced) == board.status(waived) == "ready"


def test_what_starts_after_any_end_goes_on_after_a_cancelled_or_given_up_parent(board):
    cancelled, given_up = board.create(), board.create(command={"argv": ["x"]}, max_attempts=1)
    first = board.create(parents=[cancelled], start_after="any")
    second = board.create(parents=[given_up], start_after="any")
    strict = board.create(parents=[given_up])
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=1))
    board.ask("task.cancel", id=cancelled)
    assert [board.status(number) for number in (first, second, strict)] == [
        "ready",
        "ready",
        "todo",
    ]
    assert board.why(strict) == "parent_failed"
    board.ask("task.unblock", id=given_up)
    assert board.status(second) == "todo"
    board.ask("task.edit", id=strict, start_after="any")
    assert board.status(strict) == "todo"
    board.ask("task.cancel", id=given_up)
    assert board.status(strict) == "ready"


def test_a_deleted_task_takes_its_rows_with_it_and_one_event_stays(board):
    task = board.create("to be forgotten")
    other = board.create(origin=task)
    board.ask("task.comment", id=task, body="x")
    board.ask("task.attach", id=task, name="a.txt", content="eA==")
    board.ask("dispatch.pause", ids=[task])
    board.ask("task.complete", id=task)
    board.ask("task.delete", id=task)
    with pytest.raises(NotFound):
        board.ask("task.show", id=task)
    left = board.dump()
    assert left["comment"] == left["attachment"] == left["run"] == left["hold"] == []
    assert [row[3] for row in left["event"] if row[1] is None] == ["deleted"]
    assert board.task(other).origin_id is None
    assert not (board.folder / "attachments" / str(task)).exists()
    assert board.create() > other
    assert board.findings() == []


def test_a_running_task_is_not_deleted_and_neither_is_one_whose_worker_is_leaving(board):
    task = board.create(command={"argv": ["x"]})
    [one] = board.start()
    with pytest.raises(WrongStatus, match="running"):
        board.ask("task.delete", id=task)
    board.ask("task.cancel", id=task)
    with pytest.raises(Conflict, match="still leaving"):
        board.ask("task.delete", id=task)
    board.settle(one.run_id, Exit(stopped=True))
    board.ask("task.delete", id=task)


@pytest.mark.parametrize(
    ("children", "child", "grandchild"),
    [("wait", "blocked", "todo"), ("cancel", "cancelled", "cancelled"), ("go-on", "ready", "todo")],
)
def test_whoever_deletes_an_unfinished_parent_says_what_becomes_of_its_children(
    board, children, child, grandchild
):
    parent = board.create()
    below = board.create(parents=[parent])
    further = board.create(parents=[below])
    forced = board.create(parents=[parent])
    board.ask("task.promote", id=forced, force=True)
    board.ask("task.delete", id=parent, children=children)
    assert [board.status(n) for n in (below, further, forced)] == [child, grandchild, "ready"]
    assert "unlinked" in board.kinds(below)
    assert board.findings() == []


@pytest.mark.parametrize("op", ["task.delete", "task.cancel", "task.archive"])
def test_another_word_for_the_children_is_refused(board, op):
    with pytest.raises(Invalid):
        board.ask(op, id=board.create(), children="drown")


def test_a_finished_parent_is_deleted_without_a_word_to_its_children(board):
    parent = board.create()
    child = board.create(parents=[parent])
    board.ask("task.complete", id=parent)
    board.ask("task.archive", id=parent)
    board.ask("task.delete", id=parent)
    assert board.status(child) == "ready"


def test_a_task_becomes_a_graph_at_once_and_never_twice(board):
    root = board.create(
        "big", initial_status="triage", assignee="lead", tenant="acme", workspace="dir:/srv/a"
    )
    pieces = [
        {"title": "first"},
        {"title": "second", "after": [0], "assignee": "coder"},
        {"title": "third", "after": [0], "workspace": "worktree"},
    ]
    made = board.ask("task.decompose", id=root, pieces=pieces)
    first, second, third = (line.id for line in made.pieces)
    assert [line.status for line in made.pieces] == ["ready", "todo", "todo"]
    assert made.root.status == "todo"
    assert {one.id for one in board.ask("task.show", id=root).parents} == {second, third}
    rows = [board.task(number) for number in (first, second, third)]
    assert [row.assignee for row in rows] == ["lead", "coder", "lead"]
    assert [row.workspace_path for row in rows] == ["/srv/a", "/srv/a", None]
    assert {row.origin_id for row in rows} == {root} and {row.tenant for row in rows} == {"acme"}
    for number in (first, second, third):
        board.ask("task.complete", id=number)
    assert board.status(root) == "ready"
    told = board.ask("task.show", id=root)
    assert (told.progress_done, told.progress_total) == (3, 3)


def test_a_graph_that_makes_no_sense_is_refused_whole(board):
    root = board.create(initial_status="triage")
    before = board.dump()
    for pieces in (
        [],
        [{"title": "a", "after": [0]}],
        [{"title": "a"}, {"title": "b", "after": [-1]}],
    ):
        with pytest.raises(Invalid):
            board.ask("task.decompose", id=root, pieces=pieces)
        assert board.dump() == before
    board.ask("task.decompose", id=root, pieces=[{"title": "a"}])
    for rest in (Status.ARCHIVED,):
        board.ask("task.archive", id=root)
        board.ask("task.unarchive", id=root)
        assert board.status(root) == "todo", rest
    with pytest.raises(WrongStatus):
        board.ask("task.decompose", id=root, pieces=[{"title": "b"}])


def test_a_task_that_was_decomposed_before_is_not_decomposed_again(board):
    root = board.create(initial_status="triage")
    [piece] = board.ask("task.decompose", id=root, pieces=[{"title": "a"}]).pieces
    board.ask("task.complete", id=piece.id)
    for _ in range(3):
        one = board.claim(root)
        board.ask_as(one.run, one.token, "task.block", id=root, reason="r")
        if board.status(root) == "blocked":
            board.ask("task.unblock", id=root)
    assert board.status(root) == "triage"
    with pytest.raises(GuardFailed, match="decomposed before"):
        board.ask("task.decompose", id=root, pieces=[{"title": "b"}])
    board.ask("task.specify", id=root)


def test_the_sweep_repairs_what_came_about_without_the_program(board):
    parent, ready, waiting = board.create(), board.create(), at(board, Status.TODO)
    board.execute(
        f"INSERT INTO link (parent_id, child_id, created_at) VALUES ({parent}, {ready}, 1)"
    )
    board.execute(f"DELETE FROM link WHERE child_id = {waiting}")
    assert {one.invariant for one in board.findings()} == {
        "ready_with_open_parent",
        "todo_that_waits_for_nobody",
    }
    moved, after = board.write(lambda tx: sweep.repair_queues(tx, 0))
    assert ({*moved}, after) == ({ready, waiting}, None)
    assert (board.status(ready), board.status(waiting)) == ("todo", "ready")
    assert board.findings() == []
