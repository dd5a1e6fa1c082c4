"""What an agent may ask beside its verdict: what is new for it."""

from __future__ import annotations

from typing import Annotated

from shopfloor.domain import limits
from shopfloor.domain.errors import Forbidden, Stale
from shopfloor.kernel import notes as noting
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request
from shopfloor.ops.views import CommentView


class ReadInbox(Request, frozen=True, kw_only=True):
    """How much at once."""

    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


@operation(
    "task.inbox",
    "POST /api/v1/runs/own/inbox",
    command="inbox",
    role="worker",
    errors=(Forbidden, Stale),
    tools=("worker", "reviewer"),
    when="Call it when an answer tells you of new comments: people steer your work with them.",
)
def inbox(ctx: Context, req: ReadInbox) -> list[CommentView]:
    """Read what others wrote on the worker's own task since it was told last.

    It is asked by the worker of a run, and each comment is answered once.
    """
    return [CommentView.of(one) for one in noting.inbox(ctx.tx, ctx.caller, req.limit)]
