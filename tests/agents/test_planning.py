"""The planner's questions to a model, and every way in which the answer can be wrong."""

import json

import pytest

from shopfloor.domain.errors import BoardError, LimitReached, Refused, Unavailable
from tests.agents.replies import Failure, Text
from tests.agents.scenarios import BROKEN, UNKNOWN_KEY, rate_limited

CLEAR = {"title": "Paint the gate green", "body": "Two coats.", "assignee": "painter"}
PARTS = {
    "parts": [
        {"title": "Sand the gate", "body": "Down to the wood.", "assignee": "sander", "after": []},
        {"title": "Paint the gate", "body": "Two coats.", "assignee": "painter", "after": [0]},
        {
            "title": "Take a picture",
            "body": "From the road.",
            "assignee": "nobody known",
            "after": [1],
        },
    ]
}
PROFILES = """
[profiles.painter]
argv = ["true"]
description = "Paints what is made of wood."
[profiles.sander]
argv = ["true"]
description = "Sands."
"""


@pytest.fixture
def planned(floor):
    """A floor whose planner's model gives these replies, and an idea in triage."""

    def begin(*replies):
        floor.planner(*(json.dumps(one) if isinstance(one, dict) else one for one in replies))
        floor.configure(f'[dispatch]\ndefault_assignee = "painter"\n{PROFILES}')
        floor.up()
        floor.home.ask("dispatch.pause")
        return floor.home.create("gate??", body="ugly. green?", initial_status="triage")

    return begin


def asked(floor):
    """What the planner's model was asked, as texts."""
    return [
        "\n".join([call.request.system, *call.request.prompts]) for call in floor.models.calls()
    ]


def failed(floor, verb, task):
    """The refusal of a question, which must leave the idea as it is."""
    try:
        answer = floor.home.ask(verb, id=task)
    except BoardError as refusal:
        assert floor.home.status(task) == "triage"
        return refusal
    raise AssertionError(f"{verb} was answered: {answer}")


def test_a_model_says_clearly_what_an_idea_asks_for(floor, planned):
    task = planned(CLEAR)
    floor.home.ask("task.specify", id=task)
    shown = floor.home.task(task)
    assert (shown["title"], shown["body"], shown["assignee"]) == tuple(CLEAR.values())
    assert "ugly. green?" in asked(floor)[0]
    assert "Paints what is made of wood." in asked(floor)[0]


def test_a_model_splits_an_idea_into_tasks_for_the_profiles_that_are_there(floor, planned):
    task = planned(PARTS)
    made = floor.home.ask("task.decompose", id=task)["pieces"]
    assert [(one["title"], one["assignee"]) for one in made] == [
        ("Sand the gate", "sander"),
        ("Paint the gate", "painter"),
        ("Take a picture", "painter"),
    ]
    assert [one["status"] for one in made] == ["ready", "todo", "todo"]
    assert {one["origin"] for one in made} == {task}
    assert floor.home.status(task) == "todo"
    assert len(floor.models.calls()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        '{"title": "Paint',
        '{"body": "no title"}',
        '{"title": "", "body": "an empty title"}',
        Text("I would rather not fill in a form."),
    ],
    ids=["malformed", "a field is missing", "a field is empty", "prose"],
)
def test_an_answer_that_does_not_fit_is_asked_for_once_more(floor, planned, wrong):
    task = planned(wrong, CLEAR)
    floor.home.ask("task.specify", id=task)
    assert floor.home.task(task)["title"] == CLEAR["title"]
    assert len(floor.models.calls()) == 2


@pytest.mark.parametrize("verb", ["task.specify", "task.decompose"])
@pytest.mark.parametrize("wrong", ['{"title": 3', "{}", Text("No.")], ids=["cut", "empty", "prose"])
def test_a_second_answer_that_does_not_fit_is_a_clear_failure(floor, planned, verb, wrong):
    task = planned(wrong)
    refusal = failed(floor, verb, task)
    assert "no usable answer" in refusal.message
    assert len(floor.models.calls()) == 2


def test_parts_that_make_no_graph_are_asked_for_once_more(floor, planned):
    turned = [{**part, "after": [2 - place]} for place, part in enumerate(PARTS["parts"])]
    task = planned({"parts": turned}, PARTS)
    assert len(floor.home.ask("task.decompose", id=task)["pieces"]) == 3


@pytest.mark.parametrize(
    ("reply", "words", "kind"),
    [
        (UNKNOWN_KEY, "refused the planner's key", Refused),
        (rate_limited(60), "limit is reached", LimitReached),
        (BROKEN, "could not be reached", Unavailable),
        (Failure(404, "not_found_error", "no such model"), "does not know the planner", Refused),
    ],
    ids=["key", "limit", "broken", "model"],
)
def test_what_the_provider_refuses_is_one_sentence(floor, planned, reply, words, kind):
    task = planned(reply)
    refusal = failed(floor, "task.specify", task)
    assert words in refusal.message
    assert isinstance(refusal, kind)


def test_without_a_model_the_questions_say_so_and_nothing_else_breaks(floor):
    floor.configure(f'[dispatch]\ndefault_assignee = "painter"\n{PROFILES}')
    floor.up()
    floor.home.ask("dispatch.pause")
    task = floor.home.create("an idea", initial_status="triage")
    refusal = failed(floor, "task.decompose", task)
    assert "[planner]" in refusal.message
    floor.home.ask("task.specify", id=task)
    assert floor.home.status(task) in ("todo", "ready")
