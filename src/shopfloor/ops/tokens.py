"""Tokens: how people and programs of other machines come in, and what was done with them.

They belong to the home, not to a board: one token opens all boards, in the role that it was given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from shopfloor.domain import limits
from shopfloor.domain.access import Entry, Key, Role
from shopfloor.domain.errors import Conflict, Invalid, NotFound, Unavailable
from shopfloor.ops.context import Around
from shopfloor.ops.dispatch import NoArguments
from shopfloor.ops.pages import Paged, page
from shopfloor.ops.registry import operation
from shopfloor.ops.schema import Arg, Request, Result, always, milliseconds, moment

TokenName = Annotated[
    str,
    Arg(
        "Who has it; it is the actor of what is done with it.",
        positional=True,
        min_length=1,
        max_length=limits.NAME_CHARS_MAX,
        pattern=r"^[^\s/][^\n\r/]*$",
    ),
]


class TokenView(Result, frozen=True):
    """A token, without its secret."""

    name: str
    role: str
    creator: str
    created_at: datetime
    expires_at: datetime | None

    @staticmethod
    def of(key: Key) -> TokenView:
        return TokenView(
            key.name, key.role, key.creator, always(key.created_at), moment(key.expires_at)
        )


class NewToken(Result, frozen=True):
    """A token that was made; its secret is shown this once."""

    token: TokenView
    secret: str


class CreateToken(Request, frozen=True, kw_only=True):
    """Whose token, and what it opens."""

    name: TokenName
    role: Annotated[
        Role,
        Arg("viewer may look, operator may do everything with tasks, admin everything."),
    ] = "operator"
    expires_at: Annotated[datetime | None, Arg("It opens nothing after this time.")] = None


@operation(
    "token.create",
    "POST /api/v1/tokens",
    command="token create",
    kind="around",
    errors=(Conflict, Invalid, Unavailable),
    admin=True,
    home=True,
)
def create_token(ctx: Around, req: CreateToken) -> NewToken:
    """Make a token for a person or a program that comes over the network; its secret is shown once."""
    key, secret = ctx.service.access().create(
        req.name, req.role, expires_at=milliseconds(req.expires_at), creator=ctx.caller.name
    )
    return NewToken(TokenView.of(key), secret)


class TokenList(Result, frozen=True):
    """Tokens of the home; `next` is there where more follow."""

    items: list[TokenView]
    next: str | None = None


@operation(
    "token.list",
    "GET /api/v1/tokens",
    command="token list",
    kind="around",
    errors=(Unavailable,),
    admin=True,
    home=True,
)
def list_tokens(ctx: Around, req: Paged) -> TokenList:
    """List who has a token: the role, and until when it is good."""
    everyone = ctx.service.access().tokens()
    found = [TokenView.of(key) for key in page(everyone, req, lambda one: one.name)]
    ends = not found or found[-1].name == everyone[-1].name
    return TokenList(found, None if ends else found[-1].name)


class OneToken(Request, frozen=True):
    """Which token."""

    name: TokenName


@operation(
    "token.revoke",
    "DELETE /api/v1/tokens/{name}",
    command="token revoke",
    kind="around",
    errors=(NotFound, Unavailable),
    admin=True,
    home=True,
)
def revoke_token(ctx: Around, req: OneToken) -> TokenView:
    """Revoke a token: from now on it opens nothing, and neither does a browser that logged in with it."""
    return TokenView.of(ctx.service.access().revoke(req.name, actor=ctx.caller.name))


class LinkView(Result, frozen=True):
    """An address that logs a browser in as administrator, until its time is over."""

    url: str
    expires_at: datetime


@operation(
    "token.link",
    "POST /api/v1/login-links",
    command="token link",
    kind="around",
    errors=(Unavailable,),
    admin=True,
    home=True,
)
def login_link(ctx: Around, req: NoArguments) -> LinkView:  # noqa: ARG001 - every operation has one
    """Make a link that logs a browser in as administrator; it is good for an hour."""
    made = ctx.service.access().link(ctx.caller.name)
    return LinkView(made.url, always(made.expires_at))


class ReadAudit(Request, frozen=True, kw_only=True):
    """Which lines of the audit log."""

    after: Annotated[
        Annotated[int, Meta(ge=0, le=limits.COUNT_MAX)] | None,
        Arg("Only after the line with this number; without it, the newest ones."),
    ] = None
    limit: Annotated[int, Arg("At most so many.", ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT


class AuditView(Result, frozen=True):
    """Who did what over the network: `what` is login, login_refused, logout, refused, link_made, token_created, token_revoked."""

    number: int
    at: datetime
    who: str
    what: str
    role: str | None
    address: str | None
    detail: str

    @staticmethod
    def of(entry: Entry) -> AuditView:
        return AuditView(
            entry.number,
            always(entry.at),
            entry.who,
            entry.what,
            entry.role,
            entry.address,
            entry.detail,
        )


class AuditPage(Result, frozen=True):
    """Lines of the audit log, oldest first; `next` is the cursor to go on with."""

    items: list[AuditView]
    next: str | None


@operation(
    "token.audit",
    "GET /api/v1/audit",
    command="token audit",
    kind="around",
    errors=(Unavailable,),
    admin=True,
    home=True,
)
def audit(ctx: Around, req: ReadAudit) -> AuditPage:
    """Show who came in over the network: logins, refusals, and changes of tokens."""
    found = ctx.service.access().audit(after=req.after, limit=req.limit)
    full = req.after is not None and len(found) == req.limit
    return AuditPage([AuditView.of(one) for one in found], f"{found[-1].number}" if full else None)
