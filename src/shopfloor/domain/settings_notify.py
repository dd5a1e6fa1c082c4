"""What can be set for messages: the tables `[notify]` and `[sinks.NAME]`, with their words.

Secrets of targets stand here and nowhere else.  The same rules hold as for `settings.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from shopfloor.domain.words import Words


class Notify(NamedTuple):
    """How messages are sent."""

    secrets: Annotated[
        Mapping[str, str],
        Words("Values for `{NAME}` in the addresses of targets, so that no board holds them."),
    ] = MappingProxyType({})
    webhook_secret: Annotated[
        str | None,
        Words("Signs what goes to webhooks that have no section of their own.", "not signed"),
    ] = None
    private_addresses: Annotated[
        Literal["allow", "refuse"],
        Words("Whether a webhook's host may be this machine or one of a private network."),
    ] = "allow"
    timeout_ms: Annotated[int, Words("How long one send may take.")] = 15_000


class Sink(NamedTuple):
    """A target with a name: a command, or an address with its secret."""

    name: str
    argv: Annotated[
        tuple[str, ...],
        Words("For `command:NAME`: the program and its arguments; the message comes as JSON."),
    ] = ()
    env: Annotated[
        Mapping[str, str], Words("Variables of that program; their values are never shown.")
    ] = MappingProxyType({})
    url: Annotated[
        str | None,
        Words("For `webhook:NAME` and `apprise:NAME`: the address, which is never shown.", "none"),
    ] = None
    secret: Annotated[
        str | None,
        Words("For `webhook:NAME`: signs what goes there.", "`notify.webhook_secret`"),
    ] = None
    timeout_ms: Annotated[
        int | None, Words("How long one send may take.", "as `[notify]` says")
    ] = None
