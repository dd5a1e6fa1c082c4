"""An agent program for tests: each time it is started it plays the next turn of a script.

It is spoken to as real ones are: the prompt on standard input, the session by an option, one JSON event a
line, tools by the board's door.  The script is a JSON list of turns in SCRIPT, each a list of steps:
`{"say": …}`, `{"event": {…}}`, `{"ask": [operation, arguments]}`, `{"error": text on stderr}`,
`{"exit": status}`, `{"kill": signal}`, `{"hang": true}`, `{"deaf": true}`, `{"leave": seconds}` (a tool in a
session of its own that lives on).  What it was told is kept in the folder NOTES, a file a turn.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shopfloor.domain.errors import BoardError
from shopfloor.runners.agent import identity
from shopfloor.runners.ledger import Ledger


def main() -> None:
    notes = Path(os.environ["NOTES"])
    turn = len(list(notes.glob("turn-*.json")))
    note = {
        "argv": sys.argv[1:],
        "prompt": sys.stdin.read(),
        "pid": os.getpid(),
        "env": {name: os.environ[name] for name in os.environ if name.startswith("SHOPFLOOR_")},
    }
    fresh = notes / ".fresh"
    fresh.write_text(json.dumps(note))
    fresh.rename(notes / f"turn-{turn}.json")
    script: list[list[dict[str, Any]]] = json.loads(os.environ["SCRIPT"])
    tell({"type": "start", "session": session_of(sys.argv)})
    for step in script[min(turn, len(script) - 1)]:
        play(step)


def session_of(argv: list[str]) -> str:
    return argv[argv.index("--session") + 1] if "--session" in argv else f"s-{os.getpid()}"


def tell(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def play(step: dict[str, Any]) -> None:
    ((kind, value),) = step.items()
    PLAYS[kind](value)


def hang(_: object) -> None:
    while True:
        signal.pause()


def ask(op: str, args: dict[str, Any]) -> None:
    """Use a tool of the board; what it answers is an event of this program's output."""
    me = identity(os.environ)
    try:
        found = Ledger(me).ask(op, {"id": me.task, **args}, tries_s=30)
        tell({"type": "tool", "name": op, "answer": found})
    except BoardError as refused:
        tell({"type": "tool", "name": op, "answer": refused.message})


PLAYS: dict[str, Callable[[Any], object]] = {
    "say": lambda text: tell({"type": "text", "text": text}),
    "event": tell,
    "ask": lambda asked: ask(*asked),
    "error": lambda text: print(text, file=sys.stderr, flush=True),
    "exit": sys.exit,
    "kill": lambda number: os.kill(os.getpid(), number),
    "deaf": lambda _: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "leave": lambda seconds: subprocess.Popen(["sleep", str(seconds)], start_new_session=True),
    "hang": hang,
}

if __name__ == "__main__":
    main()
