"""The lifecycle table as a page needs it: what a person may do to a task in each status, and where that leads.

Guards are not looked at: a verb that is named here may still be refused, with the sentence that says why.
"""

from __future__ import annotations

from shopfloor.domain.lifecycle import By, Status, Verb, rules_for, verbs_for
from shopfloor.ops.context import Context
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Result

OPERATIONS = {
    Verb.SPECIFY: "task.specify",
    Verb.DECOMPOSE: "task.decompose",
    Verb.PROMOTE_MANUAL: "task.promote",
    Verb.SCHEDULE: "task.schedule",
    Verb.COMPLETE: "task.complete",
    Verb.REQUEST_CHANGES: "task.request_changes",
    Verb.BLOCK: "task.block",
    Verb.UNBLOCK: "task.unblock",
    Verb.RELEASE: "task.reclaim",
    Verb.CANCEL: "task.cancel",
    Verb.REOPEN: "task.reopen",
    Verb.ARCHIVE: "task.archive",
    Verb.UNARCHIVE: "task.unarchive",
    Verb.DELETE: "task.delete",
}


class Move(Result, frozen=True):
    """One operation, and the statuses that it may lead to; none: the task is gone."""

    op: str
    to: list[str]


class StatusMoves(Result, frozen=True):
    """What a person may do to a task in this status."""

    status: str
    moves: list[Move]


@operation(
    "board.lifecycle",
    "GET /api/v1/lifecycle",
    command="",
    kind="read",
    role="anyone",
)
def lifecycle(ctx: Context, req: NoArguments) -> list[StatusMoves]:  # noqa: ARG001 - every operation has one
    """Tell for each status which operations a person may try on a task, and where they lead."""
    return [
        StatusMoves(status, [_move(verb, status) for verb in verbs_for(status, By.PERSON)])
        for status in Status
    ]


def _move(verb: Verb, status: Status) -> Move:
    targets = [rule.target for rule in rules_for(verb, By.PERSON, status)]
    return Move(OPERATIONS[verb], list(dict.fromkeys(str(one) for one in targets if one)))
