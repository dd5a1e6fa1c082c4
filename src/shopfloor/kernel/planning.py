"""Questions to a model about a task: written down before they are asked, so that none is asked for ever.

A question costs money.  So each kind has a budget a task, which a crash in the middle uses up like an answer,
and a text that was answered is not asked about again.
"""

from __future__ import annotations

from shopfloor.domain.caller import Caller
from shopfloor.domain.errors import GuardFailed, LimitReached
from shopfloor.domain.lifecycle import Verb
from shopfloor.kernel.verbs import would
from shopfloor.store import plannings
from shopfloor.store.db import Tx

ANSWERED, FAILED = "answered", "failed"
_LEADS_TO = {"specify": Verb.SPECIFY, "split": Verb.DECOMPOSE}


def begin(tx: Tx, caller: Caller, task_id: int, *, verb: str, digest: str, attempts: int) -> int:
    """Write down that a model is asked; answers the question's number.

    Raises what the verb itself would, so that nothing is paid for in vain; GuardFailed for a text that was
    answered before, LimitReached when the task's budget of questions is spent.
    """
    would(tx, caller, _LEADS_TO[verb], task_id)
    earlier = plannings.of(tx, task_id, verb)
    if any(one.digest == digest and one.outcome == ANSWERED for one in earlier):
        raise GuardFailed(
            f"the model has answered about #{task_id} as it stands, and nothing changed since; edit the"
            f" task, or give the words yourself with `shop {_LEADS_TO[verb]}`"
        )
    if len(earlier) >= attempts:
        raise LimitReached(
            f"the model was asked {len(earlier)} times about #{task_id}, and planner.attempts_per_task"
            f" allows {attempts}; give the words yourself with `shop {_LEADS_TO[verb]}`"
        )
    return plannings.add(tx, task_id=task_id, verb=verb, digest=digest, actor=caller.name)
