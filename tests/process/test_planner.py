"""The planner's real process against a scripted model: specify, decompose, judge, and what goes wrong.

The model speaks the wire format of chat completions; what it says is a script, good and bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from shopfloor.domain.errors import (
    GuardFailed,
    LimitReached,
    Refused,
    Unavailable,
    WrongStatus,
)
from shopfloor.domain.settings import Dispatch, Planner, Profile, Settings
from shopfloor.store import plannings
from tests.agents.dialogue import Request
from tests.agents.model_server import ModelServer
from tests.agents.replies import Failure, Reply, Text, ToolCall
from tests.support.board import BoardHandle, open_board
from tests.support.walk import at, credentials

PROFILES = {
    "coder": Profile("coder", argv=("true",), description="writes Python"),
    "writer": Profile("writer", argv=("true",), description="writes documentation"),
}
CLEAR = {"title": "Start in half the time", "body": "Measure, then cut imports.", "assignee": None}
PARTS = {
    "parts": [
        {"title": "Measure", "body": "importtime", "assignee": "coder"},
        {"title": "Cut", "body": "imports", "assignee": "nobody-here", "after": [0]},
        {"title": "Tell", "body": "release notes", "assignee": "writer", "after": [1]},
    ]
}


def calls(*answers: dict[str, object]) -> Callable[[Request], Reply]:
    """A model that calls the tool it is given with these arguments, one after the other."""

    def reply(request: Request) -> Reply:
        given = answers[min(request.number, len(answers)) - 1]
        return ToolCall(request.tools[0], given, f"call_{request.number}")

    return reply


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def board(tmp_path, model) -> Iterator[BoardHandle]:
    opened = open_board(tmp_path)
    yield opened
    opened.close()


def listens(board: BoardHandle, model: ModelServer, script: Callable[[Request], Reply]) -> None:
    """From now on this script is the board's model."""
    model.scenarios["plan"] = script
    planner = Planner(
        provider="openai-compatible", model="m", base_url=model.address("plan") + "/v1"
    )
    board.settings = Settings(
        profiles=PROFILES, planner=planner, dispatch=Dispatch(default_assignee="coder")
    )


def asked(board: BoardHandle, task: int, verb: str) -> list[tuple[str | None, int | None]]:
    return [
        (one.outcome, one.output_tokens)
        for one in board.read(lambda tx: plannings.of(tx, task, verb))
    ]


def test_an_idea_becomes_what_the_model_says_more_clearly(board, model):
    listens(board, model, calls(CLEAR))
    task = board.create("startup slow??", body="3 s", initial_status="triage")
    done = board.ask("task.specify", id=task)
    assert (done.status, done.title) == ("ready", CLEAR["title"])
    assert board.task(task).body == CLEAR["body"]
    [call] = model.calls()
    assert call.request.mentions("startup slow??")
    assert call.request.mentions("coder: writes Python")
    assert asked(board, task, "specify") == [("answered", 50)]


def test_words_of_a_persons_own_ask_no_model(board, model):
    listens(board, model, calls(CLEAR))
    task = board.create("idea", initial_status="triage")
    assert board.ask("task.specify", id=task, title="Mine").title == "Mine"
    assert model.calls() == []


def test_a_graph_is_made_at_once_and_unknown_names_go_to_the_default_assignee(board, model):
    listens(board, model, calls(PARTS))
    task = board.create("faster", initial_status="triage")
    made = board.ask("task.decompose", id=task)
    assert [one.assignee for one in made.pieces] == ["coder", "coder", "writer"]
    assert [one.status for one in made.pieces] == ["ready", "todo", "todo"]
    assert made.root.status == "todo"
    assert {one.origin for one in made.pieces} == {task}
    assert board.findings() == []


def test_where_splitting_does_not_help_the_idea_becomes_one_task(board, model):
    listens(board, model, calls({"parts": [], "whole": CLEAR}))
    task = board.create("faster", initial_status="triage")
    made = board.ask("task.decompose", id=task)
    assert made.pieces == []
    assert (made.root.status, made.root.title, made.root.assignee) == (
        "ready",
        CLEAR["title"],
        "coder",
    )


def test_an_answer_that_does_not_fit_goes_back_once_with_what_is_wrong(board, model):
    circle = {"parts": [{"title": "a", "body": "", "after": [0]}]}
    listens(board, model, calls(circle, PARTS))
    task = board.create("faster", initial_status="triage")
    assert len(board.ask("task.decompose", id=task).pieces) == 3
    first, second = model.calls()
    assert not first.request.answers
    assert "after=[0]" in second.request.answers[-1]
    assert asked(board, task, "split") == [("answered", 100)]


@pytest.mark.parametrize(
    ("script", "error", "words", "requests"),
    [
        (calls({"parts": "none"}), Refused, "no usable answer", 2),
        (lambda _r: Text("I would rather talk."), Refused, "no usable answer", 2),
        (lambda _r: Failure(401, "authentication_error", "no"), GuardFailed, "refused the", 1),
    ],
    ids=["malformed", "prose", "key"],
)
def test_without_an_answer_the_task_stays_and_the_reason_is_written_down(  # noqa: PLR0917
    board, model, script, error, words, requests
):
    listens(board, model, script)
    task = board.create("faster", initial_status="triage")
    with pytest.raises(error, match=words):
        board.ask("task.decompose", id=task)
    assert board.task(task).status == "triage"
    assert len(model.calls()) == requests
    [(outcome, _tokens)] = asked(board, task, "split")
    assert outcome == "failed"
    assert words in board.ask("task.why", id=task).sentence


def test_the_budget_of_questions_ends_and_a_person_goes_on(board, model):
    listens(board, model, lambda _r: Failure(401, "authentication_error", "no"))
    task = board.create("faster", initial_status="triage")
    for _ in range(3):
        with pytest.raises(GuardFailed):
            board.ask("task.specify", id=task)
    with pytest.raises(LimitReached, match="asked 3 times"):
        board.ask("task.specify", id=task)
    assert len(model.calls()) == 3
    assert board.ask("task.specify", id=task, by="hand").status == "ready"


def test_the_same_request_again_has_the_same_answer_and_asks_no_model(board, model):
    listens(board, model, calls(PARTS))
    task = board.create("faster", initial_status="triage")
    first = board.ask("task.decompose", id=task, request_id="r")
    assert board.ask("task.decompose", id=task, request_id="r") == first
    assert len(model.calls()) == 1


def test_a_task_that_is_no_idea_is_refused_before_anything_is_paid(board, model):
    listens(board, model, calls(PARTS))
    with pytest.raises(WrongStatus):
        board.ask("task.decompose", id=board.create("ready"))
    assert model.calls() == []


@pytest.mark.parametrize("verdict", ["done", "continue", "impossible"])
def test_the_judge_compares_a_report_with_the_goal(board, model, verdict):
    listens(board, model, calls({"verdict": verdict, "reason": "so it is", "next": "go on"}))
    task = at(board, "running")
    run, token = credentials(board, task)
    told = board.ask_as(run, token, "task.judge", id=task, outcome="I measured.", turn=2, turns=5)
    assert (told.verdict, told.reason, told.next) == (verdict, "so it is", "go on")
    [call] = model.calls()
    assert call.request.mentions("Turn 2 of at most 5")
    assert call.request.mentions("I measured.")
    assert board.task(task).status == "running"


def test_without_a_model_everything_says_so_and_nothing_breaks(board):
    task = board.create("idea", initial_status="triage")
    for op, words in (("task.decompose", {}), ("task.specify", {"by": "model"})):
        with pytest.raises(GuardFailed, match=r"no model|nobody"):
            board.ask(op, id=task, **words)
    done = board.ask("task.specify", id=task)
    assert (done.status, done.note) == (
        "ready",
        "taken as it is: no model is configured to say it more clearly",
    )


def test_a_provider_that_cannot_be_reached_is_said_in_one_sentence(board):
    settings = Planner(
        provider="openai-compatible", model="m", base_url="http://127.0.0.1:9/v1", timeout_ms=60_000
    )
    board.settings = Settings(planner=settings)
    task = board.create("idea", initial_status="triage")
    with pytest.raises(Unavailable, match="could not be reached"):
        board.ask("task.specify", id=task)
