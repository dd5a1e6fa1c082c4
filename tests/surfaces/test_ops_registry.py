"""The registry: every operation is described, typed and addressed, once."""

import inspect
import re

import msgspec
import pytest

from shopfloor.domain.errors import BY_CODE, NotFound
from shopfloor.domain.lifecycle import RULES, By, Verb
from shopfloor.ops import registry
from shopfloor.ops.registry import everything, find
from shopfloor.ops.schema import Request, schema

OPERATIONS = list(everything().values())
NAMES = [op.name for op in OPERATIONS]


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_an_operation_has_a_schema_for_its_request_and_its_result(op):
    assert issubclass(op.request, Request)
    asked = schema(op.request)
    told = schema(op.result)
    assert msgspec.json.encode([asked, told])
    [body] = [part for part in asked["$defs"].values() if part.get("title") == op.request.__name__]
    assert body["additionalProperties"] is False


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_every_field_of_a_request_says_what_it_is(op):
    for field in msgspec.inspect.type_info(op.request).fields:
        assert _words(field.type), f"{op.name}.{field.encode_name} has no description"


def _words(kind):
    if isinstance(kind, msgspec.inspect.Metadata):
        return (kind.extra_json_schema or {}).get("description") or _words(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return next((words for one in kind.types if (words := _words(one))), None)
    return None


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_an_operation_says_what_it_does_in_one_line_first(op):
    first, *rest = op.doc.split("\n")
    assert first.endswith(".") and len(first) <= 100
    assert not rest or rest[0] == ""


@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_a_route_names_fields_that_the_request_has(op):
    method, path = op.route.split(" ")
    assert method in ("GET", "POST", "PATCH", "DELETE")
    assert re.fullmatch(r"/api/v1(/[a-z-]+|/\{\w+\})+", path)
    assert {*re.findall(r"\{(\w+)\}", path)} <= {*op.request.__struct_fields__}
    assert (op.kind == "read") <= (method == "GET")


def test_names_routes_and_commands_are_each_given_once():
    commands = [op.command for op in OPERATIONS if op.command]
    for given in (NAMES, [op.route for op in OPERATIONS], commands):
        assert len(given) == len({*given})


def test_what_only_programs_ask_is_a_known_few():
    assert {op.name for op in OPERATIONS if not op.command} == {
        "run.guard",
        "run.progress",
        "board.lifecycle",
        "board.settings",
        "task.cards",
        "delivery.take",
        "delivery.report",
        "ledger.changes",
    }


def test_every_verb_of_a_person_or_a_worker_has_one_operation():
    """The verb's operation is named for it, but for these four."""
    other = {
        Verb.PROMOTE_MANUAL: "task.promote",
        Verb.RELEASE: "task.reclaim",
        Verb.CLAIM: "run.claim",
    }
    asked = {rule.verb for rule in RULES if rule.by is not By.BOARD}
    assert {other.get(verb, f"task.{verb}") for verb in asked} <= {*NAMES}


def test_an_operation_is_loaded_with_its_noun_and_an_unknown_one_is_refused():
    assert find("task.create").name == "task.create"
    for unknown in ("task.fly", "plane.fly", "", "task"):
        with pytest.raises(NotFound, match="no operation"):
            find(unknown)
    for noun, modules in registry.MODULES.items():
        for op in OPERATIONS:
            assert (op.name.partition(".")[0] == noun) <= (op.run.__module__ in modules)


def test_the_order_is_that_of_the_modules_whichever_was_loaded_first():
    assert [*everything()] == NAMES
    places = [module for modules in registry.MODULES.values() for module in modules]
    assert [op.run.__module__ for op in OPERATIONS] == sorted(
        (op.run.__module__ for op in OPERATIONS), key=places.index
    )


def test_what_belongs_to_one_task_is_a_field_of_an_operation_that_takes_several():
    for op in OPERATIONS:
        assert {*op.single} <= {*op.request.__struct_fields__}
        assert op.many >= bool(op.single)
        assert op.many <= ("id" in op.request.__struct_fields__)


def test_an_operation_takes_its_context_and_its_request_and_nothing_else():
    for op in OPERATIONS:
        assert [*inspect.signature(op.run).parameters] == ["ctx", "req"]
        assert {error.code for error in op.errors} <= {*BY_CODE}
