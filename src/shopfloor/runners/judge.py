"""The judge of a goal: after each turn the board is asked whether the goal is reached.

The board asks the model that is configured for planning: the runner, and the agent's environment, hold no
key of it.  Where no model is configured the agent itself says when it is done.
"""

from __future__ import annotations

from typing import NamedTuple

from shopfloor.domain.errors import BoardError, GuardFailed, Stale
from shopfloor.runners.ledger import Ledger

TRIES = 2
ANSWER_TIMEOUT_S = 600.0
DOOR_AWAY_S = 120.0
OUTCOME_CHARS_MAX = 16_000


class Judgement(NamedTuple):
    """What the judge found, and what should be done next."""

    verdict: str
    reason: str
    next: str = ""


class NoJudge(NamedTuple):
    """There is none: the sentence says why.  `trouble` is false where none is configured."""

    sentence: str
    trouble: bool


def ask(ledger: Ledger, task: int, outcome: str, *, turn: int, turns: int) -> Judgement | NoJudge:
    """What the judge finds of a turn; asked twice where there was trouble."""
    args = {
        "id": task,
        "outcome": outcome[-OUTCOME_CHARS_MAX:] or "(the agent said nothing)",
        "turn": turn,
        "turns": turns,
    }
    words = ""
    for _ in range(TRIES):
        try:
            found = ledger.ask(
                "task.judge", args, tries_s=DOOR_AWAY_S, write=False, answer_s=ANSWER_TIMEOUT_S
            )
        except GuardFailed as missing:
            return NoJudge(missing.message, trouble=False)
        except Stale:
            raise
        except BoardError as failed:
            words = failed.message
            continue
        return Judgement(found["verdict"], found["reason"], found.get("next") or "")
    return NoJudge(
        f"the judge of the goal could not be asked, {TRIES} times: {words}", trouble=True
    )
