"""Ideas on the board in a browser: made a task or split, by hand or by a model, which is a script here."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.agents.dialogue import Request
from tests.agents.model_server import ModelServer
from tests.agents.replies import Failure, Reply, ToolCall
from tests.support.browser import card, card_in

CLEAR = {"title": "Start in half the time", "body": "Measure, then cut imports.", "assignee": None}
PARTS = {
    "parts": [
        {"title": "Measure", "body": "importtime", "assignee": "coder"},
        {"title": "Cut", "body": "imports", "assignee": "writer", "after": [0]},
    ]
}
CONFIGURATION = """
[web]
port = 0
[dispatch]
default_assignee = "coder"
[planner]
provider = "openai-compatible"
model = "scripted"
base_url = "{}/v1"
[profiles.coder]
argv = ["true"]
[profiles.writer]
argv = ["true"]
"""


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        server.scenarios["plan"] = says(CLEAR)
        yield server


@pytest.fixture(scope="module")
def configuration(model: ModelServer) -> str:
    return CONFIGURATION.format(model.address("plan"))


@pytest.fixture
def idea(board) -> int:
    """An idea on a board where nothing starts, so that what becomes of it can be looked at."""
    board.ask("dispatch.pause", reason="only planned")
    return int(board.create("startup slow??", body="3 s", initial_status="triage"))


def says(answer: dict[str, object]) -> Callable[[Request], Reply]:
    """A model that calls the tool it is given with this."""
    return lambda request: ToolCall(request.tools[0], answer, f"call_{request.number}")


def fails(_request: Request) -> Reply:
    return Failure(401, "authentication_error", "the key is not known")


def asked(page: Page, task: int, move: str) -> None:
    """Open the dialog of a move by the card's menu, with keys alone."""
    expect(card(page, task)).to_be_visible()
    card(page, task).focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name=re.compile(f"^{move}")).press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(f"#{task} startup slow??")


def test_an_idea_is_written_out_by_hand_with_who_does_it(board, page, idea):
    asked(page, idea, "Make it a task")
    expect(page.get_by_label("What a worker has to know")).to_have_value("3 s")
    page.get_by_label("Title").fill("Start faster")
    page.get_by_label("What a worker has to know").fill("One second is enough.")
    page.get_by_label("Assignee", exact=True).select_option("coder")
    page.get_by_role("button", name="Make it a task", exact=True).click()
    expect(card_in(page, idea, "ready")).to_contain_text("Start faster")
    shown = board.ask("task.show", id=idea)["task"]
    assert (shown["body"], shown["assignee"]) == ("One second is enough.", "coder")


def test_a_model_writes_an_idea_out_and_the_card_says_it_as_soon_as_it_is_there(
    board, page, idea, model
):
    model.scenarios["plan"] = says(CLEAR)
    asked(page, idea, "Make it a task")
    page.get_by_role("button", name="Have the model write it").click()
    expect(card_in(page, idea, "ready")).to_contain_text("Start in half the time")
    assert board.ask("task.show", id=idea)["task"]["body"] == CLEAR["body"]


def test_a_model_that_fails_leaves_the_idea_where_it_was_and_says_so(board, page, idea, model):
    board.forgiven = ("status of 5", "status of 4")
    model.scenarios["plan"] = fails
    asked(page, idea, "Make it a task")
    page.get_by_role("button", name="Have the model write it").click()
    expect(page.get_by_role("alert")).to_contain_text("Make it a task: ")
    expect(card_in(page, idea, "triage")).to_contain_text("startup slow??")
    expect(card(page, idea)).to_contain_text("The model failed")


def test_an_idea_is_split_by_hand_into_parts_that_wait_for_each_other(board, page, idea):
    asked(page, idea, "Split into parts")
    expect(page.get_by_role("button", name="Make the parts")).to_be_disabled()
    page.get_by_label("One part a line").fill("- Measure\n2. Cut\n\n")
    page.get_by_label("Each part waits for the one before it").check()
    page.get_by_label("Assignee", exact=True).select_option("writer")
    page.get_by_role("button", name="Make 2 parts").click()
    expect(card(page, idea).locator(".card-progress")).to_contain_text("0/2")
    measure, cut = board.ask("task.list", origin=idea, sort="created")["items"]
    assert {measure["assignee"], cut["assignee"]} == {"writer"}
    expect(card_in(page, measure["id"], "ready")).to_contain_text("Measure")
    expect(card_in(page, cut["id"], "todo")).to_contain_text(f"Waits for #{measure['id']}")


def test_a_model_splits_an_idea_and_the_parts_are_on_the_board(board, page, idea, model):
    model.scenarios["plan"] = says(PARTS)
    asked(page, idea, "Split into parts")
    page.get_by_role("button", name="Have the model split it").click()
    expect(card(page, idea).locator(".card-progress")).to_contain_text("0/2")
    made = {one["title"]: one["assignee"] for one in board.ask("task.list", origin=idea)["items"]}
    assert made == {"Measure": "coder", "Cut": "writer"}
