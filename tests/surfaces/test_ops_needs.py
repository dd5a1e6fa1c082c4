"""What waits for a person: which things are listed, in which order, and that the ways out end the wait."""

import pytest

from shopfloor.domain.errors import Conflict, Forbidden, Invalid
from shopfloor.domain.model import Quota
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.store import quotas
from tests.support.places import board, board_database, board_url, place
from tests.support.walk import at, credentials

__all__ = ["board", "board_database", "board_url", "place"]

AGENT = Settings(profiles={"ada": Profile("ada", kind="cli")})


def asked(board, question="Which colour?", **more):
    """A task whose worker asks."""
    task = at(board, "running")
    board.ask_as(*credentials(board, task), "task.ask", id=task, question=question, **more)
    return task


def kinds(page):
    return [(one.kind, one.task) for one in page.items]


def take(board, way, **more):
    """Answer by one of the ways that the list offers."""
    return board.ask(way.op, **{**way.args, **more})


def everything(board):
    """One of each kind, each a second later than the one before; the tasks by kind."""
    made = {}
    for kind, step in {
        "question": lambda: asked(board, options=["red", "blue"]),
        "review": lambda: at(board, "review"),
        "gave_up": lambda: gave_up(board),
        "blocked": lambda: at(board, "blocked"),
        "block_loop": lambda: looped(board),
        "paused": lambda: paused(board),
    }.items():
        made[kind] = step()
        board.clock.advance(1_000)
    parked = Quota("team", "parked", board.now, board.now + 60_000, 1, None, "429 until noon", None)
    board.write(lambda tx: quotas.add(tx, parked))
    board.clock.advance(1_000)
    made["account"] = None
    made["delivery"] = undelivered(board)
    return made


def undelivered(board):
    """A message about a task that was tried until it was given up."""
    task = board.create("tell")
    board.execute(
        "INSERT INTO delivery (task_id, kind, title, words, target, files, created_at, state, fresh, next_at, tries,"
        f" sends, error, ended_at) VALUES ({task}, 'completed', 't', 'w', 'webhook:https://example.org/s3cret', 0,"
        f" {board.now}, 'given_up', 0, {board.now}, 8, 8, 'HTTP 500', {board.now})"
    )
    return task


def gave_up(board):
    task = at(board, "running")
    while board.status(task) != "blocked":
        if board.status(task) != "running":
            board.claim(task)
        board.settle(credentials(board, task)[0], Exit(exit_code=3))
    return task


def looped(board):
    task = at(board, "running")
    for _ in range(10):
        board.ask_as(*credentials(board, task), "task.block", id=task, reason="no key")
        if board.status(task) == "triage":
            return task
        board.ask("task.unblock", id=task)
        board.claim(task)
    raise AssertionError("the loop was not broken")


def paused(board):
    task = board.create("hold it")
    board.ask("dispatch.pause", ids=[task], reason="the vendor is away")
    return task


def test_each_kind_is_listed_once_with_what_waits_longest_first(board):
    made = everything(board)
    page = board.ask("board.needs")
    assert kinds(page) == list(made.items())
    assert page.total == len(made) == sum(page.counts.values())
    assert page.counts == dict.fromkeys(made, 1)
    assert page.next is None


def test_a_question_comes_with_its_words_options_and_deadline(board):
    task = asked(board, options=["red", "blue"], default="red", deadline_ms=60_000)
    [one] = board.ask("board.needs").items
    assert (one.kind, one.task, one.words) == ("question", task, "Which colour?")
    assert (one.options, one.default, one.status) == (["red", "blue"], "red", "blocked")
    assert (one.until - one.since).total_seconds() == 60


@pytest.mark.parametrize(
    "kind",
    ["question", "gave_up", "blocked", "block_loop", "paused", "account", "delivery"],
)
def test_the_usual_way_ends_the_wait(board, kind):
    everything(board)
    [one] = board.ask("board.needs", kind=[kind]).items
    way = one.ways[0]
    take(board, way, **({way.wants: "blue"} if way.wants else {}))
    assert board.ask("board.needs", kind=[kind]).items == []


@pytest.mark.parametrize(("label", "status"), [("Approve", "done"), ("Return", "ready")])
def test_a_review_is_approved_or_returned_with_a_reason(board, label, status):
    task = at(board, "review")
    [one] = board.ask("board.needs").items
    way = next(way for way in one.ways if way.label == label)
    take(board, way, **({way.wants: "add a test"} if way.wants else {}))
    assert board.status(task) == status
    assert board.ask("board.needs").items == []


def test_a_review_that_a_profile_does_waits_for_nobody(board):
    at(board, "review")
    board.settings = Settings(dispatch=Dispatch(review="profile", reviewer="rita"))
    assert board.ask("board.needs").items == []
    board.settings = Settings(dispatch=Dispatch(review="person", reviewer="rita"))
    assert kinds(board.ask("board.needs"))[0][0] == "review"


def test_a_task_that_was_given_up_beside_its_question_waits_for_both(board):
    task = at(board, "running")
    board.ask_as(*credentials(board, task), "task.ask", id=task, question="May I?", wait=True)
    board.settings = Settings(dispatch=Dispatch(failure_limit=1))
    board.settle(credentials(board, task)[0], Exit(exit_code=3))
    assert {one.kind for one in board.ask("board.needs").items} == {"question", "gave_up"}


def test_pauses_of_the_board_and_of_a_profile_say_how_they_end(board):
    board.settings = AGENT
    board.ask("dispatch.pause", reason="lunch")
    board.clock.advance(1)
    board.ask("dispatch.pause", profile="ada", reason="no login")
    first, second = board.ask("board.needs").items
    assert (first.sentence, first.ways[0].command) == ("the board is paused: lunch", "shop resume")
    assert second.sentence == "profile 'ada' is paused: no login"
    assert second.ways[0].command == "shop resume --profile ada"
    for one in (first, second):
        take(board, one.ways[0])
    assert board.ask("board.needs").total == 0


def test_pages_follow_each_other_without_a_gap_and_are_counted_whole(board):
    made = everything(board)
    for _ in range(4):
        at(board, "blocked")
    found, after = [], None
    while True:
        page = board.ask("board.needs", limit=3, **({} if after is None else {"after": after}))
        assert page.total == 12
        found += [(one.kind, one.ref) for one in page.items]
        after = page.next
        if after is None:
            break
    assert len({*found}) == len(found) == len(made) + 4


def test_what_is_over_waits_for_nobody(board):
    for task in (asked(board), at(board, "review"), at(board, "blocked"), gave_up(board)):
        board.ask("task.cancel", id=task)
    assert board.ask("board.needs").items == []
    assert board.ask("board.needs").counts == {}


def test_a_message_that_did_not_arrive_is_dismissed_once(board):
    undelivered(board)
    [one] = board.ask("board.needs").items
    assert one.actor.startswith("webhook:")
    assert "s3cret" not in repr(one)
    dismiss = next(way for way in one.ways if way.label == "Dismiss")
    assert take(board, dismiss).state == "dropped"
    assert board.ask("board.needs").items == []
    with pytest.raises(Conflict, match="is dropped"):
        take(board, dismiss)


def test_an_account_whose_time_has_come_waits_for_nobody(board):
    everything(board)
    board.clock.advance(120_000)
    assert board.ask("board.needs", kind=["account"]).items == []


@pytest.mark.parametrize("after", ["", "x", "12", "12:word:3", ":review:3"])
def test_a_cursor_of_another_list_is_refused(board, after):
    with pytest.raises(Invalid):
        board.ask("board.needs", after=after)


def test_an_unknown_kind_is_refused_by_name(board):
    with pytest.raises(Invalid, match="'questions' is nothing that waits"):
        board.ask("board.needs", kind=["questions"])


def test_a_worker_is_not_told_what_waits_for_people(board):
    task = at(board, "running")
    with pytest.raises(Forbidden):
        board.ask_as(*credentials(board, task), "board.needs")
