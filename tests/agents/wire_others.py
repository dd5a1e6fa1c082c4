"""Answers in the formats of Anthropic (messages) and Google (content of Gemini).

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


def _anthropic_block(reply: Text | ToolCall) -> Body:
    if isinstance(reply, Text):
        return {"type": "text", "text": reply.text}
    return {"type": "tool_use", "id": reply.id, "name": reply.tool.name, "input": reply.value}


def anthropic_document(request: Request, reply: Text | ToolCall, *, begun: bool = False) -> Body:
    usage = {
        "input_tokens": INPUT_TOKENS,
        "cache_read_input_tokens": CACHED_TOKENS,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1 if begun else OUTPUT_TOKENS,
        "service_tier": "standard",
    }
    return {
        "id": f"msg_{request.id}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [] if begun else [_anthropic_block(reply)],
        "stop_reason": None if begun else _stop_reason(reply),
        "stop_sequence": None,
        "usage": usage,
    }


def _stop_reason(reply: Text | ToolCall) -> str:
    return "end_turn" if isinstance(reply, Text) else "tool_use"


def anthropic_events(request: Request, reply: Text | ToolCall) -> Iterator[Event]:
    def event(kind: str, **data: Any) -> Event:
        return kind, {"type": kind, **data}

    yield event("message_start", message=anthropic_document(request, reply, begun=True))
    empty: Body = {"text": ""} if isinstance(reply, Text) else {"input": {}}
    yield event("content_block_start", index=0, content_block=_anthropic_block(reply) | empty)
    yield event("ping")
    if isinstance(reply, Text):
        deltas = [{"type": "text_delta", "text": word} for word in words(reply.text)]
    else:
        pieces = halves(reply.text)
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    for delta in deltas:
        yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    ended = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
    yield event("message_delta", delta=ended, usage={"output_tokens": OUTPUT_TOKENS})
    yield event("message_stop")


# Content of Gemini.


def gemini_document(request: Request, reply: Text | ToolCall) -> Body:
    if isinstance(reply, Text):
        part: Body = {"text": reply.text}
    else:
        called = {"name": reply.tool.name, "args": reply.value, "id": reply.id}
        part = {"functionCall": called}
    content = {"role": "model", "parts": [part]}
    usage = {
        "promptTokenCount": INPUT_TOKENS,
        "cachedContentTokenCount": CACHED_TOKENS,
        "candidatesTokenCount": OUTPUT_TOKENS,
        "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "modelVersion": request.model, "usageMetadata": usage}


def gemini_events(request: Request, reply: Text | ToolCall) -> Iterator[Event]:
    whole = gemini_document(request, reply)
    if isinstance(reply, Text):
        *firsts, _last = words(reply.text) or [""]
        for word in firsts:
            content = {"role": "model", "parts": [{"text": word}]}
            yield None, {"candidates": [{"content": content, "index": 0}]}
        whole["candidates"][0]["content"]["parts"] = [{"text": _last}]
    yield None, whole
