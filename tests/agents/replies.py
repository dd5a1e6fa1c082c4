"""What a scripted model can answer: a text, a tool call, a refusal, silence, a cut connection.

How a text and a call look on the wire is in `wire_openai` and `wire_others`; a refusal is so short in
every format that it is here.  Every answer is charged the same tokens, so that a test can count.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tests.agents.dialogue import Body, Tool, Wire

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 1000, 200, 50
Event = tuple[str | None, Body | str]


@dataclass(frozen=True, slots=True)
class Text:
    """The model says something and ends its turn."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model calls a tool; arguments that are a string are sent as they are, right or wrong."""

    tool: Tool
    arguments: Body | str
    id: str

    @property
    def text(self) -> str:
        """The arguments as the text that they are on the wire."""
        given = self.arguments
        return given if isinstance(given, str) else json.dumps(given)

    @property
    def value(self) -> object:
        """The arguments for formats that carry them as JSON; what is none becomes a string."""
        try:
            found: object = json.loads(self.text)
        except ValueError:
            return {"unreadable": self.text}
        return found


@dataclass(frozen=True, slots=True)
class Failure:
    """The provider refuses: an HTTP status and an error of the provider's own form."""

    status: int
    kind: str
    message: str
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing comes, for ever; with `started`, after the first half of an answer."""

    started: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut; with `started`, in the middle of an answer."""

    started: bool = False


Reply = Text | ToolCall | Failure | Silence | Drop


def words(text: str) -> list[str]:
    """The text in the pieces in which it is streamed."""
    return re.findall(r"\S+\s*|\s+", text)


def halves(text: str) -> tuple[str, str]:
    """A call's arguments in the two pieces in which they are streamed."""
    return text[: len(text) // 2], text[len(text) // 2 :]


_GEMINI_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED"}
_OPENAI_CODE = {
    "rate_limit_error": "rate_limit_exceeded",
    "authentication_error": "invalid_api_key",
}


def refusal(wire: Wire, failure: Failure) -> Body:
    """The body of an error in the provider's form."""
    if wire == "anthropic":
        error = {"type": failure.kind, "message": failure.message}
        return {"type": "error", "error": error, "request_id": "req_scripted"}
    if wire == "gemini":
        status = _GEMINI_STATUS.get(failure.status, "INTERNAL")
        found: Body = {"code": failure.status, "message": failure.message, "status": status}
        if failure.retry_after_s is not None:
            kind = "type.googleapis.com/google.rpc.RetryInfo"
            found["details"] = [{"@type": kind, "retryDelay": f"{failure.retry_after_s}s"}]
        return {"error": found}
    code = _OPENAI_CODE.get(failure.kind, failure.kind)
    message = failure.message
    if failure.retry_after_s is not None:
        message += f" Please try again in {failure.retry_after_s}s."
    return {"error": {"message": message, "type": failure.kind, "code": code, "param": None}}


def refusal_headers(wire: Wire, failure: Failure) -> dict[str, str]:
    """The headers with which a provider says when to come again."""
    if failure.retry_after_s is None:
        return {}
    headers = {"retry-after": str(failure.retry_after_s)}
    if wire in ("chat", "responses"):
        headers["x-ratelimit-reset-requests"] = f"{failure.retry_after_s}s"
    return headers
