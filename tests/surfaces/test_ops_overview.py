"""The board as a whole: the graph around a task, what ran when, and figures over time."""

from datetime import timedelta
from itertools import pairwise

import pytest

from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.domain.lifecycle import RULES, By, Status
from shopfloor.domain.outcomes import Exit, Report, Usage
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel import sweep
from shopfloor.ops import lifecycle
from shopfloor.ops.registry import everything
from shopfloor.store import history, hosts
from tests.support.places import board, board_database, board_url, place
from tests.support.walk import at

__all__ = ["board", "board_database", "board_url", "place"]

HOUR = 3_600_000
DAY = 24 * HOUR
AGENT = Settings(profiles={"ada": Profile("ada", kind="cli"), "bob": Profile("bob", kind="cli")})


def levels(view):
    return {node.id: node.level for node in view.nodes}


def edges(view):
    return {(edge.parent, edge.child) for edge in view.edges}


# The table.


def test_a_page_is_told_what_a_person_may_do_in_each_status(board):
    told = {
        one.status: {move.op: move.to for move in one.moves} for one in board.ask("board.lifecycle")
    }
    assert list(told) == [status.value for status in Status]
    assert told["review"]["task.request_changes"] == ["ready", "todo"]
    assert told["done"]["task.reopen"] == ["ready", "todo"]
    assert told["done"]["task.delete"] == []
    assert "task.delete" not in told["running"]


def test_every_verb_of_a_person_has_one_operation():
    verbs = {rule.verb for rule in RULES if rule.by is By.PERSON and rule.source is not None}
    assert verbs == lifecycle.OPERATIONS.keys()
    assert {*lifecycle.OPERATIONS.values()} <= everything().keys()


# Settings and hosts.


def test_what_is_set_is_told_with_its_default_and_its_words(board):
    told = board.ask("board.settings")
    cap = next(one for one in told.items if (one.table, one.name) == ("dispatch", "cap"))
    assert (cap.value, cap.default, cap.is_set) == (None, None, False)
    assert cap.words and cap.unset
    assert {one.table for one in told.items} >= {"dispatch", "retention", "web"}


def test_a_host_is_told_with_its_labels_and_what_runs_on_it(board):
    board.create("task", assignee="ada")
    board.settings = AGENT
    board.start(host="here")
    for name, labels in (("here", '["gpu"]'), ("there", "[]")):
        board.write(
            lambda tx, name=name, labels=labels: hosts.arrive(
                tx, name=name, boot_id="b", pid=1, pid_start=1, version="1", labels=labels
            )
        )
    told = {host.name: host for host in board.ask("admin.hosts")}
    assert told["here"].labels == ["gpu"]
    assert [told[name].running for name in ("here", "there")] == [1, 0]


# The graph.


def test_the_graph_has_all_that_a_task_waits_for_and_all_that_waits_for_it(board):
    top, side = board.create("top"), board.create("side")
    middle = board.create("middle", parents=[top])
    low = board.create("low", parents=[middle, side])
    lowest = board.create("lowest", parents=[low])
    stranger = board.create("stranger", parents=[side])
    view = board.ask("task.graph", id=middle)
    assert levels(view) == {top: -1, middle: 0, low: 1, lowest: 2}
    assert edges(view) == {(top, middle), (middle, low), (low, lowest)}
    assert not view.cut
    [shown] = [node for node in view.nodes if node.id == low]
    assert (shown.parents, shown.children, shown.status) == (2, 1, "todo")
    assert stranger not in levels(view)


def test_a_task_that_is_reached_on_two_ways_is_there_once(board):
    top = board.create("top")
    left, right = board.create(parents=[top]), board.create(parents=[top])
    low = board.create("low", parents=[left, right, top])
    view = board.ask("task.graph", id=top)
    assert sorted(levels(view)) == sorted([top, left, right, low])
    assert edges(view) == {(top, left), (top, right), (left, low), (right, low), (top, low)}


def test_a_graph_that_is_too_large_is_cut_at_its_rim(board):
    chain = [board.create()]
    for _ in range(5):
        chain.append(board.create(parents=[chain[-1]]))
    near = board.ask("task.graph", id=chain[2], depth=1)
    assert sorted(levels(near)) == chain[1:4]
    assert near.cut
    few = board.ask("task.graph", id=chain[2], limit=3)
    assert sorted(levels(few)) == chain[1:4]
    assert few.cut
    assert not board.ask("task.graph", id=chain[2], depth=3, limit=6).cut


def test_a_waived_link_and_a_forced_task_are_told(board):
    top = board.create("top")
    low = board.create("low", parents=[top])
    board.ask("task.promote", id=low, force=True)
    view = board.ask("task.graph", id=low)
    assert [node.forced for node in view.nodes] == [False, True]
    board.ask("task.cancel", id=top, children="go-on")
    [edge] = board.ask("task.graph", id=low).edges
    assert edge.waived


def test_the_graph_of_a_task_that_is_not_there_is_refused(board):
    with pytest.raises(NotFound):
        board.ask("task.graph", id=99)


# The timeline.


def test_a_run_tells_how_long_it_waited_and_ran(board):
    task = board.create("count", command={"argv": ["x"]})
    board.clock.advance(4_000)
    [one] = board.start()
    board.clock.advance(9_000)
    board.settle(one.run_id, Exit(exit_code=0))
    board.clock.advance(60_000)
    told = board.ask("run.timeline")
    [run] = told.items
    assert (run.task, run.outcome, run.host, run.order) == (task, "completed", "here", True)
    assert (run.waited_s, run.ran_s, run.attempt) == (4, 9, 1)
    assert run.previous_run is None
    assert told.waiting == []


def test_a_retry_tells_what_came_before_it_and_since_when_it_was_queued(board):
    backoff = {"base_ms": 30_000, "factor": 1, "max_ms": 30_000}
    board.create("count", command={"argv": ["x"]}, backoff=backoff)
    [first] = board.start()
    board.clock.advance(1_000)
    board.settle(first.run_id, Exit(exit_code=1))
    ended = board.now
    board.clock.advance(30_000)
    board.write(sweep.come_due)
    board.clock.advance(2_000)
    [second] = board.start()
    run = board.ask("run.timeline").items[0]
    assert (run.run, run.attempt, run.state) == (second.run_id, 2, "running")
    assert (run.previous_run, run.previous_outcome) == (first.run_id, "failed")
    assert run.previous_ended_at.timestamp() * 1000 == ended
    assert run.queued_at - run.previous_ended_at == timedelta(seconds=30)
    assert run.waited_s == 2


def test_the_window_holds_what_was_there_in_it_and_nothing_else(board):
    runs = []
    for _ in range(4):
        board.create("count", command={"argv": ["x"]})
        [one] = board.start()
        runs.append(one.run_id)
        board.clock.advance(HOUR)
        board.settle(one.run_id, Exit(exit_code=0))
        board.clock.advance(HOUR)
    shown = board.ask("run.timeline", since_ms=3 * HOUR).items
    assert [run.run for run in shown] == [runs[3], runs[2]]
    until = board.ask("run.timeline", since_ms=3 * HOUR).since.isoformat()
    earlier = board.ask("run.timeline", since_ms=2 * HOUR, until=until).items
    assert [run.run for run in earlier] == [runs[2], runs[1]]


def test_the_pages_of_a_timeline_follow_each_other(board):
    for _ in range(5):
        board.create("count", command={"argv": ["x"]})
    runs = sorted((one.run_id for one in board.start()), reverse=True)
    first = board.ask("run.timeline", limit=2)
    second = board.ask("run.timeline", limit=2, before=first.next)
    third = board.ask("run.timeline", limit=2, before=second.next)
    assert [run.run for page in (first, second, third) for run in page.items] == runs
    assert third.next is None


def test_what_waits_now_says_why(board):
    board.settings = Settings(profiles={"ada": Profile("ada", kind="cli", cap=1)})
    first, second = board.create(assignee="ada"), board.create(assignee="ada")
    board.dispatcher_is_there = True
    board.start(host_cap=1)
    board.write(arrived)
    told = board.ask("run.timeline", profile="ada")
    assert [run.task for run in told.items] == [first]
    assert [(one.task, one.code) for one in told.waiting] == [(second, "profile_cap")]
    assert told.waiting_total == 1
    assert board.ask("run.timeline", host="there").items == []


def arrived(tx):
    names = {"boot_id": "b", "pid": 1, "pid_start": 1, "version": "1", "labels": "[]"}
    hosts.arrive(tx, name="here", **names)


def test_what_a_person_did_by_hand_is_no_run_of_the_timeline(board):
    board.ask("task.complete", id=board.create())
    assert board.ask("run.timeline").items == []


def test_a_window_before_all_time_is_refused(board):
    with pytest.raises(Invalid, match="before 1970"):
        board.ask("run.timeline", until="1970-01-01T00:00:00Z")


def test_the_beginning_of_a_window_is_found_among_many_runs_with_gaps(board):
    marks = []
    for number in range(12):
        task = board.create("count", command={"argv": ["x"]})
        [one] = board.start()
        marks.append((board.now, one.run_id))
        board.settle(one.run_id, Exit(exit_code=0))
        if number % 3 == 0:
            board.ask("task.delete", id=task)
        board.clock.advance(1_000)
    kept = {run.run for run in board.ask("run.timeline", limit=1_000).items}
    for at_ms, number in marks:
        first = board.read(lambda tx, at_ms=at_ms: history.first_run(tx, at_ms))
        assert {run for _, run in marks if run >= first} & kept == {
            run for when, run in marks if when >= at_ms
        } & kept
        assert first <= number
    assert board.read(lambda tx: history.first_run(tx, board.now)) == marks[-1][1] + 1


# The history.


def test_each_slot_counts_what_was_created_what_ended_how_and_what_it_cost(board):
    board.settings = AGENT
    board.now = (board.now // DAY) * DAY
    board.create("order", command={"argv": ["x"]})
    board.create("agent", assignee="ada")
    order, agent = board.start()
    board.clock.advance(10_000)
    board.settle(order.run_id, Exit(exit_code=1))
    usage = Usage(input_tokens=100, output_tokens=20, cache_read_tokens=5, cost_micros=7_000)
    report = Report(session_id="s", model="m", usage=usage)
    board.ask_as(agent.run_id, agent.token, "task.complete", id=agent.task.id)
    board.settle(agent.run_id, Exit(exit_code=0), report=report)
    board.clock.advance(DAY)
    board.ask("task.complete", id=board.create("by hand"))
    told = board.ask("stats.history", since_ms=3 * DAY)
    empty, first, last = told.slots
    assert (empty.created, empty.done, empty.outcomes) == (0, 0, {})
    assert (first.created, first.done, first.by_hand) == (2, 1, 0)
    assert (first.outcomes, first.attempts) == ({"completed": 1, "failed": 1}, 2)
    assert (first.tokens, first.cost_micros, first.took_s) == (120, 7_000, 20)
    assert (last.created, last.done, last.by_hand, last.attempts) == (1, 1, 1, 0)
    by_profile = {one.profile: one for one in told.profiles}
    assert (by_profile["ada"].tokens, by_profile["ada"].cost_micros) == (120, 7_000)
    assert (by_profile["ada"].cached_tokens, by_profile["ada"].attempts) == (5, 1)
    assert by_profile[""].attempts == 1


def test_hours_and_days_have_no_gaps_and_end_now(board):
    hours = board.ask("stats.history", per="hour", since_ms=5 * HOUR)
    starts = [slot.start for slot in hours.slots]
    assert len(starts) == 5
    assert {b - a for a, b in pairwise(starts)} == {timedelta(hours=1)}
    assert hours.slots[-1].start.timestamp() * 1000 <= board.now < hours.until.timestamp() * 1000
    assert len(board.ask("stats.history").slots) == 30
    assert len(board.ask("stats.history", per="hour").slots) == 48


def test_a_readers_days_begin_at_their_midnight(board):
    plain = board.ask("stats.history", since_ms=DAY).slots[0].start
    shifted = board.ask("stats.history", since_ms=DAY, zone_minutes=-90).slots[0].start
    assert (plain.hour, plain.minute) == (0, 0)
    assert (shifted.hour, shifted.minute) == (1, 30)


def test_more_rows_than_anybody_reads_are_refused(board):
    with pytest.raises(Invalid, match="ask for a shorter time, or by day"):
        board.ask("stats.history", per="hour", since_ms=1_001 * HOUR)


def test_a_board_on_its_first_day_has_a_graph_a_timeline_and_a_history(board):
    assert board.ask("run.timeline").items == []
    assert sum(slot.created for slot in board.ask("stats.history").slots) == 0
    assert levels(board.ask("task.graph", id=at(board, "triage"))) == {1: 0}
