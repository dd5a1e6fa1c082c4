"""Whatever is asked is answered: with a result, or with the one error shape and a code that was announced."""

import json
from contextlib import closing

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopfloor.domain import limits
from shopfloor.domain.errors import BY_CODE, BoardError, Forbidden, Invalid, LimitReached, from_dict
from shopfloor.ops.call import Envelope
from shopfloor.ops.registry import everything
from shopfloor.ops.schema import decode
from tests.support.board import open_board
from tests.support.walk import at

OPERATIONS = everything()
# These reach beyond the board: other boards, files anywhere, programs that are started.
OUTSIDE = {
    "admin.backup",
    "dispatch.run",
    *(name for name in OPERATIONS if name.startswith("board.")),
}
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 12)
    | st.sampled_from([2**31, 2**63, 2**70, -(2**63)])
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["ready", "wait", "cancel", "needs_input", "dependency", "2027-01-01T00:00:00Z", "\0"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with closing(open_board(tmp_path_factory.mktemp("home"))) as board:
        for status in (
            "ready",
            "todo",
            "running",
            "review",
            "blocked",
            "scheduled",
            "triage",
            "done",
        ):
            at(board, status)
        yield board


def shape(answer):
    """The answer read; an error has exactly the one shape."""
    body = json.loads(answer)
    assert len(body) == 1
    if "error" not in body:
        return None
    error = body["error"]
    assert {*error} == {"code", "message", "detail"}
    assert error["code"] in BY_CODE and isinstance(error["detail"], dict)
    assert error["message"] and "\n" not in error["message"]
    return from_dict(body)


@pytest.mark.parametrize("name", sorted({*OPERATIONS} - OUTSIDE))
def test_no_request_is_left_without_an_answer(board, name):
    op = OPERATIONS[name]
    fields = [*op.request.__struct_fields__, "ids", "unknown"]
    requests = st.dictionaries(st.sampled_from(fields), JUNK, max_size=4)

    @settings(
        max_examples=60, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    @given(requests, st.booleans())
    def ask(args, named):
        args = {**args, "id": 1} if named and "id" in fields else args
        raw = msgspec.Raw(json.dumps(args).encode())
        refused = shape(board.answer(Envelope(name, raw, None, None, "ann")))
        if refused is not None:
            announced = (*op.errors, Invalid)
            assert isinstance(refused, announced), (
                f"{name} says {refused!r}, and does not announce it"
            )

    ask()


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"a":', b"\xff\xfe", b'"x"', b"7"])
@pytest.mark.parametrize("name", ["task.create", "task.list", "task.cancel", "task.attach"])
def test_what_is_no_request_is_refused(board, name, raw):
    assert isinstance(shape(board.answer(Envelope(name, msgspec.Raw(raw)))), Invalid)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_unknown_field_is_refused_by_name(board, name):
    raw = msgspec.Raw(b'{"no_such_field": 1}')
    refused = shape(board.answer(Envelope(name, raw)))
    assert isinstance(refused, Invalid), refused


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b'{"op": 1}', b'{"op": "task.list", "more": 1}', b"[]", b'{"op":"x","run":"y"}'],
)
def test_what_is_no_envelope_is_refused(line):
    with pytest.raises(Invalid, match="cannot be read"):
        decode(line, Envelope)


def test_an_operation_that_is_not_there_is_not_found(board):
    assert shape(board.answer(Envelope("task.fly"))).code == "not_found"


def test_every_error_travels_as_it_is():
    for kind in BY_CODE.values():
        error = kind("it is so; do that", detail={"a": 1})
        again = from_dict(json.loads(json.dumps(error.as_dict())))
        assert (type(again), again.message, again.detail) == (kind, error.message, {"a": 1})
        assert 400 <= kind.http < 600 and 0 < kind.exit < 126
    assert type(from_dict({"error": {"code": "new", "message": "x"}})) is BoardError


TOO_LARGE = [
    ("task.create", {"title": "x" * (limits.TITLE_CHARS_MAX + 1)}),
    ("task.create", {"title": "x", "body": "ä" * (limits.BODY_BYTES_MAX // 2 + 1)}),
    ("task.create", {"title": "x", "assignee": "x" * (limits.NAME_CHARS_MAX + 1)}),
    ("task.create", {"title": "x", "priority": limits.PRIORITY_MAX + 1}),
    ("task.create", {"title": "x", "idempotency_key": "x" * (limits.KEY_CHARS_MAX + 1)}),
    ("task.create", {"title": "x", "command": {"argv": ["x" * (limits.COMMAND_BYTES_MAX + 1)]}}),
    ("task.create", {"title": "x", "backoff": {"base_ms": 1, "factor": 1e300}}),
    ("task.create", {"title": "x", "parents": [*range(1, 300)]}),
    ("task.edit", {"id": 1, "body": "x" * (limits.BODY_BYTES_MAX + 1)}),
    ("task.comment", {"id": 1, "body": "x" * (limits.COMMENT_BYTES_MAX + 1)}),
    ("task.block", {"id": 1, "reason": "x" * (limits.REASON_CHARS_MAX + 1)}),
    ("task.complete", {"id": 1, "summary": "x" * (limits.SUMMARY_BYTES_MAX + 1)}),
    ("task.complete", {"id": 1, "result": "ß" * (limits.SUMMARY_BYTES_MAX // 2 + 1)}),
    ("task.complete", {"id": 1, "metadata": {"a": "x" * limits.METADATA_BYTES_MAX}}),
    ("task.decompose", {"id": 7, "pieces": [{"title": "x"}] * (limits.DECOMPOSE_MAX + 1)}),
    ("task.list", {"limit": limits.PAGE_MAX + 1}),
    ("event.list", {"limit": 0}),
    ("event.list", {"wait_s": 31}),
    ("run.list", {"limit": limits.PAGE_MAX + 1}),
]


@pytest.mark.parametrize(("name", "args"), TOO_LARGE)
def test_what_is_larger_than_a_board_takes_is_refused_and_nothing_changes(board, name, args):
    before = board.dump()
    with pytest.raises((Invalid, LimitReached)):
        board.ask(name, **args)
    assert board.dump() == before


def test_what_is_just_as_large_as_may_be_is_taken(board):
    made = board.ask(
        "task.create",
        title="x" * limits.TITLE_CHARS_MAX,
        body="x" * limits.BODY_BYTES_MAX,
        assignee="x" * limits.NAME_CHARS_MAX,
        priority=-limits.PRIORITY_MAX,
    ).task
    assert len(made.body) == limits.BODY_BYTES_MAX
    board.ask("task.comment", id=made.id, body="x" * limits.COMMENT_BYTES_MAX)
    board.ask("task.complete", id=made.id, summary="x" * limits.SUMMARY_BYTES_MAX)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"title": "  "}, "needs a title"),
        ({"title": "x", "workspace": "dir:relative"}, "not absolute"),
        ({"title": "x", "workspace": "cloud"}, "is no workspace"),
        ({"title": "x", "workspace": "scratch:/x"}, "is no workspace"),
        ({"title": "x", "workspace": "dir"}, "needs a path"),
        ({"title": "x", "branch": "b"}, "belongs to a worktree"),
        ({"title": "x", "command": {"argv": []}}, "name of a program"),
        ({"title": "x", "command": {"argv": ["a\0b"]}}, "NUL"),
        (
            {"title": "x", "command": {"argv": ["a"], "env": {"SHOPFLOOR_TOKEN": "t"}}},
            "cannot be set",
        ),
        ({"title": "x", "command": {"argv": ["a"], "env": {"A=B": "t"}}}, "cannot be set"),
        ({"title": "x", "check": []}, "name of a program"),
        ({"title": "x", "start_after": "never"}, "start_after"),
        ({}, "title"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_with_the_reason(board, args, words):
    with pytest.raises(Invalid, match=words):
        board.ask("task.create", **args)


def test_a_worker_may_use_what_is_its_own_and_look_at_everything(board):
    one = board.claim(board.create())
    for op in OPERATIONS.values():
        answer = board.answer(
            Envelope(
                op.name, msgspec.Raw(b'{"no_such_field":1}'), None, None, None, one.run, one.token
            )
        )
        refused = shape(answer)
        assert isinstance(refused, Forbidden) == (op.role == "person"), op.name
