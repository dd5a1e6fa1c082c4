"""A task's life by its verbs: creation, parking, promotion by hand, review, edits and ends."""

import pytest

from shopfloor.domain.errors import GuardFailed, Invalid, NotFound, Refused, WrongStatus
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel import sweep
from tests.support.walk import at, lead

FUTURE = "2030-01-01T00:00:00Z"


def test_a_key_that_an_unarchived_task_holds_answers_with_that_task(board):
    first = board.ask("task.create", title="one", idempotency_key="k")
    second = board.ask("task.create", title="two", idempotency_key="k")
    assert (first.created, second.created) == (True, False)
    assert second.task.id == first.task.id and second.task.title == "one"
    assert board.kinds(first.task.id) == ["created"]
    assert len(board.dump("task")["task"]) == 1


def test_an_archived_tasks_key_is_free_and_comes_back_only_while_nobody_has_it(board):
    first = board.create(idempotency_key="k")
    board.ask("task.archive", id=first)
    second = board.create(idempotency_key="k")
    assert second != first
    with pytest.raises(GuardFailed, match="another task holds its idempotency key"):
        board.ask("task.unarchive", id=first)
    board.ask("task.archive", id=second)
    board.ask("task.unarchive", id=first)
    assert board.create(idempotency_key="k") == first


def test_no_key_never_matches(board):
    assert board.create() != board.create()


def test_a_task_waits_for_its_parents_and_is_ready_at_once_when_they_are_done(board):
    done, archived, open_one = board.create(), board.create(), board.create(tenant="acme")
    board.ask("task.complete", id=done)
    board.ask("task.complete", id=archived)
    board.ask("task.archive", id=archived)
    assert board.status(board.create(parents=[done, archived])) == "ready"
    child = board.create(parents=[open_one, done])
    assert board.status(child) == "todo"
    assert board.task(child).tenant == "acme"
    board.ask("task.complete", id=open_one)
    assert board.status(child) == "ready"
    assert board.kinds(child) == ["created", "promoted"]


@pytest.mark.parametrize("end", ["task.cancel", "task.archive"])
def test_a_parent_that_was_not_done_does_not_count_as_done(board, end):
    parent = board.create()
    child = board.create(parents=[parent])
    board.ask(end, id=parent)
    assert board.status(child) == "todo"
    assert board.status(board.create(parents=[parent])) == "todo"


def test_a_parent_that_is_not_there_is_refused_and_nothing_is_made(board):
    for args in ({"parents": [99]}, {"origin": 99}):
        with pytest.raises(NotFound, match="#99"):
            board.create(**args)
    assert board.dump("task", "event") == {"task": [], "event": []}


def test_a_task_may_be_born_parked(board):
    parked = board.create(initial_status="blocked", reason="wait for the budget")
    assert (board.status(parked), board.task(parked).block_reason) == (
        "blocked",
        "wait for the budget",
    )
    assert board.task(parked).block_kind == "needs_input"
    assert board.status(board.create(initial_status="triage")) == "triage"
    assert board.status(board.create(initial_status="scheduled")) == "scheduled"
    timed = board.create(not_before=FUTURE)
    assert board.status(timed) == "scheduled"
    assert board.start() == [] and board.write(sweep.come_due) == []
    assert [board.status(number) for number in (parked, timed)] == ["blocked", "scheduled"]


def test_a_scheduled_task_comes_due_at_its_time_and_not_before(board):
    task = board.create()
    board.ask("task.schedule", id=task, not_before="2027-01-15T08:00:10Z")
    due = board.task(task).not_before
    board.now = due - 1
    assert board.write(sweep.come_due) == []
    board.now = due
    assert board.write(sweep.come_due) == [task]
    assert (board.status(task), board.task(task).not_before) == ("ready", None)
    assert board.kinds(task)[-1] == "due"


def test_a_task_parked_without_a_time_waits_for_a_person(board):
    task = board.create()
    board.ask("task.schedule", id=task, reason="after the holidays")
    board.clock.advance(10**12)
    assert board.write(sweep.come_due) == []
    assert board.why(task) == "parked"


def test_a_task_that_comes_due_before_its_parents_are_done_waits_for_them(board):
    task = at(board, Status.TODO)
    board.ask("task.schedule", id=task, not_before="2020-01-01T00:00:00Z")
    board.write(sweep.come_due)
    assert board.status(task) == "todo"


@pytest.mark.parametrize(
    "op", ["task.schedule", "task.reclaim", "task.archive", "task.cancel", "task.block"]
)
def test_a_persons_verb_on_a_running_task_closes_its_run_and_leaves_none_open(board, op):
    task = board.create(command={"argv": ["true"]})
    [one] = board.start()
    board.ask(op, id=task, **({"reason": "r"} if op == "task.block" else {}))
    run = board.run(one.run_id)
    assert run.outcome == ("cancelled" if op == "task.cancel" else "reclaimed")
    assert run.ended_at == board.now and run.gone_at is None
    assert board.task(task).current_run is None
    board.settle(one.run_id, Exit(stopped=True))
    assert board.run(one.run_id).gone_at is not None
    assert board.findings() == []


def test_promotion_by_hand_needs_the_parents_and_force_overrides_and_then_it_starts(board):
    parent = board.create()
    task = board.create(parents=[parent], command={"argv": ["true"]})
    with pytest.raises(GuardFailed, match="still waits for 1 unfinished parent"):
        board.ask("task.promote", id=task)
    assert (
        board.ask("task.promote", id=task, force=True, dry_run=True).note == "it would become ready"
    )
    assert board.status(task) == "todo"
    board.ask("task.promote", id=task, force=True)
    assert board.data(task, "promoted_manual") == {"from": "todo", "forced": True}
    assert board.task(task).forced_at is not None
    assert board.write(lambda tx: sweep.repair_queues(tx, 0))[0] == []
    assert board.findings() == []
    [one] = board.start()
    assert one.task.id == task
    board.settle(one.run_id, Exit(exit_code=1))
    assert (board.status(task), board.task(task).forced_at is not None) == ("ready", True)
    assert [claimed.task.id for claimed in board.start()] == [task]


@pytest.mark.parametrize("cleared_by", ["done", "cancelled", "blocked", "link"])
def test_the_force_ends_with_what_it_was_for(board, cleared_by):
    task = at(board, Status.TODO)
    board.ask("task.promote", id=task, force=True)
    if cleared_by == "link":
        board.ask("task.link", parent=board.create(), child=task)
        assert board.status(task) == "todo"
    else:
        lead(board, task, Status(cleared_by))
    assert board.task(task).forced_at is None


def test_promotion_does_not_touch_the_assignee(board):
    task = board.create(initial_status="blocked", assignee="coder")
    board.ask("task.promote", id=task)
    assert (board.status(task), board.task(task).assignee) == ("ready", "coder")


def review_settings(review="profile"):
    profiles = {name: Profile(name, argv=("x",)) for name in ("coder", "reviewer")}
    return Settings(dispatch=Dispatch(reviewer="reviewer", review=review), profiles=profiles)


def test_a_reviewer_sends_the_task_back_and_the_implementer_gets_the_reason(board):
    board.settings = review_settings()
    task = board.create(assignee="coder")
    [work] = board.start()
    board.ask_as(work.run_id, work.token, "task.request_review", id=task, summary="please look")
    board.settle(work.run_id, Exit(exit_code=0))
    [review] = board.start()
    assert (review.role, review.profile) == ("reviewer", "reviewer")
    with pytest.raises(GuardFailed, match="only the implementing worker"):
        board.ask_as(review.run_id, review.token, "task.request_review", id=task, summary="again")
    board.ask_as(review.run_id, review.token, "task.request_changes", id=task, reason="add tests")
    assert (board.status(task), board.task(task).phase) == ("ready", "work")
    assert (board.task(task).failures_work, board.task(task).loop_count) == (0, 0)
    assert "add tests" in board.ask("task.context", id=task).text
    board.settle(review.run_id, Exit(exit_code=0))
    [next_one] = board.start()
    assert (next_one.role, next_one.profile) == ("worker", "coder")
    with pytest.raises(GuardFailed, match="only a reviewer's run"):
        board.ask_as(next_one.run_id, next_one.token, "task.request_changes", id=task, reason="x")


def test_a_reviewer_that_completes_ends_the_task(board):
    board.settings = review_settings()
    task = at(board, Status.REVIEW, assignee="coder")
    [review] = board.start()
    board.ask_as(review.run_id, review.token, "task.complete", id=task, summary="good")
    assert board.status(task) == "done"


def test_where_people_review_no_reviewer_is_dispatched(board):
    board.settings = review_settings("person")
    task = at(board, Status.REVIEW, assignee="coder")
    assert board.start() == []
    assert [skip.code for skip in board.plan().skipped] == ["review_by_person"]
    assert board.why(task) == "waits_for_review"
    board.ask("task.request_changes", id=task, reason="no")
    assert board.status(task) == "ready"


def test_a_reviewer_that_waits_for_a_dependency_comes_back_to_review(board):
    board.settings = review_settings()
    task, other = at(board, Status.REVIEW, assignee="coder"), board.create()
    [review] = [one for one in board.start() if one.role == "reviewer"]
    board.ask_as(
        review.run_id, review.token, "task.block", id=task, reason="r", kind="dependency", on=other
    )
    assert (board.status(task), board.task(task).phase) == ("todo", "review")
    board.ask("task.complete", id=other)
    assert board.status(task) == "review"


def test_only_the_worker_of_a_run_sends_heartbeats(board):
    with pytest.raises(Refused, match="only the worker"):
        board.ask("task.heartbeat", id=board.create())


def test_an_edit_is_one_event_that_names_the_fields_and_nothing_changed_is_none(board):
    task = board.create("old", priority=3)
    board.ask("task.edit", id=task, title="new", priority=3, model="m", skills=["a"])
    assert board.data(task, "edited") == {"title": "new", "model": "m", "skills": '["a"]'}
    board.ask("task.edit", id=task, title="new")
    assert board.kinds(task) == ["created", "edited"]
    board.ask("task.edit", id=task, model="", clear_skills=True)
    assert (board.task(task).model, board.task(task).skills) == (None, "[]")


def test_several_tasks_are_assigned_at_once_and_to_nobody(board):
    ids = [board.create() for _ in range(3)]
    board.ask("task.assign", ids=ids, assignee="coder")
    assert {board.task(number).assignee for number in ids} == {"coder"}
    assert board.kinds(ids[0])[-1] == "assigned"
    board.ask("task.assign", id=ids[0], assignee="none")
    assert board.task(ids[0]).assignee is None


def test_failures_can_be_reset_and_a_claim_cleared_but_an_ended_run_is_never_rewritten(board):
    task = board.create(command={"argv": ["x"]}, max_attempts=5)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=1))
    board.ask("task.edit", id=task, reset_failures=True)
    assert board.task(task).failures_work == 0
    [two] = board.start()
    board.ask("task.edit", id=task, clear_claim=True)
    assert (board.status(task), board.run(two.run_id).outcome) == ("ready", "reclaimed")
    board.ask("task.complete", id=task)
    board.ask("task.edit", id=task, clear_claim=True)
    assert [run.outcome for run in board.runs(task)] == ["failed", "reclaimed", "completed"]


def test_an_archived_task_is_not_edited(board):
    with pytest.raises(WrongStatus, match="unarchive it first"):
        board.ask("task.edit", id=at(board, Status.ARCHIVED), title="x")


def test_terminating_stops_the_worker_and_keeps_the_task_from_starting(board):
    task = board.create(command={"argv": ["x"]})
    [one] = board.start()
    board.ask("run.terminate", id=task, reason="it loops")
    board.settle(one.run_id, Exit(stopped=True))
    assert board.start() == []
    assert board.why(task) == "task_paused"
    board.ask("dispatch.resume", ids=[task])
    assert len(board.start()) == 1


def test_a_reopened_task_makes_those_that_waited_for_it_wait_again(board):
    parent = board.create()
    child = board.create(parents=[parent])
    board.ask("task.complete", id=parent)
    board.ask("task.reopen", id=parent)
    assert (board.status(parent), board.status(child)) == ("ready", "todo")
    assert board.kinds(child)[-1] == "demoted"
    assert board.task(parent).ended_at is None


def test_an_unarchived_unfinished_parent_holds_its_children_back_again(board):
    parent = board.create()
    child = board.create(parents=[parent], start_after="any")
    board.ask("task.archive", id=parent)
    assert board.status(child) == "ready"
    board.ask("task.unarchive", id=parent)
    assert (board.status(parent), board.status(child)) == ("ready", "todo")


@pytest.mark.parametrize(
    "status", [s for s in Status if s not in (Status.ARCHIVED, Status.RUNNING)]
)
def test_an_archived_task_comes_back_to_the_status_that_it_had(board, status):
    task = at(board, status)
    board.ask("task.archive", id=task)
    board.ask("task.unarchive", id=task)
    assert board.status(task) == status
    assert board.task(task).archived_from is None
    assert board.findings() == []


def test_a_task_that_was_archived_while_it_ran_comes_back_to_its_queue(board):
    task = at(board, Status.RUNNING)
    board.ask("task.archive", id=task)
    board.ask("task.unarchive", id=task)
    assert board.status(task) == "ready"


def test_the_handoff_of_a_task_is_kept_and_told_to_its_children(board):
    parent = board.create("find the cause")
    child = board.create("repair it", parents=[parent])
    one = board.claim(parent)
    board.ask_as(
        one.run,
        one.token,
        "task.complete",
        id=parent,
        summary="It is the cache.\nMore.",
        result="cache",
        metadata={"files": 2},
    )
    assert board.data(parent, "completed")["summary"] == "It is the cache."
    told = board.ask("task.context", id=child).text
    assert "It is the cache." in told and '"files":2' in told


def test_a_title_is_one_line_whatever_was_given(board):
    task = board.create("  two\r\n lines\u2028and\x0bmore \n")
    assert board.task(task).title == "two lines and more"
    board.ask("task.edit", id=task, title="again\n\ntwo")
    assert board.task(task).title == "again two"
    with pytest.raises(Invalid):
        board.ask("task.edit", id=task, title=" \n ")
