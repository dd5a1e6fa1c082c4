"""What starts and what waits: caps, pauses, guards, profiles, and claims from outside the dispatcher."""

import pytest

from shopfloor.domain.errors import Conflict, GuardFailed, NotFound, WrongStatus
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel.sweep import assign_default
from shopfloor.store import holds
from tests.support.walk import at, lead

ORDER = {"command": {"argv": ["true"]}}
OK = Exit(exit_code=0)


def floor(*, caps=None, **dispatch):
    """Settings with the profiles `a`, `b` and `reviewer`, each with the cap that is given."""
    caps = caps or {}
    profiles = {
        name: Profile(name, argv=("x",), cap=caps.get(name)) for name in ("a", "b", "reviewer")
    }
    return Settings(dispatch=Dispatch(**{"reviewer": "reviewer", **dispatch}), profiles=profiles)


def skips(plan):
    return [(skip.code, skip.lane) for skip in plan.skipped]


def started(claimed):
    return [one.task.id for one in claimed]


def test_the_best_start_first_by_priority_and_then_by_age(board):
    low, high, old = board.create(**ORDER), board.create(priority=5, **ORDER), board.create(**ORDER)
    assert started(board.start(host_cap=2)) == [high, low]
    assert board.status(old) == "ready"


def test_a_plan_changes_nothing_and_sees_what_a_pass_would_do(board):
    tasks = [board.create(**ORDER) for _ in range(3)]
    before = board.dump()
    assert [one.task.id for one in board.plan(host_cap=2).start] == tasks[:2]
    assert board.dump() == before


def test_the_boards_cap_counts_every_kind_of_start_once(board):
    board.settings = floor(cap=3)
    reviews = [at(board, Status.REVIEW) for _ in range(2)]
    orders = [board.create(**ORDER) for _ in range(3)]
    assert started(board.start()) == [*reviews, orders[0]]
    plan = board.plan()
    assert plan.start == ()
    assert skips(plan) == [("board_cap", "!")]
    assert "3 running" in plan.skipped[0].sentence
    assert board.why(orders[1]) == "no_dispatcher"
    board.dispatcher_is_there = True
    if board.dialect == "sqlite":
        assert board.why(orders[1]) == "board_cap"


def test_a_run_whose_worker_is_leaving_holds_its_slot(board):
    board.settings = floor(cap=1)
    first, second = board.create(**ORDER), board.create(**ORDER)
    [one] = board.start()
    board.ask("task.cancel", id=first)
    assert board.start() == []
    board.settle(one.run_id, OK)
    assert started(board.start()) == [second]


def test_a_run_without_a_supervisor_counts_too(board):
    board.settings = floor(cap=1)
    board.claim(board.create())
    board.create(**ORDER)
    assert board.start() == []


def test_two_caps_leave_the_smaller_room_and_not_their_difference(board):
    board.settings = floor(cap=6)
    for _ in range(10):
        board.create(**ORDER)
    assert len(board.start(host_cap=3)) == 3
    assert len(board.start(host_cap=5)) == 2
    assert len(board.start(host_cap=99, most=1)) == 1
    assert len(board.start(host_cap=99)) == 0


def test_a_hosts_cap_does_not_count_what_runs_elsewhere(board):
    for _ in range(4):
        board.create(**ORDER)
    assert len(board.start(host_cap=2, host="there")) == 2
    assert len(board.start(host_cap=2)) == 2


def test_a_profiles_cap_holds_for_its_lane_and_its_reviews_together(board):
    board.settings = floor(caps={"reviewer": 2})
    reviews = [at(board, Status.REVIEW) for _ in range(2)]
    work = [board.create(assignee="reviewer") for _ in range(2)]
    claimed = board.start()
    assert started(claimed) == reviews
    plan = board.plan()
    assert skips(plan) == [("profile_cap", "reviewer")]
    assert "runs 2 of at most 2" in plan.skipped[0].sentence
    assert board.status(work[0]) == "ready"


def test_what_a_cap_leaves_is_reported_once_a_lane_with_the_running_count(board):
    board.settings = floor(caps={"a": 1})
    for _ in range(5):
        board.create(assignee="a")
    other = board.create(assignee="b")
    plan = board.plan()
    assert [one.task.assignee for one in plan.start] == ["a", "b"]
    assert skips(plan) == [("profile_cap", "a")]
    assert plan.skipped[0].sentence == "profile 'a' runs 1 of at most 1"
    assert other in started(board.start())
    assert board.task(2).failures_work == 0


def test_the_size_of_a_pass_is_no_cap_and_is_not_reported_as_one(board):
    for _ in range(3):
        board.create(**ORDER)
    assert board.plan(most=1).skipped == ()
    assert board.plan(most=0).skipped == ()


def test_a_capped_task_goes_first_in_the_next_pass(board):
    board.settings = floor(cap=1)
    first, second = board.create(**ORDER), board.create(**ORDER)
    [one] = board.start()
    board.create(**ORDER)
    board.settle(one.run_id, OK)
    assert (one.task.id, started(board.start())) == (first, [second])


def test_tasks_of_nobody_and_of_unknown_profiles_are_reported_and_never_started(board):
    board.settings = floor()
    nobody, stranger = board.create(), board.create(assignee="ghost")
    assert board.start() == []
    assert skips(board.plan()) == [("unassigned", ""), ("unknown_profile", "ghost")]
    assert (board.why(nobody), board.why(stranger)) == ("unassigned", "unknown_profile")


def test_the_default_assignee_takes_what_is_nobodys_and_it_is_recorded(board):
    board.settings = floor(default_assignee="a")
    nobody, mine, order = board.create(), board.create(assignee="b"), board.create(**ORDER)
    settings = board.settings
    before = board.dump()
    assert board.read(lambda tx: assign_default(tx, settings, dry_run=True)) == [nobody]
    assert board.dump() == before
    assert board.write(lambda tx: assign_default(tx, settings, dry_run=False)) == [nobody]
    assert [board.task(n).assignee for n in (nobody, mine, order)] == ["a", "b", None]
    assert board.data(nobody, "assigned") == {
        "assignee": "a",
        "source": "dispatch.default_assignee",
    }
    assert board.write(lambda tx: assign_default(tx, floor(), dry_run=False)) == []


# Pauses.


def test_a_paused_board_starts_nothing_and_everything_else_goes_on(board):
    parent = board.create(**ORDER)
    child = board.create(parents=[parent], **ORDER)
    [one] = board.start()
    waiting = board.create(**ORDER)
    board.ask("dispatch.pause", reason="stocktaking")
    assert board.start() == []
    assert skips(board.plan()) == [("board_paused", "")]
    told = board.ask("task.why", id=waiting)
    assert (told.code, told.next_step) == ("board_paused", "shop resume")
    with pytest.raises(GuardFailed, match="stocktaking"):
        board.claim(waiting)
    with pytest.raises(GuardFailed, match="stocktaking"):
        board.claim()
    board.ask_as(one.run_id, one.token, "task.complete", id=parent)
    assert board.status(child) == "ready"
    assert board.ask("dispatch.resume").changed
    assert not board.ask("dispatch.resume").changed
    assert len(board.start()) == 2


def test_a_paused_profile_and_a_paused_task_hold_back_only_theirs(board):
    board.settings = floor()
    first, second, third = (
        board.create(assignee="a"),
        board.create(assignee="b"),
        board.create(assignee="b"),
    )
    board.ask("dispatch.pause", profile="a")
    board.ask("dispatch.pause", ids=[second], reason="not this one")
    assert {*skips(board.plan())} == {("profile_paused", "a"), ("task_paused", "b")}
    for task in (first, second):
        with pytest.raises(GuardFailed, match="paused"):
            board.claim(task)
    assert (board.why(first), board.why(second)) == ("profile_paused", "task_paused")
    assert board.claim().task == third
    with pytest.raises(NotFound):
        board.claim()
    board.ask("dispatch.resume", profile="a")
    board.ask("dispatch.resume", ids=[second])
    assert started(board.start()) == [first, second]


def test_a_pause_that_stops_ends_the_runs_as_taken_back(board):
    board.settings = floor()
    a, b = board.create(assignee="a"), board.create(assignee="b")
    one, two = board.start()
    stopped = board.ask("dispatch.pause", profile="a", stop=True).stopped
    assert stopped == [one.run_id]
    assert (board.status(a), board.status(b)) == ("ready", "running")
    assert board.run(one.run_id).outcome == "reclaimed"
    assert board.ask("dispatch.pause", stop=True).stopped == [two.run_id]
    assert [hold.scope for hold in board.ask("dispatch.holds")] == ["board", "lane"]


def test_a_pause_that_ended_by_itself_holds_nothing(board):
    board.settings = floor()
    task = board.create(assignee="a")
    until = board.now + 1_000
    board.write(
        lambda tx: holds.put(
            tx, "lane", "a", "profile_paused", reason="quota", actor="dispatcher", until=until
        )
    )
    assert skips(board.plan()) == [("profile_paused", "a")]
    assert board.why(task) == "profile_paused"
    board.now = until
    assert board.why(task) != "profile_paused"
    assert started(board.start()) == [task]
    assert board.dump("hold") == {"hold": []}


def test_pausing_what_is_not_there_or_has_ended_is_refused(board):
    with pytest.raises(NotFound):
        board.ask("dispatch.pause", profile="ghost")
    with pytest.raises(NotFound):
        board.ask("dispatch.pause", ids=[99])


# Guards.


def succeeded(board):
    """A task that a run completed a moment ago and that is in its queue again without a person's word."""
    task = board.create(**ORDER)
    [one] = board.start()
    board.clock.advance(10)
    board.settle(one.run_id, OK)
    board.clock.advance(10)
    board.execute(f"UPDATE task SET status = 'ready', ended_at = NULL WHERE id = {task}")
    return task


def test_a_task_that_succeeded_a_moment_ago_is_held_back_once_and_says_why(board):
    task = succeeded(board)
    plan = board.plan()
    assert (plan.start, skips(plan)) == ((), [("recent_success", "!")])
    for _ in range(3):
        assert board.start() == []
    assert board.kinds(task).count("respawn_guarded") == 1
    told = board.ask("task.why", id=task)
    assert (told.code, told.next_step) == ("recent_success", f"shop bypass {task}")
    assert [skip.task_id for skip in board.plan().skipped] == [task]
    board.clock.advance(600_000)
    assert started(board.start()) == [task]
    assert board.dump("hold") == {"hold": []}


def test_a_person_who_reopens_wants_it_to_run_again_at_once(board):
    task = board.create(**ORDER)
    [one] = board.start()
    board.clock.advance(10)
    board.settle(one.run_id, OK)
    board.clock.advance(10)
    board.ask("task.reopen", id=task)
    assert started(board.start()) == [task]


def test_a_bypass_lets_it_start_once_and_is_recorded(board):
    task = succeeded(board)
    board.start()
    board.ask("dispatch.bypass", id=task)
    assert "guards_bypassed" in board.kinds(task)
    [one] = board.start()
    assert one.task.id == task
    assert board.dump("hold") == {"hold": []}


def test_a_bypass_ends_a_cooldown_and_is_for_queued_tasks_only(board):
    task = board.create(**ORDER)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=75))
    assert board.start() == []
    board.ask("dispatch.bypass", id=task)
    assert started(board.start()) == [task]
    with pytest.raises(WrongStatus, match="guards hold ready tasks only"):
        board.ask("dispatch.bypass", id=task)


def test_a_pull_request_in_a_recent_comment_holds_a_task_back_where_that_is_wanted(board):
    task = board.create(**ORDER)
    board.ask("task.comment", id=task, body="see https://example.org/x/pull/7")
    assert [one.task.id for one in board.plan().start] == [task]
    board.settings = floor(guard_active_pr=True)
    board.clock.advance(1_000)
    assert board.start() == []
    assert board.why(task) == "active_pr"
    board.clock.advance(24 * 3_600_000 - 2_000)
    assert board.start() == []
    assert board.kinds(task).count("respawn_guarded") == 1
    board.clock.advance(2_000)
    assert started(board.start()) == [task]


def test_an_edit_lifts_a_guard(board):
    task = succeeded(board)
    board.start()
    board.ask("task.edit", id=task, body="do it again")
    assert started(board.start()) == [task]


# Claims from outside.


def test_pulling_takes_the_best_ready_task_or_the_one_that_is_named(board):
    board.settings = floor()
    low, high = board.create(assignee="a"), board.create(assignee="b", priority=9)
    assert board.ask("run.claim").task == high
    with pytest.raises(NotFound):
        board.ask("run.claim", assignee="b")
    assert board.ask("run.claim", id=low).attempt == 1
    for taken in (low, high):
        with pytest.raises(WrongStatus):
            board.claim(taken)
    assert {run.profile for run in board.ask("run.list")} == {"a", "b"}


def test_a_wrongly_ready_task_is_not_claimed_by_anybody(board):
    parent, task = board.create(initial_status="triage"), board.create(**ORDER)
    board.execute(
        f"INSERT INTO link (parent_id, child_id, created_at) VALUES ({parent}, {task}, 1)"
    )
    assert board.start() == []
    with pytest.raises(GuardFailed, match="unfinished parent"):
        board.claim(task)
    with pytest.raises(NotFound):
        board.claim()


def test_a_task_whose_worker_is_leaving_is_not_claimed_by_anybody(board):
    task = board.create(**ORDER)
    board.start()
    board.ask("task.reclaim", id=task)
    assert skips(board.plan()) == [("previous_worker_leaving", "")]
    with pytest.raises(Conflict, match="still leaving"):
        board.claim(task)
    with pytest.raises(NotFound):
        board.claim()


def test_a_reviewer_may_be_somebody_outside(board):
    board.settings = floor()
    task = at(board, Status.REVIEW)
    one = board.claim(task)
    assert (board.run(one.run).role, board.run(one.run).profile) == ("reviewer", "reviewer")
    board.ask_as(one.run, one.token, "task.request_changes", id=task, reason="no")
    assert board.status(task) == "ready"


def test_a_task_with_a_check_is_for_a_dispatcher_and_hides_no_other(board):
    checked, free = board.create(check=["true"]), board.create()
    with pytest.raises(GuardFailed, match="only a dispatcher can run"):
        board.claim(checked)
    assert board.claim().task == free


def test_a_claim_tells_what_it_took(board):
    task = lead(board, board.create(assignee="a", title="x"), Status.READY)
    board.settings = floor()
    [one] = board.start()
    told = board.data(task, "claimed")
    assert told == {"from": "ready", "host": "here", "attempt": 1, "profile": "a"}
    row = board.run(one.run_id)
    assert (row.host, row.profile, row.lease_until) == ("here", "a", board.now + 60_000)
    assert len(one.token) == 32
