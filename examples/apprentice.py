"""An agent without a model: what it does is written here, how it does it is what every agent does.

    apprentice.py --memory FOLDER [--tools URL] [--resume SESSION]    with the prompt on standard input

It is given a task by the board, looks at it with the board's tools, asks a person what it does not know,
goes on in the same session when the answer is there, writes a page into its workspace, forgets to say that
it is done, is reminded, and says so.  `make demo` shows it at work; the preset in `examples/demo.py` is all
that the board needs to know about it.  What it prints are events, one JSON document a line.
"""

import argparse
import ast
import json
import os
import sys
import urllib.request
import uuid
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "src" / "shopfloor"
Answer = dict[str, Any]


def say(kind: str, **words: object) -> None:
    """One event of the output."""
    print(json.dumps({"type": kind, **words}), flush=True)


class Tools:
    """The board's tools, over MCP: JSON-RPC by HTTP, with the token of the run."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        self.number = 0
        client = {"name": "apprentice", "version": "1"}
        self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        self.ask("notifications/initialized")

    def ask(self, method: str, **params: object) -> Answer:
        """One request; a notification, which has no answer, is told by its name."""
        body: Answer = {"jsonrpc": "2.0", "method": method, "params": params}
        if not method.startswith("notifications/"):
            self.number += 1
            body["id"] = self.number
        # The address is the board's own, on loopback.
        request = urllib.request.Request(self.url, json.dumps(body).encode(), self.headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            if session := response.headers.get("Mcp-Session-Id"):
                self.headers["Mcp-Session-Id"] = session
            text = response.read().decode()
        lines = [line for line in text.splitlines() if line.startswith("data:")]
        found: Answer = json.loads(lines[-1].removeprefix("data:") if lines else text or "{}")
        if "error" in found:
            raise SystemExit(f"{method}: {found['error']['message']}")
        return found.get("result") or {}

    def call(self, name: str, **arguments: object) -> str:
        """Call a tool; what it answers, as text."""
        say("tool", name=name, input=arguments)
        result = self.ask("tools/call", name=name, arguments=arguments)
        text = "\n".join(part.get("text", "") for part in result.get("content", []))
        if result.get("isError"):
            raise SystemExit(f"{name}: {text}")
        return text


def look(tools: Tools, memory: Answer, _prompt: str) -> None:
    """The first turn: see what the task is, and ask which room it is about."""
    tools.call("task_show")
    rooms = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())
    memory["rooms"] = rooms
    tools.call("task_ask", question="Which room shall the page be about?", options=rooms)
    say("message", text="I have asked which room it is about, and wait for the answer.")


def write(_tools: Tools, memory: Answer, prompt: str) -> None:
    """The second turn: the answer is in the prompt; write the page, and forget to say so."""
    memory["room"] = next(room for room in memory["rooms"] if room in prompt)
    lines = [f"# The room {memory['room']}", ""]
    for file in sorted((SOURCE / memory["room"]).glob("*.py")):
        told = ast.get_docstring(ast.parse(file.read_text())) or ""
        lines.append(f"- `{file.name}`: {told.partition(chr(10))[0]}")
    Path("room.md").write_text("\n".join(lines) + "\n")
    say("message", text=f"I have written a page about {memory['room']}.")


def finish(tools: Tools, memory: Answer, _prompt: str) -> None:
    """The third turn, after a reminder: say that it is done, and what is to be kept."""
    summary = f"A page about the room {memory['room']} is in room.md."
    tools.call("task_complete", summary=summary, artifacts=["room.md"])
    say("message", text="The task is completed.")


def main() -> None:
    """One turn of a session, new or resumed."""
    flags = argparse.ArgumentParser()
    flags.add_argument("--memory", type=Path, required=True)
    flags.add_argument("--tools")
    flags.add_argument("--resume")
    given = flags.parse_args()
    prompt = sys.stdin.read()
    session = given.resume or uuid.uuid4().hex
    given.memory.mkdir(parents=True, exist_ok=True)
    file = given.memory / f"{session}.json"
    memory: Answer = json.loads(file.read_text()) if file.exists() else {"turns": 0}
    say("session", id=session)
    tools = Tools(given.tools, os.environ["SHOPFLOOR_MCP_TOKEN"])
    (look, write, finish)[min(memory["turns"], 2)](tools, memory, prompt)
    memory["turns"] += 1
    file.write_text(json.dumps(memory))
    say("usage", input=len(prompt.split()), output=20)


if __name__ == "__main__":
    main()
