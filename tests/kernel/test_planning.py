"""When a model may be asked about a task, which ideas wait for one, and the graph of a swarm."""

import pytest

from shopfloor.domain.caller import person
from shopfloor.domain.errors import Forbidden, GuardFailed, Invalid, LimitReached, WrongStatus
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel import planning
from shopfloor.store import plannings
from tests.support.walk import credentials

ANN = person("ann")


def begin(board, task, digest="as it is", verb="specify", attempts=3):
    return board.write(
        lambda tx: planning.begin(tx, ANN, task, verb=verb, digest=digest, attempts=attempts)
    )


def end(board, number, outcome):
    error = None if outcome == planning.ANSWERED else "no"
    board.write(
        lambda tx: plannings.end(tx, number, outcome, error=error, input_tokens=1, output_tokens=2)
    )


def idea(board):
    return board.create("an idea", initial_status="triage")


def test_a_text_that_was_answered_is_not_asked_about_again(board):
    task = idea(board)
    end(board, begin(board, task), planning.ANSWERED)
    with pytest.raises(GuardFailed, match="nothing changed since"):
        begin(board, task)
    begin(board, task, digest="edited")
    begin(board, task, verb="split")


def test_each_kind_of_question_has_its_own_budget_and_a_dead_asker_uses_it_up(board):
    task = idea(board)
    for _ in range(2):
        begin(board, task, attempts=2)
    with pytest.raises(LimitReached, match="asked 2 times"):
        begin(board, task, attempts=2)
    begin(board, task, verb="split", attempts=2)


def test_only_what_the_verb_could_do_is_asked_about(board):
    with pytest.raises(WrongStatus):
        begin(board, board.create("no idea any more"))


def test_an_idea_waits_for_a_model_until_it_was_asked_about_and_again_when_a_person_touched_it(
    board,
):
    first, second = idea(board), idea(board)
    board.create("a task")
    board.clock.advance(1)

    def wanted():
        return [one[0] for one in board.read(lambda tx: plannings.wanted(tx, 10))]

    assert wanted() == [first, second]
    end(board, begin(board, first), planning.FAILED)
    assert wanted() == [second]
    board.clock.advance(1)
    board.ask("task.edit", id=first, body="clearer")
    assert wanted() == [first, second]


@pytest.fixture
def crew(board):
    names = ("a", "b", "v", "s")
    board.settings = Settings(profiles={name: Profile(name, argv=("x",)) for name in names})
    return {"workers": ["a", "a", "b"], "verifier": "v", "synthesizer": "s"}


def test_a_swarm_is_workers_then_a_verifier_then_who_puts_it_together(board, crew):
    made = board.ask("task.swarm", title="Why is it slow?", body="measure", **crew)
    *workers, verifier = made.pieces
    assert [one.title for one in workers] == [
        "Why is it slow? (a 1)",
        "Why is it slow? (a 2)",
        "Why is it slow? (b)",
    ]
    assert [one.status for one in (*workers, verifier, made.root)] == [
        "ready",
        "ready",
        "ready",
        "todo",
        "todo",
    ]
    assert (verifier.assignee, made.root.assignee) == ("v", "s")
    for one in workers:
        assert board.task(verifier.id).status == "todo"
        board.ask("task.complete", id=one.id, summary="found something")
    assert board.task(verifier.id).status == "ready"
    board.ask("task.complete", id=verifier.id)
    assert board.task(made.root.id).status == "ready"
    assert board.findings() == []


def test_a_swarm_with_an_unknown_profile_is_not_made_at_all(board, crew):
    with pytest.raises(Invalid, match="no profile 'ghost'"):
        board.ask("task.swarm", title="t", **{**crew, "verifier": "ghost"})
    assert board.dump()["task"] == []


def test_members_of_a_swarm_share_the_comments_of_its_root_and_no_others(board, crew):
    made = board.ask("task.swarm", title="t", **crew)
    mine, sibling = made.pieces[0].id, made.pieces[1].id
    board.claim(mine)
    run, token = credentials(board, mine)
    for task in (made.root.id, sibling):
        board.ask_as(run, token, "task.comment", id=task, body="look at imports")
    stranger = board.create("somebody else's")
    with pytest.raises(Forbidden, match="own task only"):
        board.ask_as(run, token, "task.comment", id=stranger, body="hello")
