"""Where messages go: a target is written `SCHEME:REST`, and shown without what may be a secret.

    apprise:URL, apprise:NAME      a service that Apprise knows, or the `url` of the section [sinks.NAME]
    webhook:URL, webhook:NAME      an HTTP address, or the `url` of [sinks.NAME], signed with its `secret`
    command:NAME                   the command `argv` of [sinks.NAME]; never words of who subscribes
    desktop:                       this machine's own notifications
    chat:PLATFORM/CHAT[/THREAD]    a chat, which the platform's bridge serves

In an address `{NAME}` stands for a value of the section [notify.secrets], so that the ledger holds none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from shopfloor.domain.errors import Invalid

SCHEMES: Final = ("apprise", "webhook", "command", "desktop", "chat")
TARGET_CHARS_MAX: Final = 1_000
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CHAT: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}/[^/\s]{1,200}(/[^/\s]{1,200})?")
ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
PLACE: Final = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
WEB: Final = re.compile(
    r"https?://([^/?#\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^\[\]/?#\s@:]+)(:(?P<port>[0-9]{0,5}))?([/?#]|$)"
)
PORT_MAX: Final = 65_535
SHOWN_CHARS: Final = 4


class Target(NamedTuple):
    """One target: how it is reached, and what it is called there."""

    scheme: str
    rest: str

    @property
    def text(self) -> str:
        """As it is written and stored."""
        return f"{self.scheme}:{self.rest}"

    @property
    def sink(self) -> str | None:
        """The name of its section in the configuration, if it has one."""
        named = self.scheme in ("apprise", "webhook", "command") and "://" not in self.rest
        return self.rest if named else None

    @property
    def platform(self) -> str | None:
        """The chat platform whose bridge serves it."""
        return self.rest.partition("/")[0] if self.scheme == "chat" else None


def parse(text: str) -> Target:
    """Read a target; raises Invalid with what would be one."""
    scheme, colon, rest = text.strip().partition(":")
    if not colon or scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in SCHEMES)
        raise Invalid(f"{shown(text)!r} is no target; one begins with {known}")
    if len(text) > TARGET_CHARS_MAX or any(not sign.isprintable() for sign in text):
        raise Invalid(
            f"a target is one line of at most {TARGET_CHARS_MAX} characters without control characters"
        )
    _check(scheme, rest)
    return Target(scheme, rest)


def _check(scheme: str, rest: str) -> None:
    if scheme == "desktop" and rest:
        raise Invalid("the desktop's target is `desktop:` and nothing else")
    if scheme == "chat" and not CHAT.fullmatch(rest):
        raise Invalid("a chat's target is chat:PLATFORM/CHAT or chat:PLATFORM/CHAT/THREAD")
    if scheme == "command" and not NAME.fullmatch(rest):
        raise Invalid(
            "a command's target is command:NAME, with the command in [sinks.NAME] of the configuration"
        )
    if scheme in ("webhook", "apprise") and "://" not in rest and not NAME.fullmatch(rest):
        raise Invalid(
            f"a target is {scheme}: and an address, or the name of a section [sinks.NAME]"
        )
    if scheme == "webhook" and "://" in rest and not _is_web(rest):
        raise Invalid(
            "a webhook's address begins with http:// or https:// and names a host, and a port if it must"
        )


def _is_web(address: str) -> bool:
    """Whether it can be an address of the web; a secret may stand anywhere in it."""
    found = WEB.match(PLACE.sub("1", address))
    return found is not None and int(found["port"] or 0) <= PORT_MAX


def shown(text: str) -> str:
    """The target without what may be a secret: of an address, its scheme, and for a webhook its host.

    The path of a webhook often is its password, and for many services of Apprise the host is.
    """
    scheme, _, rest = text.partition(":")
    address = ADDRESS.fullmatch(rest)
    if scheme not in ("webhook", "apprise") or address is None:
        return text if scheme in SCHEMES else text[:SHOWN_CHARS] + "…" * (len(text) > SHOWN_CHARS)
    protocol, place, tail = address.groups()
    if scheme == "apprise":
        return f"{scheme}:{protocol}://{_mark(place + tail)}"
    host = place.rpartition("@")[2]
    secret = f"{place.rpartition('@')[0]}{tail.strip('/')}"
    return f"{scheme}:{protocol}://{host}{'/' + _mark(secret) if secret else ''}"


def _mark(secret: str) -> str:
    """Stands for a secret, the same for the same one, so that two targets can be told from each other."""
    from hashlib import blake2b  # noqa: PLC0415 - only lists show targets

    return f"…{blake2b(secret.encode(), digest_size=3).hexdigest()}"


def filled(address: str, secrets: Mapping[str, str]) -> str:
    """The address with its secrets in place; raises Invalid for one that is not configured."""

    def value(place: re.Match[str]) -> str:
        if place[1] not in secrets:
            raise Invalid(
                f"the target needs the secret {place[1]!r}, which [notify.secrets] does not have"
            )
        return secrets[place[1]]

    return PLACE.sub(value, address)
