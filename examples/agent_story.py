"""The demo's second part: an agent works a task with the board's tools, and a person answers it.

The agent is `examples/apprentice.py`.  What the board has to know about it is the preset below: how it is
started, how it is told the board's tools, how its session is resumed, and how its output is read.
"""

import sys
from pathlib import Path

from examples.stage import HOME, Row, Screen, ask, say, shop

APPRENTICE = Path(__file__).resolve().with_name("apprentice.py")
PRESET = f"""\
program = "{sys.executable}"
title = "An agent without a model"
argv = ["{APPRENTICE}", "--memory", "{HOME / "memory"}", "@mcp", "@session"]
prompt = "stdin"

[options]
mcp = ["--tools", "{{mcp_url}}"]
resume = ["--resume", "{{session}}"]

[session]
id = "read"

[output]
format = "jsonl"
events = [
  {{ when = {{ type = "session" }}, session = "id" }},
  {{ when = {{ type = "message" }}, text = "text" }},
  {{ when = {{ type = "tool" }}, tool = "name", input = "input" }},
  {{ when = {{ type = "usage" }}, usage = {{ input_tokens = "input", output_tokens = "output" }} }},
]
"""
ROOM = "process"


def tell(screen: Screen) -> list[tuple[str, bool]]:
    """Give the agent a task, answer its question, and see what came of it: promises, kept or not."""
    presets = HOME / "presets"
    presets.mkdir()
    (presets / "apprentice.toml").write_text(PRESET)
    with (HOME / "config.toml").open("a") as config:
        config.write('\n[profiles.apprentice]\npreset = "apprentice"\n')
    say("An agent: shop create 'Write a page about a room' --assignee apprentice")
    words = ["Write a page about a room", "--assignee", "apprentice"]
    task = int(ask("create", *words)["task"]["id"])
    screen.until(lambda: ask("questions"), "the agent's question")
    (question,) = ask("questions")
    say(f"It asks: {question['body']}", f"shop answer {task} {ROOM}")
    shop("answer", str(task), ROOM)
    screen.until(lambda: screen.status.get(task) == "done", "the agent's verdict")
    screen.until(lambda: not ask("run", "list", "--live"), "the end of its processes")
    first, *_, last = attempts(task)
    say(
        f"It went on in its session and was reminded to say that it is done: shop fetch {task} room.md"
    )
    page = shop("fetch", str(task), "room.md")
    print(page)
    return [
        ("an agent worked by the board's tools, and asked", first["outcome"] == "blocked"),
        ("the answer resumed its session", last["session"] == first["session"] is not None),
        ("it was reminded of its verdict, and gave it", last["outcome"] == "completed"),
        ("what it used is known", (last["usage"] or {}).get("output_tokens", 0) > 0),
        ("what it made is kept", f"# The room {ROOM}" in page),
    ]


def attempts(task: int) -> list[Row]:
    """The attempts of a task, the oldest first."""
    rows: list[Row] = ask("runs", str(task))
    return rows[::-1]
