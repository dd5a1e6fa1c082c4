"""Why a task is not moving: every code that the answer may have, from the state that gives it.

The list of codes is read from the source, so that a new reason without an example here fails.
"""

import re
from pathlib import Path

import pytest

from shopfloor.domain.errors import NotFound
from shopfloor.domain.lifecycle import Status
from shopfloor.domain.outcomes import Exit, Report, Usage
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel import why
from shopfloor.kernel.waits import waits
from shopfloor.kernel.why import Surroundings, living_dispatchers
from shopfloor.store import cards, hosts, plannings
from tests.support.walk import at, credentials, lead

ORDER = {"command": {"argv": ["true"]}}
HERE = Surroundings("here", None, ("here",))
FULL = Surroundings("here", 0, ("here",))
NOBODY = Surroundings("here", None, ())


def in_status(status, **args):
    return lambda board: at(board, status, **args)


def running(board):
    task = board.create(**ORDER)
    board.start()
    return task


def starting(board):
    task = running(board)
    board.execute("UPDATE run SET pid = NULL")
    return task


def checking(board):
    task = board.create(check=["true"], **ORDER)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=0))
    return task


def leaving(board):
    task = running(board)
    board.ask("task.reclaim", id=task)
    return task


def cooling(board):
    task = board.create(**ORDER)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=75))
    return task


def retrying(board):
    task = board.create(backoff={"base_ms": 60_000}, max_attempts=5, **ORDER)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=1))
    return task


def given_up(board):
    task = board.create(max_attempts=1, **ORDER)
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=1))
    return task


def of_a_dead_parent(board):
    return board.create(parents=[at(board, Status.CANCELLED)])


def archived(board):
    task = board.create()
    board.ask("task.archive", id=task)
    return task


def wrongly_waiting(board):
    task = at(board, Status.TODO)
    board.execute("DELETE FROM link")
    return task


def blocked_as(kind):
    def make(board):
        task = at(board, Status.RUNNING)
        board.ask_as(*credentials(board, task), "task.block", id=task, reason="r", kind=kind)
        return task

    return make


def asked(board):
    task = at(board, Status.RUNNING)
    board.ask_as(*credentials(board, task), "task.ask", id=task, question="which one?")
    return task


def limited(board):
    board.settings = Settings(profiles={"a": Profile("a", kind="cli")})
    task = board.create(assignee="a")
    [one] = board.start()
    board.settle(one.run_id, Exit(exit_code=75), report=Report("quota"))
    return task


def over_budget(board):
    board.settings = Settings(profiles={"a": Profile("a", kind="cli")})
    task = board.create(assignee="a", max_tokens=10)
    [one] = board.start()
    board.settle(one.run_id, Exit(signal=9), report=Report(usage=Usage(20)))
    return task


def looped(board):
    return lead(board, at(board, Status.RUNNING), Status.TRIAGE)


def paused(**scope):
    def make(board):
        task = board.create(assignee="a")
        board.ask("dispatch.pause", **({"ids": [task]} if scope == {"ids": []} else scope))
        return task

    return make


def guarded(board):
    board.settings = Settings(
        dispatch=Dispatch(guard_active_pr=True), profiles=board.settings.profiles
    )
    task = board.create(**ORDER)
    board.ask("task.comment", id=task, body="http://x/pull/1")
    board.clock.advance(1)
    board.start()
    return task


def second_of_profile(board):
    first, second = board.create(assignee="a"), board.create(assignee="a")
    assert [one.task.id for one in board.start()] == [first]
    return second


def asked_about(error):
    def make(board):
        task = board.create(initial_status="triage")
        number = board.write(
            lambda tx: plannings.add(tx, task_id=task, verb="split", digest="d", actor="ann")
        )
        if error is not None:
            board.write(
                lambda tx: plannings.end(
                    tx, number, "failed", error=error, input_tokens=0, output_tokens=0
                )
            )
        return task

    return make


EXAMPLES = [
    ("planning", asked_about(None), HERE),
    ("planning_failed", asked_about("the provider could not be reached"), HERE),
    ("in_triage", in_status(Status.TRIAGE), HERE),
    ("block_loop", looped, HERE),
    ("budget", over_budget, HERE),
    ("question", asked, HERE),
    ("quota", limited, HERE),
    ("promotes_next", wrongly_waiting, HERE),
    ("waits_for_parents", in_status(Status.TODO), HERE),
    ("parent_failed", of_a_dead_parent, HERE),
    ("parked", in_status(Status.SCHEDULED), HERE),
    ("waits_for_time", lambda b: b.create(not_before="2030-01-01T00:00:00Z"), HERE),
    ("waits_for_retry", retrying, HERE),
    ("gave_up", given_up, HERE),
    ("blocked_needs_input", in_status(Status.BLOCKED), HERE),
    ("blocked_capability", blocked_as("capability"), HERE),
    ("blocked_transient", blocked_as("transient"), HERE),
    ("running", running, HERE),
    ("running", in_status(Status.RUNNING), NOBODY),
    ("starting", starting, HERE),
    ("check_runs", checking, HERE),
    ("no_dispatcher", running, NOBODY),
    ("no_dispatcher", lambda b: b.create(**ORDER), NOBODY),
    ("previous_worker_leaving", leaving, HERE),
    ("waits_for_review", in_status(Status.REVIEW), HERE),
    ("board_paused", paused(), HERE),
    ("profile_paused", paused(profile="a"), HERE),
    ("task_paused", paused(ids=[]), HERE),
    ("active_pr", guarded, HERE),
    ("cooldown", cooling, HERE),
    ("unassigned", lambda b: b.create(), HERE),
    ("unknown_profile", lambda b: b.create(assignee="ghost"), HERE),
    ("profile_cap", second_of_profile, HERE),
    ("board_cap", lambda b: b.create(**ORDER), FULL),
    ("starts_next", lambda b: b.create(**ORDER), HERE),
    ("is_done", in_status(Status.DONE), HERE),
    ("is_cancelled", in_status(Status.CANCELLED), HERE),
    ("is_archived", in_status(Status.ARCHIVED), HERE),
]


@pytest.mark.parametrize(("code", "make", "around"), EXAMPLES)
def test_a_task_that_does_not_move_says_why_and_what_would_move_it(board, code, make, around):
    board.settings = Settings(profiles={"a": Profile("a", argv=("x",), cap=1)})
    task = make(board)
    settings = board.settings
    found = board.read(lambda tx: why.why(tx, settings, around, task))
    assert found.code == code
    # The board asks for many at once, and is told the same.
    cards_of = board.read(lambda tx: cards.rows(tx, [task]))
    many = board.read(lambda tx: waits(tx, board.service.given, around, cards_of.values()))
    assert (many[task].code, many[task].until) == (found.code, found.until)
    assert found.sentence and "None" not in found.sentence
    assert found.next_step.startswith("shop ")
    assert found.since <= board.now
    assert found.until is None or found.until > board.now


def test_every_code_has_an_example():
    source = Path(why.__file__).read_text()
    codes = {*re.findall(r'Reason\(\s*"(\w+)"', source), *re.findall(r'code = "(\w+)"', source)}
    assert codes <= {code for code, _make, _around in EXAMPLES}


def test_one_that_is_not_there_has_no_reason(board):
    with pytest.raises(NotFound):
        board.ask("task.why", id=1)


@pytest.mark.parametrize(
    ("make", "how", "verb"),
    [
        (in_status(Status.CANCELLED), "was cancelled", "reopen"),
        (given_up, "was given up", "unblock"),
        (archived, "was archived unfinished", "unarchive"),
    ],
)
def test_a_parent_that_will_not_finish_is_named_with_what_takes_it_up_again(board, make, how, verb):
    parent = make(board)
    child = board.create(parents=[parent])
    told = board.ask("task.why", id=child)
    assert told.sentence.startswith(f"it waits for #{parent}, which {how} and")
    assert told.next_step.startswith(f"shop {verb} {parent}, or ")
    board.ask(f"task.{verb}", id=parent)
    assert board.ask("task.why", id=child).code == "waits_for_parents"


def test_several_parents_are_named_and_the_rest_are_counted(board):
    child = board.create(parents=[board.create() for _ in range(7)])
    told = board.ask("task.why", id=child)
    assert "#1, #2, #3, #4, #5 and 2 more" in told.sentence


def test_a_dispatcher_lives_until_it_left_or_was_silent_for_too_long(board):
    def arrive(tx):
        for name in ("one", "two"):
            hosts.arrive(tx, name=name, boot_id="b", pid=1, pid_start=1, version="1", labels="[]")

    board.write(arrive)
    board.clock.advance(100)
    board.write(lambda tx: hosts.seen(tx, "one"))
    assert board.read(lambda tx: living_dispatchers(tx, 100)) == ("one", "two")
    assert board.read(lambda tx: living_dispatchers(tx, 99)) == ("one",)
    board.write(lambda tx: hosts.leave(tx, "one"))
    assert board.read(lambda tx: living_dispatchers(tx, 100)) == ("two",)
    board.write(arrive)
    assert board.read(lambda tx: living_dispatchers(tx, 100)) == ("one", "two")
    assert [host.name for host in board.ask("admin.hosts")] == ["one", "two"]
