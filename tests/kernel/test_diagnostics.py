"""Every rule of the diagnosis both ways: it fires, and what it advises ends it.

Each step is carried out as the finding gives it: its command line is read by the command line's own
parser, must mean the same as its request, and the request is sent.
"""

import os

import pytest

from shopfloor.domain.diagnostics import CODES, DAY, HOUR, MINUTE, STUCK_MS
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit, Report
from shopfloor.domain.settings import Dispatch, Settings
from tests.support.diagnosing import PROFILES, arrive, carry_out
from tests.support.walk import at, credentials

ORDER = {"command": {"argv": ["true"]}}


@pytest.fixture
def board(board):
    board.settings = Settings(profiles=PROFILES)
    arrive(board)
    return board


def waited(ms, make):
    def made(board):
        task = make(board)
        board.clock.advance(ms)
        return task

    return made


def in_status(status, ms):
    return waited(ms, lambda board: at(board, status, assignee="a"))


def attempt(board, task, seen, **more):
    """Start what may start, and settle this task's run."""
    run = next(one.run_id for one in board.start() if one.task.id == task)
    board.settle(run, seen, **more)


def failing(board):
    task = board.create(max_attempts=5, **ORDER)
    attempt(board, task, Exit(exit_code=1))
    attempt(board, task, Exit(exit_code=1))
    return task


def given_up(board):
    task = board.create(max_attempts=1, **ORDER)
    attempt(board, task, Exit(exit_code=1))
    return task


def without_verdict(times):
    def make(board):
        task = board.create(assignee="agent")
        for _ in range(times):
            attempt(board, task, Exit(exit_code=0), report=Report("no_verdict"))
        return task

    return make


def turning(board):
    task = board.create(assignee="a")
    for _ in range(3):
        board.ask("task.block", id=task, reason="which key?")
        board.clock.advance(HOUR)
        board.ask("task.unblock", id=task)
    return task


def sent_back(board, times=5):
    """Work that its reviewer never finds good enough."""
    reviewing = Dispatch(reviewer="a", review="profile")
    board.settings = Settings(dispatch=reviewing, profiles=PROFILES)
    task = board.create(assignee="a")
    for _ in range(times):
        for verb, words in (("request_review", "summary"), ("request_changes", "reason")):
            one = next(one for one in board.start() if one.task.id == task)
            board.ask_as(one.run_id, one.token, f"task.{verb}", id=task, **{words: "not blue"})
            board.settle(one.run_id, Exit(exit_code=0))
    return task


def child_of(status, **args):
    def make(board):
        parent = at(board, Status.CANCELLED if status is Status.CANCELLED else Status.READY)
        child = board.create(parents=[parent], assignee="a")
        if status is Status.ARCHIVED:
            board.ask("task.archive", id=parent)
        return child

    return make


def child_of_a_given_up_one(board):
    parent = board.create(max_attempts=1, **ORDER)
    child = board.create(parents=[parent], assignee="a")
    attempt(board, parent, Exit(exit_code=1))
    return child


def claimed_outside(board):
    task = board.create(assignee="a")
    board.claim(task)
    board.clock.advance(16 * MINUTE)
    return task


def claimed_by_a_host_that_left(board):
    task = board.create(**ORDER)
    board.start(host="elsewhere")
    board.clock.advance(2 * MINUTE)
    return task


EXAMPLES = [
    ("unassigned", "warning", lambda b: b.create()),
    ("unknown_profile", "error", lambda b: b.create(assignee="agnet")),
    ("unknown_profile", "warning", lambda b: at(b, Status.TODO, assignee="ghost")),
    ("missing_skills", "warning", lambda b: b.create(assignee="painter", skills=["sand"])),
    ("dependency_dead", "error", child_of(Status.CANCELLED)),
    ("dependency_dead", "error", child_of(Status.ARCHIVED)),
    ("dependency_dead", "error", child_of_a_given_up_one),
    ("stale_claim", "error", claimed_outside),
    ("stale_claim", "error", claimed_by_a_host_that_left),
    ("repeated_failures", "warning", failing),
    ("repeated_failures", "error", given_up),
    ("repeated_violations", "warning", without_verdict(2)),
    ("repeated_violations", "error", without_verdict(3)),
    ("block_cycle", "warning", turning),
    ("review_cycle", "warning", sent_back),
    *[
        ("stuck", severity, in_status(status, ms))
        for status, bounds in STUCK_MS.items()
        for severity, ms in zip(("warning", "error"), bounds, strict=True)
        if status is not Status.RUNNING
    ],
    ("stuck", "warning", in_status(Status.RUNNING, 10 * MINUTE)),
]


def of(board, task, code):
    """The findings of a code about a task."""
    found = board.ask("diagnostics.list", id=task).items
    return [one for one in found if one.code == code]


@pytest.mark.parametrize(("code", "severity", "make"), EXAMPLES)
def test_a_rule_fires_and_each_step_that_ends_it_does(place, code, severity, make):
    """On a board for each step, because most of them exclude each other."""
    board = place.open(settings=Settings(profiles=PROFILES))
    endings = None
    number = 0
    while endings is None or number < endings:
        task = make(board)
        [found] = of(board, task, code)
        assert (found.severity, found.task, found.title) == (severity, task, "a task")
        assert found.since.timestamp() * 1000 <= board.now
        assert found.sentence and "None" not in found.sentence
        for step in found.steps:
            if step.op is not None and not step.ends and not step.asks:
                board.ask(
                    step.op, **{**step.args, **({"dry_run": True} if "dispatch" in step.op else {})}
                )
        assert of(board, task, code), "looking ends nothing"
        ending = [step for step in found.steps if step.ends]
        endings = len(ending)
        assert endings
        carry_out(board, ending[number])
        assert not of(board, task, code), ending[number].command
        board.ask("task.cancel", id=task) if board.status(task) not in (
            "done",
            "cancelled",
        ) else None
        number += 1
    assert board.findings() == []


def test_every_code_has_an_example():
    tested = {code for code, _severity, _make in EXAMPLES}
    board = {
        "no_dispatcher",
        "deliveries_failing",
        "hook_failing",
        "disk_nearly_full",
        "clock_moved",
    }
    assert tested | board == set(CODES)


def test_a_board_where_all_is_well_has_no_finding(board):
    board.create(assignee="a")
    board.create(**ORDER)
    at(board, Status.TODO, assignee="a")
    at(board, Status.BLOCKED, assignee="a")
    board.ask("task.complete", id=board.create())
    found = board.ask("diagnostics.list")
    assert [(one.code, one.task) for one in found.items] == [("unassigned", 3)]
    board.ask("task.assign", id=3, assignee="a")
    found = board.ask("diagnostics.list")
    assert (found.items, found.next, found.errors, found.warnings) == ([], None, 0, 0)


@pytest.mark.parametrize("status", STUCK_MS)
def test_a_task_is_stuck_from_the_moment_that_the_table_says(board, status):
    task = at(board, status, assignee="a")
    for bound, severity in zip(STUCK_MS[status], ("warning", "error"), strict=True):
        board.now = board.task(task).changed_at + bound - 1
        assert severity not in [one.severity for one in of(board, task, "stuck")]
        board.now += 1
        if severity == "error" and status is Status.RUNNING:
            # Its claim is over by then, which says more.
            assert [one.code for one in board.ask("diagnostics.list", id=task).items] == [
                "stale_claim"
            ]
        else:
            assert [one.severity for one in of(board, task, "stuck")] == [severity]


def test_a_worker_that_speaks_is_not_stuck(board):
    task = board.create(assignee="a")
    board.claim(task)
    board.clock.advance(9 * MINUTE)
    board.ask_as(*credentials(board, task), "task.heartbeat", id=task, note="on page 3")
    board.clock.advance(9 * MINUTE)
    assert of(board, task, "stuck") == []
    board.clock.advance(MINUTE)
    assert len(of(board, task, "stuck")) == 1


def test_a_worker_that_prints_is_not_stuck(board):
    task = board.create(**ORDER)
    board.claim(task)
    board.clock.advance(11 * MINUTE)
    assert len(of(board, task, "stuck")) == 1
    log = board.service.files.log_path(task)
    log.parent.mkdir(exist_ok=True)
    log.write_text("page 3")
    os.utime(log, (board.now / 1000, board.now / 1000))
    assert of(board, task, "stuck") == []


def test_a_run_with_a_maximum_runtime_is_not_stuck_before_it_is_over(board):
    task = board.create(max_runtime_ms=12 * MINUTE, **ORDER)
    board.claim(task)
    board.clock.advance(11 * MINUTE)
    assert of(board, task, "stuck") == []
    board.clock.advance(MINUTE)
    assert len(of(board, task, "stuck")) == 1


@pytest.mark.parametrize("scope", [{}, {"profile": "a"}, {"ids": [1]}])
def test_what_a_person_paused_is_not_stuck(board, scope):
    task = board.create(assignee="a")
    board.ask("dispatch.pause", **scope)
    board.clock.advance(DAY)
    assert board.ask("diagnostics.list", id=task).items == []


def test_a_default_assignee_takes_what_nobody_is_assigned_to(board):
    board.create()
    board.settings = Settings(dispatch=Dispatch(default_assignee="a"), profiles=PROFILES)
    assert board.ask("diagnostics.list").items == []


def test_the_profile_with_the_nearest_name_is_named_first(board):
    task = board.create(assignee="agnet")
    [found] = of(board, task, "unknown_profile")
    assert found.steps[0].command == f"shop assign {task} agent"


def test_without_a_profile_the_step_asks_for_one(board):
    board.settings = Settings()
    task = board.create()
    [found] = of(board, task, "unassigned")
    [step] = found.steps
    assert (step.command, step.asks) == (f"shop assign {task} PROFILE", "assignee")


def test_blocks_that_were_answered_or_written_about_are_no_cycle(board):
    task = board.create(assignee="a")
    for _ in range(4):
        board.ask("task.block", id=task, reason="which key?")
        board.ask("task.comment", id=task, body="the red one")
        board.ask("task.unblock", id=task)
    assert of(board, task, "block_cycle") == []


def test_a_few_rounds_of_review_are_no_cycle_and_many_are_none_of_blocks(board):
    assert of(board, sent_back(board, times=4), "review_cycle") == []
    assert of(board, sent_back(board, times=5), "block_cycle") == []


def test_cycles_are_counted_by_the_order_of_events_and_not_by_their_time(board):
    """All in one millisecond, as a fast script does it."""
    task = board.create(assignee="a")
    for _ in range(2):
        board.ask("task.block", id=task, reason="which key?")
        board.ask("task.unblock", id=task)
    board.ask("task.block", id=task, reason="which key?")
    assert of(board, task, "block_cycle") == []
    board.ask("task.unblock", id=task)
    assert len(of(board, task, "block_cycle")) == 1
    board.clock.advance(DAY + 1)
    assert of(board, task, "block_cycle") == []


def test_several_dead_parents_are_one_finding_and_one_revival_is_not_enough(board):
    parents = [at(board, Status.CANCELLED) for _ in range(3)]
    child = board.create(parents=parents, assignee="a")
    [found] = of(board, child, "dependency_dead")
    assert f"#{parents[0]}" in found.sentence and "2 more" in found.sentence
    ends = {step.op: step.ends for step in found.steps}
    assert not ends["task.reopen"] and not ends["task.unlink"] and ends["task.edit"]
    board.ask("task.reopen", id=parents[0])
    assert len(of(board, child, "dependency_dead")) == 1


def test_the_number_of_statements_is_the_same_however_many_tasks_there_are(place):
    names = []
    board = place.open(settings=Settings(profiles=PROFILES), probe=names.append)

    def statements():
        names.clear()
        board.ask("diagnostics.list")
        return [name for name in names if name not in ("begin", "commit", "rollback")]

    makers = (turning, child_of(Status.CANCELLED), given_up, lambda b: b.create(), claimed_outside)
    for make in makers:
        make(board)
    few = statements()
    for _ in range(4):
        for make in makers:
            make(board)
    assert statements() == few
    assert len(few) < 15


def test_what_was_given_up_is_told_once_and_as_why_tells_it(board):
    task = given_up(board)
    told = board.ask("task.why", id=task).sentence
    assert told.startswith("gave up after ")
    found = board.ask("diagnostics.list", id=task)
    assert [one.sentence for one in found.items if one.code == "repeated_failures"] == [told]
    waiting = board.ask("board.needs")
    assert [one.sentence for one in waiting.items if one.task == task] == [told]
