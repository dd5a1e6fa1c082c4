"""The addresses that are no operations, as the OpenAPI document has them; the app has the same list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shopfloor.domain.errors import BoardError, Conflict, LimitReached, WrongStatus
from shopfloor.domain.limits import (
    ATTACHMENT_BYTES_MAX,
    COUNT_MAX,
    KEY_CHARS_MAX,
    LOG_TAIL_BYTES_MAX,
)

Schema = dict[str, Any]
Refused = Callable[..., Schema]

TEXT: Schema = {"type": "string"}
BOARD: Schema = {
    "name": "board",
    "in": "query",
    "required": False,
    "description": "The board's short name; the current board without it.",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
}
KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key within a day, the request has no second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!-~]+$"},
}
ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
}
NAME: Schema = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def answer(words: str, shape: Schema | None = None, kind: str = "application/json") -> Schema:
    """An answer: its words, and the shape of its body."""
    return {"description": words, "content": {kind: {"schema": shape if shape is not None else {}}}}


def fields(*required: str, **shapes: Schema) -> Schema:
    """An object with these fields."""
    return {"type": "object", "required": list(required or shapes), "properties": shapes}


def own_paths(refused: Refused) -> dict[str, Schema]:
    """Each address with its methods."""
    return {
        **_files(refused),
        "/api/v1/call": {"post": _call(refused)},
        "/api/v1/events/stream": {"get": _stream(refused)},
        "/api/v1/markdown": {"post": _markdown(refused)},
        "/api/v1/session": {
            "get": _told(
                "session.show",
                "Tell who asks, and the boards that there are.",
                answer(
                    "Who is logged in.",
                    fields(name=TEXT, role=TEXT, boards={"type": "array"}, csrf=TEXT),
                ),
                refused(),
            )
        },
        "/api/v1/openapi.json": {
            "get": _told("openapi.show", "This document.", answer("The document."), refused())
        },
        "/metrics": {
            "get": _told(
                "metrics.show",
                "Figures for Prometheus.",
                answer("Figures.", TEXT, "text/plain"),
                refused(),
            )
        },
        "/healthz": {"get": _open("health.show", "Whether the server answers.")},
        "/readyz": {"get": _open("ready.show", "Whether the boards can be reached.", refused())},
    }


def _told(name: str, words: str, good: Schema, bad: Schema, **more: Any) -> Schema:
    status = more.pop("status", "200")
    return {
        "operationId": name,
        "tags": ["server"],
        "summary": words,
        **more,
        "responses": {status: good, **bad},
    }


def _open(name: str, words: str, bad: Schema | None = None) -> Schema:
    good = answer("Yes.", fields(ok={"type": "boolean"}))
    return _told(name, words, good, bad or {}, security=[])


def _json(shape: Schema) -> Schema:
    closed = {**shape, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": closed}}}


def _call(refused: Refused) -> Schema:
    request = fields(
        "op",
        op={**TEXT, "description": "The operation's name, such as `task.create`."},
        args={"type": "object", "description": "Its fields."},
        board={"type": ["string", "null"]},
        request_id={"type": ["string", "null"], "minLength": 1, "maxLength": KEY_CHARS_MAX},
    )
    every: list[type[BoardError]] = [Conflict, LimitReached, WrongStatus]
    return _told(
        "call",
        "Ask any operation by its name.",
        answer("What was asked for.", fields(result={})),
        refused(*every, *_subclasses(BoardError), body=True),
        requestBody=_json(request),
    )


def _subclasses(kind: type[BoardError]) -> list[type[BoardError]]:
    return [one for child in kind.__subclasses__() for one in (child, *_subclasses(child))]


def _stream(refused: Refused) -> Schema:
    number = {"type": "integer", "minimum": 0, "maximum": COUNT_MAX}
    after = {"name": "after", "in": "query", "required": False, "schema": number}
    last = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": number}
    return _told(
        "event.stream",
        "Events as server-sent events, from now on or after the last one seen.",
        answer(
            "One message an event; `event: gap` says that some may be missing.",
            TEXT,
            "text/event-stream",
        ),
        refused(),
        parameters=[BOARD, after, last],
    )


def _markdown(refused: Refused) -> Schema:
    texts = {"type": "array", "items": TEXT, "maxItems": 500}
    return _told(
        "markdown",
        "Make HTML of Markdown, cleaned so that it may stand in a page.",
        answer("One for each text.", fields(html={"type": "array", "items": TEXT})),
        refused(LimitReached, body=True),
        requestBody=_json(fields(texts=texts)),
    )


def _files(refused: Refused) -> dict[str, Schema]:
    tail = {"type": "integer", "minimum": 1, "maximum": LOG_TAIL_BYTES_MAX}
    log = fields(
        html=TEXT,
        size={"type": "integer"},
        truncated={"type": "boolean"},
        path=TEXT,
        exists={"type": "boolean"},
    )
    data: Schema = {"type": "string", "format": "binary", "maxLength": ATTACHMENT_BYTES_MAX}
    return {
        "/api/v1/tasks/{id}/log.html": {
            "get": _told(
                "task.log.html",
                "The end of a task's log as HTML, its colours as classes `ansi-*`.",
                answer("The log.", log),
                refused(),
                parameters=[
                    ID,
                    BOARD,
                    {"name": "tail_bytes", "in": "query", "required": False, "schema": tail},
                ],
            )
        },
        "/api/v1/tasks/{id}/attachments/{name}": {
            "get": _told(
                "task.fetch",
                "Give back a file kept with a task, as it is.",
                {
                    "description": "Its bytes.",
                    "content": {"application/octet-stream": {}, "image/*": {}},
                },
                refused(),
                parameters=[ID, NAME, BOARD],
            ),
            "put": _told(
                "task.attach.bytes",
                "Keep the body as a file of a task; a name that is taken gets a suffix.",
                answer("The file.", {"$ref": "#/components/schemas/AttachmentView"}),
                refused(Conflict, LimitReached, body=True),
                status="201",
                parameters=[ID, NAME, BOARD, KEY],
                requestBody={
                    "required": True,
                    "content": {"application/octet-stream": {"schema": data}},
                },
            ),
        },
    }
