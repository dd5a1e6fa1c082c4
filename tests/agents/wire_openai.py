"""Answers in the two formats of OpenAI: chat completions, which most other providers speak too, and responses.

Each is one document, or the events of a stream: pairs of (name or None, data).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.agents.dialogue import Body, Request
from tests.agents.replies import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Event,
    Text,
    ToolCall,
    halves,
    words,
)


def _chat_usage() -> Body:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
    }


def _chat_call(reply: ToolCall, arguments: str) -> Body:
    called = {"name": reply.tool.name, "arguments": arguments}
    return {"id": reply.id, "type": "function", "function": called}


def chat_document(request: Request, reply: Text | ToolCall) -> Body:
    message: Body = {"role": "assistant", "content": None}
    if isinstance(reply, Text):
        message["content"] = reply.text
    else:
        message["tool_calls"] = [_chat_call(reply, reply.text)]
    ended = "stop" if isinstance(reply, Text) else "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": ended}
    return {**_chat_head(request, "chat.completion"), "choices": [choice], "usage": _chat_usage()}


def _chat_head(request: Request, kind: str) -> Body:
    return {"id": f"chatcmpl-{request.id}", "object": kind, "created": 1, "model": request.model}


def chat_events(request: Request, reply: Text | ToolCall) -> Iterator[Event]:
    def chunk(delta: Body, ended: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": ended}
        return None, {**_chat_head(request, "chat.completion.chunk"), "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    if isinstance(reply, Text):
        for word in words(reply.text):
            yield chunk({"content": word})
        yield chunk({}, "stop")
    else:
        first, second = halves(reply.text)
        yield chunk({"tool_calls": [{"index": 0, **_chat_call(reply, first)}]})
        yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": second}}]})
        yield chunk({}, "tool_calls")
    head = _chat_head(request, "chat.completion.chunk")
    yield None, {**head, "choices": [], "usage": _chat_usage()}
    yield None, "[DONE]"


# Responses of OpenAI.


def _responses_item(request: Request, reply: Text | ToolCall) -> Body:
    if isinstance(reply, Text):
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        head = {"type": "message", "id": f"msg_{request.id}", "role": "assistant"}
        return {**head, "status": "completed", "content": content}
    call: Body = {"call_id": reply.id, "status": "completed"}
    if reply.tool.kind == "local_shell":
        action = {"type": "exec", "command": _given(reply, "command"), "env": {}}
        return {"type": "local_shell_call", "id": f"lsc_{reply.id}", "action": action, **call}
    call |= {"name": reply.tool.name}
    if reply.tool.kind == "custom":
        text = _given(reply, "input", "command")
        return {"type": "custom_tool_call", "id": f"ctc_{reply.id}", "input": text, **call}
    if reply.tool.namespace is not None:
        call["namespace"] = reply.tool.namespace
    arguments = reply.text
    return {"type": "function_call", "id": f"fc_{reply.id}", "arguments": arguments, **call}


def _given(reply: ToolCall, *names: str) -> object:
    """The one argument that a tool without a schema takes."""
    found = reply.value
    assert isinstance(found, dict), "only tools with a schema get what is no JSON"
    return next((found[name] for name in names if name in found), "")


def responses_document(request: Request, reply: Text | ToolCall) -> Body:
    usage = {
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    return {
        "id": f"resp_{request.id}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": request.model,
        "output": [_responses_item(request, reply)],
        "usage": usage,
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": False,
        "tools": [],
        "tool_choice": "auto",
        "metadata": {},
    }


def responses_events(request: Request, reply: Text | ToolCall) -> Iterator[Event]:
    whole = responses_document(request, reply)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield from _numbered("response.created", response=begun)
    item = _responses_item(request, reply)
    place = {"item_id": item["id"], "output_index": 0}
    if isinstance(reply, Text):
        part = {**place, "content_index": 0}
        empty = {"type": "output_text", "text": "", "annotations": []}
        opened = {**item, "status": "in_progress", "content": []}
        yield from _numbered("response.output_item.added", output_index=0, item=opened)
        yield from _numbered("response.content_part.added", **part, part=empty)
        for word in words(reply.text):
            yield from _numbered("response.output_text.delta", **part, delta=word)
        yield from _numbered("response.output_text.done", **part, text=reply.text)
        yield from _numbered("response.content_part.done", **part, part=item["content"][0])
    else:
        arguments = {"arguments": ""} if "arguments" in item else {}
        opened = {**item, "status": "in_progress", **arguments}
        yield from _numbered("response.output_item.added", output_index=0, item=opened)
        if arguments:
            kind = "response.function_call_arguments"
            for piece in halves(item["arguments"]):
                yield from _numbered(f"{kind}.delta", **place, delta=piece)
            yield from _numbered(f"{kind}.done", **place, arguments=item["arguments"])
    yield from _numbered("response.output_item.done", output_index=0, item=item)
    yield from _numbered("response.completed", response=whole)


def _numbered(kind: str, **data: Any) -> Iterator[Event]:
    yield kind, {"type": kind, "sequence_number": 0, **data}
