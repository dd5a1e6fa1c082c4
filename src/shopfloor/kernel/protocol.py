"""How a worker reports, in a few lines: the words that every agent reads first.

Each way out is named by the board's tool and by the command that does the same from a shell, because not
every agent program takes tools.
"""

from __future__ import annotations

from shopfloor.domain.model import Task

_HEAD = (
    "## How to report\n\n"
    "What counts is what you tell the board, as your last act: by its tools, or by `shop` in a shell "
    "where you have none."
)
_DONE = "- All is done: `task_complete`, or `shop complete {id} --summary WORDS`."
_REVIEW = "- Somebody should look at it first: `task_request_review`, or `shop request-review {id} WORDS`."
_ASK = "- A person must decide: `task_ask`, or `shop ask {id} QUESTION`. You go on with the answer."
_BLOCK = "- You cannot go on: `task_block`, or `shop block {id} REASON`."
_APPROVE = "- The work is good: `task_complete`, or `shop complete {id} --summary WORDS`."
_CHANGES = "- It is not: `task_request_changes`, or `shop request-changes {id} REASON`."
_LOOK = "The change is in your workspace; `task_diff`, or `shop diff {id}`, shows it where that is a git worktree."
_TAIL = (
    "An agent that ends without one of these has failed, whatever it printed. In long work say now and "
    "then what you do (`task_heartbeat`, or `shop heartbeat {id} WORDS`): a run that is silent for "
    "an hour may be ended. Comments that come meanwhile are in `task_inbox`, or `shop inbox`."
)


def protocol(task: Task, role: str) -> str:
    """The ways out for this role, as Markdown."""
    ways = (
        (_LOOK, _APPROVE, _CHANGES, _ASK) if role == "reviewer" else (_DONE, _REVIEW, _ASK, _BLOCK)
    )
    listed = "\n".join(line.format(id=task.id) for line in ways)
    return "\n\n".join((_HEAD, listed, _TAIL.format(id=task.id)))
