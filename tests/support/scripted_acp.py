"""An agent program for tests that speaks the Agent Client Protocol and plays a script, a turn a prompt.

The script is a JSON list of turns in SCRIPT, each a list of steps: `{"say": text}`, `{"tool": title}`,
`{"ask": [operation, arguments]}` (a tool of the board), `{"permission": title}` (asks, and says what was
decided), `{"fail": [code, message]}`, `{"exit": status}`, `{"hang": true}` (until it is cancelled).  What it
was told is kept in the folder NOTES: `prompts.jsonl`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from shopfloor.domain.errors import BoardError
from shopfloor.runners.agent import identity
from shopfloor.runners.ledger import Ledger

USAGE = {"inputTokens": 10, "outputTokens": 5, "cachedReadTokens": 1}
OPTIONS = [
    {"optionId": "yes", "name": "Allow", "kind": "allow_once"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]


class Ended(Exception):
    """The turn ended early, with this answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer


def send(message: dict[str, Any]) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def receive() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    found: dict[str, Any] = json.loads(line)
    return found


def update(**fields: Any) -> None:
    params = {"sessionId": "acp-1", "update": fields}
    send({"method": "session/update", "params": params})


def note(words: dict[str, Any]) -> None:
    with (Path(os.environ["NOTES"]) / "prompts.jsonl").open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), **words}) + "\n")


def turns_played() -> int:
    path = Path(os.environ["NOTES"]) / "prompts.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def play(step: dict[str, Any]) -> None:
    ((kind, value),) = step.items()
    match kind:
        case "say":
            content = {"type": "text", "text": value}
            update(sessionUpdate="agent_message_chunk", content=content)
        case "tool":
            update(sessionUpdate="tool_call", title=value, rawInput={"a": 1})
        case "ask":
            ask(*value)
        case "permission":
            permission(value)
        case "fail":
            raise Ended({"error": {"code": value[0], "message": value[1]}})
        case "exit":
            sys.exit(value)
        case "hang":
            while receive().get("method") != "session/cancel":
                continue
            raise Ended({"result": {"stopReason": "cancelled"}})
        case _:
            raise AssertionError(f"no step is called {kind}")


def ask(op: str, args: dict[str, Any]) -> None:
    me = identity(os.environ)
    try:
        Ledger(me).ask(op, {"id": me.task, **args}, tries_s=30)
    except BoardError as refused:
        play({"say": refused.message})


def permission(title: str) -> None:
    params = {"sessionId": "acp-1", "toolCall": {"title": title}, "options": OPTIONS}
    send({"id": "p1", "method": "session/request_permission", "params": params})
    while (answer := receive()).get("id") != "p1":
        continue
    play({"say": f"decided: {answer['result']['outcome'].get('optionId')}"})


def prompted(text: str) -> dict[str, Any]:
    script: list[list[dict[str, Any]]] = json.loads(os.environ["SCRIPT"])
    turn = script[min(turns_played(), len(script) - 1)]
    note({"prompt": text})
    try:
        for step in turn:
            play(step)
    except Ended as early:
        return early.answer
    return {"result": {"stopReason": "end_turn", "usage": USAGE}}


def main() -> None:
    while True:
        asked = receive()
        params = asked.get("params") or {}
        match asked["method"]:
            case "initialize":
                can = {"loadSession": True, "mcpCapabilities": {"http": True}}
                answer = {"result": {"protocolVersion": 1, "agentCapabilities": can}}
            case "session/new":
                answer = {"result": {"sessionId": "acp-1"}}
            case "session/load":
                play({"say": "told before"})
                answer = {"result": {}}
            case "session/prompt":
                answer = prompted(params["prompt"][0]["text"])
            case _:
                continue
        send({"id": asked["id"], **answer})


if __name__ == "__main__":
    main()
