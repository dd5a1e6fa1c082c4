"""Who may come in over the network: keys, what each may do, and what is written down of it.

A key is a secret that somebody was given, known here by its hash alone.  There are three kinds: a
`token` is made by name for a person or a program, a `link` logs a browser in, and a `session` is what
the browser has from then on.  What a key may do is its role; a worker's run and token are no key, they
open what the board lets that run do.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["viewer", "operator", "admin"]
KeyKind = Literal["token", "link", "session"]

TOKEN_PREFIX = "shop_"
LINK_MS = 3_600_000
SESSION_MS_MAX = 400 * 86_400_000


class Key(NamedTuple):
    """One secret that opens the boards of a home; `parent` is the token that a session was opened with."""

    id: str
    kind: KeyKind
    name: str
    role: Role
    hash: str
    created_at: int
    expires_at: int | None
    creator: str
    parent: str | None = None

    def expired(self, now: int) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at


class LoginLink(NamedTuple):
    """An address that logs a browser in, until a time."""

    url: str
    expires_at: int


class Entry(NamedTuple):
    """One line of the audit log: who did what, from where, and what came of it."""

    number: int
    at: int
    who: str
    what: str
    role: str | None
    address: str | None
    detail: str


def may(role: Role, *, writes: bool, admin: bool) -> bool:
    """Whether a role may ask an operation: viewers look, operators work, administrators decide who may."""
    if role == "admin":
        return True
    return not admin and (role == "operator" or not writes)
