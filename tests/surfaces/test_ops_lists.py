"""Lists of tasks, runs and events: filters, orders and pages; and what is shown of one task."""

from datetime import UTC, datetime

import pytest

from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.domain.outcomes import Exit
from tests.support.places import board, board_database, board_url, place
from tests.support.walk import at

__all__ = ["board", "board_database", "board_url", "place"]


def listed(board, **args):
    return [line.id for line in board.ask("task.list", **args).items]


def pages(board, **args):
    """Every page of a list, one after the other."""
    found, after = [], None
    while True:
        page = board.ask("task.list", **{**args, **({} if after is None else {"after": after})})
        found.append([line.id for line in page.items])
        after = page.next
        if after is None:
            return found


def test_the_default_order_is_priority_and_then_age_and_archived_ones_are_hidden(board):
    low, high, old = board.create(), board.create(priority=5), board.create()
    gone = at(board, "archived")
    assert listed(board) == [high, low, old]
    assert listed(board, archived=True) == [high, low, old, gone]
    assert listed(board, status=["archived"]) == [gone]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("created", "abc"),
        ("created-desc", "cba"),
        ("priority", "acb"),
        ("priority-desc", "bca"),
        ("status", "cab"),
        ("assignee", "bac"),
        ("title", "cba"),
        ("updated", "cba"),
    ],
)
def test_each_order_sorts_as_its_name_says(board, sort, order):
    made = {}
    plan = {
        "a": {"title": "Zebra", "priority": 1, "assignee": "bob", "initial_status": "scheduled"},
        "b": {"title": "monkey", "priority": 9, "initial_status": "triage"},
        "c": {"title": "Ape", "priority": 5, "assignee": "carl"},
    }
    for name, args in plan.items():
        made[name] = board.create(**args)
        board.clock.advance(10)
    assert listed(board, sort=sort) == [made[name] for name in order]


@pytest.mark.parametrize("sort", ["priority-desc", "title", "updated"])
def test_pages_follow_each_other_without_a_gap(board, sort):
    ids = {board.create(f"task {n % 3}", priority=n % 2) for n in range(7)}
    found = pages(board, sort=sort, limit=3)
    assert [len(page) for page in found] == [3, 3, 1]
    found = [number for page in found for number in page]
    assert {*found} == ids
    assert found == listed(board, sort=sort)


def test_a_new_task_on_an_earlier_page_does_not_shift_the_next_one(board):
    ids = [board.create() for _ in range(4)]
    first = board.ask("task.list", limit=2)
    board.create(priority=9)
    second = board.ask("task.list", limit=2, after=first.next)
    assert [line.id for page in (first, second) for line in page.items] == ids


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"sort": "colour"}, "use one of priority-desc, priority, created"),
        ({"status": ["asleep"]}, "is no status"),
        ({"after": "x"}, "no cursor"),
        ({"after": "1:x"}, "no cursor"),
        ({"sort": "title", "after": "-1"}, "no cursor"),
        ({"sort": "title", "after": "1:2"}, "no cursor"),
    ],
)
def test_an_order_a_status_or_a_cursor_that_is_none_is_refused(board, args, words):
    with pytest.raises(Invalid, match=words):
        board.ask("task.list", **args)


def test_filters_leave_what_matches_all_of_them(board):
    given = {
        "assignee": "a", "tenant": "t", "session": "s", "template": "w", "step": "1",
    }  # fmt: skip
    wanted = board.create("one", **given)
    for field, value in given.items():
        other = board.create("two", **{**given, field: "other"})
        assert other not in listed(board, **{field: value})
    assert listed(board, **given) == [wanted]
    child = board.create("three", origin=wanted)
    assert listed(board, origin=wanted) == [child]
    board.ask("task.create", actor="bob", title="four")
    assert len(listed(board, creator="bob")) == 1


def test_a_search_looks_for_the_words_themselves(board):
    sure, other = board.create("100% sure", body="a_b"), board.create("100 sure", body="aXb")
    backslash = board.create("C:\\temp")
    assert listed(board, text="100%") == [sure]
    assert listed(board, text="A_B") == [sure]
    assert listed(board, text="SURE") == [sure, other]
    assert listed(board, text="c:\\T") == [backslash]
    assert listed(board, text="'; DROP TABLE task; --") == []


def test_runs_are_listed_newest_first_and_a_page_at_a_time(board):
    task = board.create(command={"argv": ["x"]}, max_attempts=9)
    for code in (1, 1, 0):
        [one] = board.start()
        board.settle(one.run_id, Exit(exit_code=code))
    found = board.ask("run.list")
    assert [run.outcome for run in found] == ["completed", "failed", "failed"]
    assert board.ask("run.list", before=found[1].id) == found[2:]
    assert board.ask("run.list", outcome="completed") == found[:1]
    assert board.ask("run.list", live=True) == []
    assert board.ask("run.of_task", id=task, limit=2) == found[:2]
    assert board.ask("run.show", id=found[0].id) == found[0]
    with pytest.raises(Invalid, match="is no outcome"):
        board.ask("run.list", outcome="great")
    for op in ("run.show", "run.of_task"):
        with pytest.raises(NotFound):
            board.ask(op, id=99)


def test_a_run_tells_where_it_is_in_its_life(board):
    task = board.create(command={"argv": ["x"]}, check=["x"])
    [one] = board.take()

    def state():
        return board.ask("run.show", id=one.run_id).state

    assert state() == "starting"
    board.identify(one.run_id, one.token)
    assert state() == "running"
    board.settle(one.run_id, Exit(exit_code=0))
    assert state() == "checking"
    board.ask("task.cancel", id=task)
    assert state() == "leaving"
    board.settle(one.run_id, Exit(stopped=True))
    assert state() == "ended"


def test_events_are_read_in_order_from_a_cursor_on(board):
    one, two = board.create(assignee="a", tenant="t"), board.create()
    board.ask("task.complete", id=two)
    board.ask("task.cancel", id=one)
    every = board.ask("event.list", after=0)
    assert [event.kind for event in every.events] == [
        "created",
        "created",
        "completed",
        "cancelled",
    ]
    assert every.last == every.events[-1].id
    assert board.ask("event.list", after=every.last).events == []
    first = board.ask("event.list", after=0, limit=3)
    assert first.events == every.events[:3] and first.last == every.events[2].id
    assert board.ask("event.list", after=first.last).events == every.events[3:]
    assert board.ask("event.list", limit=2).events == every.events[2:]


def test_events_of_one_task_and_of_some_kinds_are_found_behind_many_others(board):
    task = board.create("first", assignee="a", tenant="t")
    for _ in range(5):
        board.create()
    kinds = lambda **args: [event.kind for event in board.ask("event.list", **args).events]  # noqa: E731
    assert kinds(id=task, limit=2) == ["created"]
    board.ask("task.edit", id=task, body="x")
    board.ask("task.complete", id=task)
    assert kinds(id=task, limit=2) == ["edited", "completed"]
    assert kinds(id=task, after=0, limit=2) == ["created", "edited"]
    assert kinds(id=task, kinds=["created"]) == ["created"]
    assert kinds(kinds=["edited"], limit=1) == ["edited"]
    assert kinds(assignee="a") == kinds(tenant="t") == ["created", "edited", "completed"]
    assert kinds(assignee="a", after=0, kinds=["completed"]) == ["completed"]
    for wrong in ({"kinds": ["exploded"]}, {"id": task, "tenant": "t"}):
        with pytest.raises(Invalid):
            board.ask("event.list", **wrong)


def test_waiting_for_events_ends_when_there_is_one_or_the_time_is_over(board):
    last = board.ask("event.list").last
    assert board.ask("event.list", after=last, wait_s=0.1).events == []
    board.create()
    assert len(board.ask("event.list", after=last, wait_s=30).events) == 1


def test_a_task_is_shown_with_everything_that_belongs_to_it(board):
    parent = board.create("parent")
    task = board.create("it", parents=[parent])
    child = board.create("child", parents=[task], origin=task)
    board.ask("task.complete", id=parent, summary="s")
    board.ask("task.comment", id=task, body="hello")
    board.ask("task.attach", id=task, name="a.txt", content="eA==")
    one = board.claim(task)
    board.ask_as(one.run, one.token, "task.complete", id=task, metadata={"a": [1, None]})
    board.ask("task.complete", id=child)
    told = board.ask("task.show", id=task)
    assert told.task.status == "done" and told.task.metadata == {"a": [1, None]}
    assert [(p.id, p.status, p.waived) for p in told.parents] == [(parent, "done", False)]
    assert [c.id for c in told.children] == [child]
    assert (told.progress_done, told.progress_total) == (1, 1)
    assert [run.outcome for run in told.runs] == ["completed"]
    assert [comment.body for comment in told.comments] == ["hello"]
    assert told.attachments[0].path == str(board.folder / "attachments" / str(task) / "a.txt")
    assert told.events[0].kind == "created" and told.events[-1].kind == "completed"
    assert told.task.created_at == datetime.fromtimestamp(board.now / 1000, UTC)


def test_figures_count_tasks_runs_and_ages(board):
    board.create(assignee="a")
    board.create(command={"argv": ["x"]})
    board.clock.advance(5_000)
    board.start()
    told = board.ask("stats.show")
    assert told.by_status == {"ready": 1, "running": 1}
    assert {lane.assignee: lane.by_status for lane in told.by_assignee} == {
        "a": {"ready": 1},
        "!": {"running": 1},
    }
    assert (told.live_runs, told.oldest_ready_s) == (1, 5.0)


def test_old_events_of_ended_tasks_are_forgotten_and_a_snapshot_tells_the_status(board):
    task, fresh = at(board, "done"), None
    waiting = board.create()
    board.clock.advance(10 * 86_400_000)
    fresh = at(board, "cancelled")
    done = board.ask("admin.gc", event_days=5)
    assert (done.tasks, done.events) == (1, 2)
    assert board.kinds(task) == ["snapshot"]
    assert board.kinds(waiting) == ["created"] and board.kinds(fresh) == ["created", "cancelled"]
    assert board.findings() == []
    board.ask("task.reopen", id=task)
    assert board.findings() == []
    assert board.ask("admin.gc").events == 0


def test_what_fsck_finds_is_named(board):
    task, other = board.create(), at(board, "running")
    board.execute(f"UPDATE task SET origin_id = 999, forced_at = {board.now} WHERE id = {task}")
    board.execute(f"UPDATE event SET status = 'done' WHERE task_id = {task}")
    board.execute(f"UPDATE run SET task_id = {task} WHERE task_id = {other}")
    board.execute("INSERT INTO link (parent_id, child_id, created_at) VALUES (1, 2, 1), (2, 1, 1)")
    board.execute("DELETE FROM task_edge WHERE source = 'done' AND target = 'todo'")
    found = board.ask("admin.fsck")
    board.execute("INSERT INTO task_edge VALUES ('done', 'todo')")
    assert not found.ok
    assert {one.invariant for one in found.problems} >= {
        "running_without_run",
        "open_run_without_task",
        "status_not_told",
        "forced_not_told",
        "origin_gone",
        "links_form_a_circle",
        "edges_differ",
    }
    assert all(one.sentence for one in found.problems)
