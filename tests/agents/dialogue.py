"""What an agent program asks a model, read out of the four wire formats into one neutral form.

A `Request` is one call of the model: the tools that are offered and what was said so far, oldest
first.  The whole dialogue is in every request, so whoever answers needs no memory of its own.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Body = dict[str, Any]
Wire = Literal["chat", "responses", "anthropic", "gemini"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the program offers; `kind` and `namespace` are what its wire format adds."""

    name: str
    schema: Body
    kind: str = "function"
    namespace: str | None = None

    @property
    def properties(self) -> Body:
        found: Body = self.schema.get("properties") or {}
        return found

    def is_called(self, name: str) -> bool:
        """Whether this is the board's tool of that name: programs put prefixes and hashes around it."""
        return (
            re.search(rf"(?:^|[_\-./]){re.escape(name)}(?:_[0-9a-f]{{8,}})?$", self.name)
            is not None
        )


@dataclass(frozen=True, slots=True)
class Said:
    """A message of text."""

    who: Literal["user", "model"]
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call that the model made."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a tool call brought."""

    text: str


Item = Said | Called | Answered


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model.

    `number` counts the calls of the same address from 1, `at_s` is seconds since the first of them.
    `id` is what the answer will be named by: programs that keep a session tell answers apart by it.
    """

    wire: Wire
    model: str | None
    stream: bool
    system: str
    items: tuple[Item, ...]
    tools: tuple[Tool, ...]
    body: Body = field(repr=False)
    number: int = 1
    at_s: float = 0.0
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    @property
    def prompts(self) -> list[str]:
        """What the program, or a person through it, said to the model, oldest first."""
        return [item.text for item in self.items if isinstance(item, Said) and item.who == "user"]

    @property
    def made(self) -> list[Item]:
        """What the model itself said and called so far, oldest first."""
        return [
            item
            for item in self.items
            if isinstance(item, Called) or (isinstance(item, Said) and item.who == "model")
        ]

    @property
    def answers(self) -> list[str]:
        """What the tool calls brought so far, oldest first."""
        return [item.text for item in self.items if isinstance(item, Answered)]

    def mentions(self, words: str) -> bool:
        """Whether these words stand anywhere in what the program said or its tools brought."""
        told = (item.text for item in self.items if not isinstance(item, Called))
        return any(words in text for text in (self.system, *told))


def read(wire: Wire, path: str, body: Body) -> Request:
    """A request's body as a `Request`; `path` says what Gemini's body does not."""
    system, items = READERS[wire](body)
    return Request(
        wire=wire,
        model=body.get("model") or _model_of_path(path),
        stream=bool(body.get("stream")) or ":streamGenerateContent" in path,
        system=system,
        items=tuple(items),
        tools=tuple(_tools(body)),
        body=body,
    )


def _model_of_path(path: str) -> str | None:
    found = re.search(r"/models/([^/:?]+):", path)
    return found[1] if found else None


def _tools(body: Body) -> Iterator[Tool]:
    for entry in body.get("tools") or []:
        yield from _tools_of(entry)


def _tools_of(entry: Body, namespace: str | None = None) -> Iterator[Tool]:
    if "functionDeclarations" in entry:
        for one in entry["functionDeclarations"]:
            yield Tool(one["name"], one.get("parametersJsonSchema") or one.get("parameters") or {})
    elif entry.get("type") == "namespace":
        for one in entry.get("tools") or []:
            yield from _tools_of(one, entry["name"])
    elif isinstance(entry.get("function"), dict):
        one = entry["function"]
        yield Tool(one["name"], one.get("parameters") or {})
    else:
        kind = entry.get("type") or "function"
        schema = entry.get("parameters") or entry.get("input_schema") or {}
        yield Tool(entry.get("name") or kind, schema, kind, namespace)


def text_of(content: object) -> str:
    """The text of a message's content, which is a string or a list of parts in every format."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or content.get("output") or "")
    if isinstance(content, list):
        return "\n".join(part for part in map(text_of, content) if part)
    return ""


def _chat(body: Body) -> tuple[str, list[Item]]:
    system, items = "", list[Item]()
    for message in body.get("messages") or []:
        role, text = message.get("role"), text_of(message.get("content"))
        if role in ("system", "developer"):
            system += text
        elif role == "tool":
            items.append(Answered(text))
        elif text.strip():
            items.append(Said("model" if role == "assistant" else "user", text))
        for call in message.get("tool_calls") or []:
            items.append(Called(call["function"]["name"], call["function"]["arguments"]))
    return system, items


def _responses(body: Body) -> tuple[str, list[Item]]:
    system, items = body.get("instructions") or "", list[Item]()
    given = body.get("input") or []
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        kind = item.get("type") or "message"
        if kind.endswith("_output"):
            items.append(Answered(text_of(item.get("output"))))
        elif kind.endswith("_call"):
            arguments = item.get("arguments") or item.get("input") or json.dumps(item.get("action"))
            items.append(Called(item.get("name") or kind, arguments))
        elif kind == "message" and item.get("role") in ("system", "developer"):
            system += text_of(item.get("content"))
        elif kind == "message":
            who: Literal["user", "model"] = "model" if item["role"] == "assistant" else "user"
            items.append(Said(who, text_of(item.get("content"))))
    return system, items


def _anthropic(body: Body) -> tuple[str, list[Item]]:
    items = list[Item]()
    for message in body.get("messages") or []:
        who: Literal["user", "model"] = "model" if message["role"] == "assistant" else "user"
        content = message.get("content")
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block["type"] == "tool_use":
                items.append(Called(block["name"], json.dumps(block["input"])))
            elif block["type"] == "tool_result":
                items.append(Answered(text_of(block.get("content"))))
            elif block["type"] == "text":
                items.append(Said(who, block["text"]))
    return text_of(body.get("system")), items


def _gemini(body: Body) -> tuple[str, list[Item]]:
    items = list[Item]()
    for content in body.get("contents") or []:
        who: Literal["user", "model"] = "model" if content.get("role") == "model" else "user"
        for part in content.get("parts") or []:
            if "functionCall" in part:
                call = part["functionCall"]
                items.append(Called(call["name"], json.dumps(call.get("args") or {})))
            elif "functionResponse" in part:
                items.append(Answered(json.dumps(part["functionResponse"].get("response"))))
            elif "text" in part:
                items.append(Said(who, part["text"]))
    system = body.get("systemInstruction") or {}
    return text_of(system.get("parts") if isinstance(system, dict) else system), items


READERS = {"chat": _chat, "responses": _responses, "anthropic": _anthropic, "gemini": _gemini}
