"""A real dispatcher that decomposes what lies in triage by itself, with a scripted model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agents.dialogue import Request
from tests.agents.model_server import ModelServer
from tests.agents.replies import Failure, Reply, ToolCall
from tests.support.home import Home, home_in
from tests.support.waiting import eventually

PARTS = {"parts": [{"title": "Look", "body": ""}, {"title": "Tell", "body": "", "after": [0]}]}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def configured(home: Home, model: ModelServer, script: Callable[[Request], Reply]) -> None:
    model.scenarios["plan"] = script
    home.configure(
        '[dispatch]\ndefault_assignee = "hand"\n'
        '[profiles.hand]\nargv = ["true"]\n'
        '[planner]\nprovider = "openai-compatible"\nmodel = "m"\nauto_decompose = true\n'
        f'base_url = "{model.address("plan")}/v1"\n'
    )


def test_an_idea_is_decomposed_and_worked_to_its_end_without_being_asked(home, model):
    configured(home, model, lambda request: ToolCall(request.tools[0], PARTS, "call_1"))
    home.up()
    idea = home.create("an idea", initial_status="triage")
    home.becomes(idea, "done")
    listed = home.ask("task.list")["items"]
    assert sorted(one["title"] for one in listed) == ["Look", "Tell", "an idea"]
    assert len(model.calls()) == 1


def test_an_idea_that_the_model_failed_on_is_not_asked_about_again_by_itself(home, model):
    configured(home, model, lambda _request: Failure(401, "authentication_error", "no"))
    home.up()
    idea = home.create("an idea", initial_status="triage")
    eventually(lambda: home.ask("task.why", id=idea)["code"] == "planning_failed")
    # Each commit wakes the dispatcher, which looks at what lies in triage.
    other = home.create_command(["true"])
    home.becomes(other, "done")
    assert home.task(idea)["status"] == "triage"
    assert len(model.calls()) == 1
    home.ask("task.edit", id=idea, body="said more clearly")
    eventually(lambda: len(model.calls()) == 2)
