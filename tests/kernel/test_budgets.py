"""What may be used: by a run, by all attempts of a task, by a profile and by the board in a day."""

import pytest

from shopfloor.domain.errors import Forbidden, Invalid
from shopfloor.domain.outcomes import Exit, Report, Usage
from shopfloor.domain.settings import Dispatch, Profile, Settings

DAY = 86_400_000


def floor(board, *, dispatch=None, **limits):
    profiles = {
        "coder": Profile("coder", kind="cli", **limits),
        "other": Profile("other", kind="cli"),
    }
    board.settings = Settings(dispatch=Dispatch(**(dispatch or {})), profiles=profiles)
    return board


def started(board, **args):
    task = board.create("work", assignee="coder", **args)
    [one] = [one for one in board.start() if one.task.id == task]
    return task, one


def say(board, one, tokens, cost=None):
    usage = {"input_tokens": tokens, "cost_micros": cost}
    return board.ask_as(one.run_id, one.token, "run.progress", usage=usage)


@pytest.mark.parametrize(
    ("limits", "usage", "sentence"),
    [
        ({"tokens_per_run": 1_000}, (1_000, None), "run 1 has used 1,000 of 1,000 tokens"),
        ({"cost_per_run": 1.5}, (10, 1_600_000), "run 1 has used $1.60 of $1.50"),
        (
            {"tokens_per_day": 1_000},
            (2_500, None),
            "profile 'coder' has used 2,500 of 1,000 tokens today",
        ),
        (
            {"cost_per_day": 0.25},
            (10, 250_000),
            "profile 'coder' has used $0.2500 of $0.2500 today",
        ),
    ],
)
def test_a_profiles_limit_blocks_the_task_with_the_figures(board, limits, usage, sentence):
    floor(board, **limits)
    task, one = started(board)
    told = say(board, one, *usage)
    assert (told.kind, told.stop) == ("budget", sentence)
    row = board.task(task)
    assert (row.status, row.block_kind, row.block_reason) == ("blocked", "needs_input", sentence)
    assert board.run(one.run_id).outcome == "blocked"
    assert board.data(task, "blocked")["budget"]
    assert board.findings() == []


def test_a_tasks_limit_counts_all_its_attempts(board):
    floor(board)
    task, one = started(board, max_tokens=1_000, max_cost=2.0)
    assert say(board, one, 600, 100).stop is None
    board.settle(one.run_id, Exit(signal=9), report=Report(usage=Usage(700)))
    [two] = board.start()
    assert say(board, two, 299).stop is None
    assert say(board, two, 300).stop == f"#{task} has used 1,000 of 1,000 tokens"
    shown = board.ask("task.show", id=task).spent
    assert (shown.tokens, shown.max_tokens, shown.max_cost_micros) == (1_000, 1_000, 2_000_000)


def test_a_task_at_its_limit_does_not_start_until_a_person_raises_it(board):
    floor(board)
    task, one = started(board, max_tokens=100)
    say(board, one, 100)
    board.settle(one.run_id, Exit(exit_code=0))
    board.ask("task.unblock", id=task)
    assert board.start() == []
    [skip] = board.plan().skipped
    assert (skip.code, skip.task_id, skip.until) == ("budget", task, None)
    assert not board.plan().writes, "nothing is written while it waits"
    told = board.ask("task.why", id=task)
    assert (told.code, told.next_step) == ("budget", f"shop edit {task} --max-tokens N")
    board.ask("task.edit", id=task, max_tokens=200)
    assert board.data(task, "edited") == {"max_tokens": 200, "max_cost_micros": None}
    assert [one.task.id for one in board.start()] == [task]


def test_a_limit_can_be_taken_away(board):
    floor(board)
    task, one = started(board, max_tokens=100, max_cost=1)
    board.ask("task.edit", id=task, max_tokens=0)
    assert say(board, one, 1_000).stop is None
    board.ask("task.edit", id=task, max_cost=0)
    assert board.dump("budget") == {"budget": []}
    events = board.kinds(task)
    board.ask("task.edit", id=task, max_cost=0)
    assert board.kinds(task) == events, "nothing changed is no event"


@pytest.mark.parametrize("words", [{"max_tokens": 0}, {"max_cost": 0}, {"max_cost": -1}])
def test_a_new_tasks_limit_is_more_than_nothing(board, words):
    with pytest.raises(Invalid):
        board.create(**words)


@pytest.mark.parametrize("scope", ["profile", "board"])
def test_the_limit_of_a_day_keeps_tasks_from_starting_until_the_next(board, scope):
    day = {"tokens_per_day": 500}
    floor(board, dispatch=day if scope == "board" else {}, **(day if scope == "profile" else {}))
    _, one = started(board)
    say(board, one, 500)
    board.settle(one.run_id, Exit(exit_code=0))
    waiting = [board.create(assignee="coder"), board.create(assignee="other")]
    allowed = [] if scope == "board" else [waiting[1]]
    assert [one.task.id for one in board.start()] == allowed
    skips = [skip for skip in board.plan().skipped if skip.code == "budget"]
    midnight = board.now - board.now % DAY + DAY
    assert {skip.until for skip in skips} == {midnight}
    who = "the board" if scope == "board" else "profile 'coder'"
    told = board.ask("task.why", id=waiting[0])
    assert (told.code, told.sentence) == ("budget", f"{who} has used 500 of 500 tokens today")
    assert told.next_step.startswith("shop usage, or raise ")
    board.clock.now = midnight
    assert waiting[0] in [one.task.id for one in board.start()]


def test_what_is_read_from_a_cache_counts_to_no_limit(board):
    floor(board, tokens_per_run=100)
    _, one = started(board)
    usage = {"input_tokens": 5, "cache_read_tokens": 5_000}
    assert board.ask_as(one.run_id, one.token, "run.progress", usage=usage).stop is None


def test_the_third_block_at_a_limit_that_nobody_raised_goes_to_triage(board):
    floor(board, tokens_per_run=100)
    task, one = started(board)
    for end in ("blocked", "blocked", "triage"):
        say(board, one, 100)
        assert board.status(task) == end
        if end == "blocked":
            board.settle(one.run_id, Exit(exit_code=0))
            board.ask("task.unblock", id=task)
            [one] = board.start()


def test_usage_is_told_by_profile_task_model_and_day(board):
    floor(board)
    first, one = started(board)
    board.ask_as(
        one.run_id,
        one.token,
        "run.progress",
        model="opus",
        usage={"input_tokens": 100, "output_tokens": 5, "cost_micros": 900},
    )
    board.clock.advance(DAY)
    second, two = started(board)
    say(board, two, 50)
    [row] = board.ask("usage.show").rows
    assert (row.name, row.runs, row.input_tokens, row.cost_micros, row.unpriced) == (
        "coder",
        2,
        150,
        900,
        1,
    )
    by_task = board.ask("usage.show", by="task").rows
    assert [(row.name, row.cost_micros) for row in by_task] == [
        (f"{first}", 900),
        (f"{second}", None),
    ]
    assert [row.name for row in board.ask("usage.show", by="model").rows] == ["opus", ""]
    days = [row.name for row in board.ask("usage.show", by="day").rows]
    assert days == ["2027-01-15", "2027-01-16"]
    [only] = board.ask("usage.show", by="task", since_ms=1_000).rows
    assert only.name == f"{second}"


# Sub-tasks.


def make(board, one, **args):
    return board.ask_as(one.run_id, one.token, "task.subtask", **{"title": "a piece", **args})


def test_a_subtask_takes_what_its_origin_has(board):
    floor(board)
    task, one = started(board, tenant="acme", workspace="dir:/srv/x")
    made = make(board, one)
    assert (made.origin, made.assignee, made.tenant) == (task, "coder", "acme")
    assert (made.workspace_kind, made.workspace_path, made.status) == ("dir", "/srv/x", "ready")
    second = make(board, one, assignee="other", parents=[made.id])
    assert (second.assignee, second.status) == ("other", "todo")


def test_the_workers_own_task_can_wait_for_its_subtask(board):
    floor(board)
    task, one = started(board)
    made = make(board, one, wait=True)
    board.ask_as(
        one.run_id, one.token, "task.block", id=task, reason="the piece", kind="dependency"
    )
    assert board.status(task) == "todo"
    board.ask("task.complete", id=made.id)
    assert board.status(task) == "ready"
    assert board.findings() == []


def test_a_subtask_waits_for_its_siblings_only_and_comes_from_a_worker(board):
    floor(board)
    _, one = started(board)
    stranger = board.create()
    with pytest.raises(Invalid, match="is no sub-task"):
        make(board, one, parents=[stranger])
    with pytest.raises(Forbidden, match="shop create --origin"):
        board.ask("task.subtask", title="a piece")
