"""What the runner itself says to an agent: a pointer to its task, a reminder, a next turn, news.

Short and plain: what the task is and how it ends is in the context, which the ledger writes.  Tools are
named without their full name, because each program puts something of its own in front.
"""

from __future__ import annotations

from shopfloor.runners.brief import Brief

GO_ON = "You were interrupted by a limit of the model's provider, which is over now. Go on where you were."


def pointer(brief: Brief) -> str:
    """Where the task is, for an argument list that anybody may see."""
    return (
        f"You are a worker of a work board. Your task is in the file {brief.context}: read all of it first, "
        "then do what it says and end the task as it says."
    )


def skills(brief: Brief) -> str:
    """The skills to use, for a program that has no option for them."""
    if not brief.skills or "skills" in brief.preset.get("options", {}):
        return ""
    return f"\n\nUse these skills: {', '.join(brief.skills)}."


def reminder(brief: Brief) -> str:
    """What is asked of an agent that ended its turn without a verdict."""
    number = brief.task
    if brief.role == "reviewer":
        done = (
            f"approve it with the board's task_complete tool (in a shell: `shop complete {number} --summary "
            "'what you looked at'`), or send it back with task_request_changes (`shop request-changes "
            f"{number} 'what must change'`)"
        )
    else:
        done = (
            "if the work is done, say so now with the board's task_complete tool (in a shell: `shop complete "
            f"{number} --summary 'what you did'`)"
        )
    return (
        f"You ended your turn, but the board has no verdict of yours on task #{number}, so it would be worked "
        f"on again. Please end it: {done}; if something is missing that only others can give, say it with "
        f"task_block (`shop block {number} 'what is missing'`). If work is left, do it first."
    )


def goal(brief: Brief) -> str:
    """What a goal's agent is told beside its context."""
    assert brief.goal is not None
    return (
        f"\n\nThis task is a goal: work towards it in turns, at most {brief.goal.turns}. After each turn it is "
        "judged whether the goal is reached; end your turn when you have reached it or a good part of it, and "
        "say what you did and what is left."
    )


def next_turn(reason: str, step: str) -> str:
    """The next turn of a goal."""
    words = f"The goal is not reached yet: {reason}" if reason else "The goal is not reached yet."
    return f"{words}\n\nNext: {step}" if step else f"{words}\n\nGo on."


def again(brief: Brief, news: str) -> str:
    """The pointer again, for a session that could not be gone on with, with the news for it."""
    return f"{pointer(brief)}\n\n{news}"
