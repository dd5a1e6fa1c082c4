"""The tools as they are served: one line of JSON each, in `tools.jsonl`.

The file is made from the registry by `index.py`, so that the process that serves tools need not load the
operations, the kernel and the store; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("tools.jsonl")


class Tool(NamedTuple):
    """One tool: the operation `op` in a model's words.

    `own_task` says that `id` may be left out for the worker's own task, `file` that a `path` in the workspace
    stands for a name and a content, and `text` names the field of the answer that is shown as it is.
    """

    name: str
    op: str
    audience: list[str]
    writes: bool
    own_task: bool
    file: bool
    text: str | None
    description: str
    schema: dict[str, Any]


def tools() -> dict[str, Tool]:
    """All tools by their operations' names, in the order of the registry."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    found = [Tool(**json.loads(line)) for line in lines]
    return {tool.op: tool for tool in found}
