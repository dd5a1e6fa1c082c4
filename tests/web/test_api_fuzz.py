"""The API against its own document: everything that the document allows is asked, and much that it forbids.

Whatever is asked, the answer is one that the document names, of the shape that it gives, and never a mistake
of ours.  The examples are few and always the same ones, so that it takes seconds.
"""

import contextlib
import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shopfloor.surfaces.web import document

DOCUMENT = Path(document.__file__).with_name("openapi.json")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# A stream has no end; the others would start programs, go to the network, or take away what the rest needs.
LEFT_OUT = {
    *("event.stream", "board.remove", "admin.backup", "profile.check"),
    *("dispatch.resume", "delivery.test", "receipt.keygen"),
}
# So many that make sense, and so many that do not.
EXAMPLES = {schemathesis.GenerationMode.POSITIVE: 7, schemathesis.GenerationMode.NEGATIVE: 4}


def operations():
    found = json.loads(DOCUMENT.read_text())
    return [
        (path, method.upper(), told["operationId"])
        for path, methods in found["paths"].items()
        for method, told in methods.items()
        if told["operationId"].removesuffix(".several") not in LEFT_OUT
    ]


SCHEMA = schemathesis.openapi.from_path(DOCUMENT)


def test_the_document_is_what_the_registry_says():
    assert DOCUMENT.read_text() == document.text()


@pytest.fixture(scope="module", autouse=True)
def tasks(site):
    """Some tasks that are there, in several statuses, with what a task can have."""
    for title in ("one", "two", "three"):
        site.home.create(title)
    site.home.ask("task.comment", id=1, body="a comment")
    site.home.ask("task.block", id=2, reason="it waits")
    # Commands are made up as well, and none of them is to run.
    site.home.ask("dispatch.pause", reason="only asked, never run")


@pytest.mark.parametrize(
    ("path", "method"), [(p, m) for p, m, _ in operations()], ids=[n for *_, n in operations()]
)
def test_an_operation_answers_as_the_document_says(site, path, method):
    operation = SCHEMA[path][method]

    def ask(case):
        number = case.path_parameters.get("id")
        if isinstance(number, int) and number % 4:
            # Most of what is named is there.
            case.path_parameters["id"] = number % 4
        case.call_and_validate(
            base_url=site.web.url,
            headers={"Authorization": f"Bearer {site.web.shown}"},
            checks=CHECKS,
            timeout=120,
        )

    for mode, examples in EXAMPLES.items():
        run = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        # Where nothing is asked for, nothing can be asked wrongly.
        with contextlib.suppress(Unsatisfiable):
            run(given(case=operation.as_strategy(generation_mode=mode))(ask))()
