"""The tools are the operations that are marked for agents, in a form that every program understands."""

import json
import re

import msgspec
import pytest
from jsonschema import Draft202012Validator

from shopfloor.domain.errors import BY_CODE
from shopfloor.ops.registry import everything
from shopfloor.ops.schema import decode
from shopfloor.surfaces.mcp import catalog, index
from shopfloor.surfaces.mcp.answers import NEXT

OPERATIONS = everything()
TOOLS = list(catalog.tools().values())
NAMES = [tool.name for tool in TOOLS]

# What a worker may use and no model needs: its runner does.
WITHOUT_A_TOOL = {"task.create", "task.judge", "run.guard", "run.progress"}


def test_the_list_is_what_the_registry_says():
    assert catalog.FILE.read_text() == index.text()


def test_everything_that_a_worker_may_write_is_a_tool():
    theirs = {op.name for op in OPERATIONS.values() if op.role == "worker"}
    tools = {tool.op for tool in TOOLS if {"worker", "reviewer"} & {*tool.audience}}
    assert theirs - tools <= WITHOUT_A_TOOL
    for name in tools:
        assert OPERATIONS[name].role in ("worker", "anyone"), name


def test_what_only_people_may_ask_is_a_tool_of_orchestrators_at_most():
    for op in OPERATIONS.values():
        if op.tools and op.role == "person":
            assert op.tools == {"orchestrator"}, op.name


def test_no_tool_leads_out_of_a_block_or_destroys_anything():
    never = {"unblock", "promote", "reclaim", "cancel", "archive", "delete", "reopen", "answer"}
    assert not {f"task.{verb}" for verb in never} & {tool.op for tool in TOOLS}


@pytest.mark.parametrize("tool", TOOLS, ids=NAMES)
def test_a_tool_tells_a_model_what_it_does_and_when_to_use_it(tool):
    assert re.fullmatch(r"[a-z][a-z_]{2,40}", tool.name)
    does, *_, when = tool.description.split("\n\n")
    assert does.endswith(".") and when.endswith(".")
    assert when == OPERATIONS[tool.op].when
    said = tool.description + json.dumps(tool.schema)
    for word in ("standard input", "@FILE", "`shop ", " --", "--help", "may be given again"):
        assert word not in said, word


@pytest.mark.parametrize("tool", TOOLS, ids=NAMES)
def test_a_schema_is_plain(tool):
    """Some agent programs hand on only what every model takes: types everywhere, no references."""
    Draft202012Validator.check_schema(tool.schema)
    assert tool.schema["type"] == "object"
    assert tool.schema["additionalProperties"] is False
    text = json.dumps(tool.schema)
    for word in ("$ref", "$defs", "anyOf", "oneOf", '"null"', '"title": "'):
        assert word not in text, word
    for name, shape in tool.schema["properties"].items():
        assert shape["type"] in ("string", "integer", "number", "boolean", "array", "object"), name
        assert shape.get("description"), name


@pytest.mark.parametrize("tool", TOOLS, ids=NAMES)
def test_what_a_schema_asks_for_makes_a_request(tool):
    needed = tool.schema.get("required", [])
    args = {name: _example(tool.schema["properties"][name]) for name in needed}
    Draft202012Validator(tool.schema).validate(args)
    if tool.own_task:
        args["id"] = 1
    if tool.file:
        args.pop("path", None)
        args |= {"name": "a.txt", "content": ""}
    decode(msgspec.json.encode(args), OPERATIONS[tool.op].request)


def _example(shape):
    if "enum" in shape:
        return shape["enum"][0]
    return {"string": "words", "integer": 1, "array": [], "object": {}, "boolean": True}[
        shape["type"]
    ]


def test_every_refusal_has_a_next_step_of_its_own_or_the_common_one():
    assert {*NEXT} <= {*BY_CODE}
    assert len({*NEXT.values()}) == len(NEXT)
