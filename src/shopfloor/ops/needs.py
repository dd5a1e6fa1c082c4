"""What waits for a person: questions, reviews, tasks that were given up or blocked, pauses; and what answers each.

The list says to each thing which operations end the wait and what these still want to be told, so that
the command line, a page and a chat offer the same answers and none keeps a table of its own.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from msgspec import field

from shopfloor.domain import limits, targets
from shopfloor.domain.errors import Invalid
from shopfloor.domain.settings import Settings
from shopfloor.ops.context import Context
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, moment
from shopfloor.store import needs
from shopfloor.store.needs import Cursor, Need

Kind = Literal[
    "question", "review", "gave_up", "blocked", "block_loop", "paused", "account", "delivery"
]
KINDS: tuple[str, ...] = get_args(Kind)


class ListNeeds(Request, frozen=True, kw_only=True):
    """Which of it."""

    kind: Annotated[
        list[str], Arg("Only this kind; may be given again.", flag="--kind", metavar="KIND")
    ] = field(default_factory=list)
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    after: Annotated[str | None, Arg("Go on after this cursor of an earlier page.")] = None


class WayOut(Result, frozen=True):
    """One operation that ends the wait; `wants` names the argument that is still to be given."""

    label: str
    op: str
    args: dict[str, Any]
    command: str
    wants: str | None = None
    destroys: bool = False


class NeedView(Result, frozen=True):
    """One thing that waits for a person, since when, and how it is answered, the usual way first."""

    kind: Kind
    ref: str
    task: int | None
    title: str | None
    status: str | None
    assignee: str | None
    tenant: str | None
    workspace: str | None
    since: datetime
    until: datetime | None
    actor: str | None
    sentence: str
    words: str
    options: list[str]
    default: str | None
    ways: list[WayOut]


class NeedPage(Result, frozen=True):
    """One page of what waits for a person; `counts` and `total` are of all of it."""

    items: list[NeedView]
    total: int
    counts: dict[str, int]
    next: str | None


@operation(
    "board.needs",
    "GET /api/v1/needs",
    command="needs",
    kind="read",
    errors=(Invalid,),
    tools=("orchestrator",),
    when="Use it to see what only a person can decide.",
)
def list_needs(ctx: Context, req: ListNeeds) -> NeedPage:
    """List everything that waits for a person, what waits longest first, with what answers it.

    Questions, reviews that no profile does, tasks that were given up or blocked, tasks that came back
    for the same block again and again, pauses, provider accounts at their limit, and messages that did
    not arrive.
    """
    for kind in req.kind:
        if kind not in KINDS:
            raise Invalid(f"{kind!r} is nothing that waits; use one of {', '.join(KINDS)}")
    reviewer = _reviewer(ctx.settings)
    after = None if req.after is None else _cursor(req.after)
    found = needs.listed(
        ctx.tx, reviewer=reviewer, kinds=req.kind or None, after=after, limit=req.limit + 1
    )
    shown = found[: req.limit]
    more = None
    if len(found) > req.limit:
        last = shown[-1]
        more = f"{last.since}:{last.kind}:{last.ref}"
    counts = needs.counts(ctx.tx, reviewer=reviewer)
    total = sum(count for kind, count in counts.items() if not req.kind or kind in req.kind)
    return NeedPage([_view(one) for one in shown], total, counts, more)


def _reviewer(settings: Settings) -> str:
    by_person = settings.dispatch.review == "person" or settings.dispatch.reviewer is None
    return "person" if by_person else "profile"


def _cursor(text: str) -> Cursor:
    at, _, rest = text.partition(":")
    kind, found, ref = rest.partition(":")
    if not (at.isascii() and at.isdigit() and found and kind in KINDS):
        raise Invalid(f"{text!r} is no cursor of this list")
    return Cursor(int(at), kind, ref)


def _view(need: Need) -> NeedView:
    kind: Kind = next(known for known in get_args(Kind) if known == need.kind)
    return NeedView(
        kind=kind,
        ref=need.ref,
        task=need.task_id,
        title=need.title,
        status=need.status,
        assignee=need.assignee,
        tenant=need.tenant,
        workspace=need.workspace,
        since=always(need.since),
        until=moment(need.until),
        actor=_actor(need),
        sentence=_SENTENCES[need.kind](need),
        words=need.words,
        options=json.loads(need.options),
        default=need.default_answer,
        ways=_WAYS[need.kind](need),
    )


def _actor(need: Need) -> str | None:
    """Who asks, works or paused; of a message its target, without what is secret in it."""
    if need.actor and need.kind == "delivery":
        return targets.shown(need.actor)
    return need.actor or None


def _what_is_paused(need: Need) -> str:
    scope, _, name = need.ref.partition(":")
    return {"board": "the board", "lane": f"profile {name!r}", "task": f"#{name}"}[scope]


_SENTENCES: dict[str, Callable[[Need], str]] = {
    "question": lambda need: f"{need.actor} asks: {need.words}",
    "review": lambda need: f"it waits for a person's review{_told(need.words)}",
    "gave_up": lambda need: need.words or "it was given up",
    "blocked": lambda need: f"it is blocked ({need.block_kind}): {need.words}",
    "block_loop": lambda need: (
        f"it was blocked for the same reason again and again{_told(need.words)}"
    ),
    "paused": lambda need: f"{_what_is_paused(need)} is paused: {need.words}",
    "delivery": lambda need: f"a message to {_actor(need)} did not arrive: {need.words}",
    "account": lambda need: f"the account {need.ref!r} reached its limit: {need.words}",
}


def _told(words: str) -> str:
    return f": {words}" if words else ""


def _question(need: Need) -> list[WayOut]:
    args = {"id": need.task_id, "question": int(need.ref)}
    command = f"shop answer {need.task_id} TEXT --question {need.ref}"
    return [WayOut("Answer", "task.answer", args, command, wants="answer")]


def _review(need: Need) -> list[WayOut]:
    number = {"id": need.task_id}
    back = f"shop request-changes {need.task_id} REASON"
    return [
        WayOut("Approve", "task.complete", number, f"shop complete {need.task_id}"),
        WayOut("Return", "task.request_changes", number, back, wants="reason"),
    ]


def _blocked(need: Need) -> list[WayOut]:
    number = {"id": need.task_id}
    say = f"shop comment {need.task_id} TEXT"
    return [
        WayOut("Let it go on", "task.unblock", number, f"shop unblock {need.task_id}"),
        WayOut("Comment", "task.comment", number, say, wants="body"),
        WayOut("Complete", "task.complete", number, f"shop complete {need.task_id}"),
        WayOut("Cancel", "task.cancel", number, f"shop cancel {need.task_id}", destroys=True),
    ]


def _gave_up(need: Need) -> list[WayOut]:
    again, *others = _blocked(need)
    return [WayOut("Try again", again.op, again.args, again.command), *others]


def _block_loop(need: Need) -> list[WayOut]:
    number = {"id": need.task_id}
    say = f"shop comment {need.task_id} TEXT"
    return [
        WayOut(
            "Take it up again",
            "task.specify",
            {**number, "by": "hand"},
            f"shop specify {need.task_id} --by hand",
        ),
        WayOut("Comment", "task.comment", number, say, wants="body"),
        WayOut("Cancel", "task.cancel", number, f"shop cancel {need.task_id}", destroys=True),
    ]


def _paused(need: Need) -> list[WayOut]:
    scope, _, name = need.ref.partition(":")
    args: dict[str, Any] = {}
    words = ""
    if scope == "lane":
        args, words = {"profile": name}, f" --profile {shlex.quote(name)}"
    elif scope == "task":
        args, words = {"ids": [need.task_id]}, f" {name}"
    return [WayOut("Resume", "dispatch.resume", args, f"shop resume{words}")]


def _account(need: Need) -> list[WayOut]:
    command = f"shop quota clear {shlex.quote(need.ref)}"
    return [WayOut("Start now", "quota.clear", {"account": need.ref}, command)]


def _delivery(need: Need) -> list[WayOut]:
    args = {"id": int(need.ref)}
    return [
        WayOut("Send again", "delivery.retry", args, f"shop notify retry {need.ref}"),
        WayOut("Dismiss", "delivery.dismiss", args, f"shop notify dismiss {need.ref}"),
    ]


_WAYS: dict[str, Callable[[Need], list[WayOut]]] = {
    "question": _question,
    "review": _review,
    "gave_up": _gave_up,
    "blocked": _blocked,
    "block_loop": _block_loop,
    "paused": _paused,
    "account": _account,
    "delivery": _delivery,
}
