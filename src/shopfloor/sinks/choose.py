"""From a target and the settings to the sink that serves it."""

from __future__ import annotations

from collections.abc import Mapping

from shopfloor.domain.errors import Invalid
from shopfloor.domain.settings import Settings
from shopfloor.domain.settings_notify import Sink as Named
from shopfloor.domain.targets import Target, filled
from shopfloor.sinks.apprise import Apprise
from shopfloor.sinks.base import Masked, Sink, Unusable
from shopfloor.sinks.programs import Command, Desktop


def sink_for(target: Target, settings: Settings, base: Mapping[str, str]) -> Sink:
    """The sink of a target, as the settings stand now; one that cannot be used says why when it is sent to."""
    notify = settings.notify
    named = settings.sinks.get(target.sink) if target.sink is not None else None
    secrets = [*notify.secrets.values(), notify.webhook_secret or ""]
    if named is not None:
        secrets += [named.secret or "", named.url or "", *named.env.values()]
    try:
        if target.scheme in ("webhook", "apprise"):
            url = _address(target, named, notify.secrets)
            secrets.append(url)
            sink = _of_address(target.scheme, url, named, settings=settings, base=base)
        else:
            sink = _of_program(target, named, base, _timeout_s(named, settings))
    except Invalid as wrong:
        sink = Unusable(wrong.message)
    return Masked(sink, secrets)


def _timeout_s(named: Named | None, settings: Settings) -> float:
    own_ms = None if named is None else named.timeout_ms
    return (own_ms or settings.notify.timeout_ms) / 1000


def _of_program(
    target: Target, named: Named | None, base: Mapping[str, str], timeout_s: float
) -> Sink:
    if target.scheme == "desktop":
        return Desktop(base=base, timeout_s=timeout_s)
    if target.scheme != "command":
        raise Invalid(f"a {target.scheme} is served by its bridge, not from here")
    if named is None:
        raise _unknown(target)
    if not named.argv:
        raise Invalid(f"[sinks.{target.rest}] has no command in argv")
    return Command(named.argv, env=named.env, base=base, timeout_s=timeout_s)


def _of_address(
    scheme: str, url: str, named: Named | None, *, settings: Settings, base: Mapping[str, str]
) -> Sink:
    timeout_s = _timeout_s(named, settings)
    if scheme == "apprise":
        return Apprise(url, base=base, timeout_s=timeout_s)
    from shopfloor.sinks.webhook import Webhook  # noqa: PLC0415 - brings HTTP and TLS, 8 MB

    own = None if named is None else named.secret
    return Webhook(
        url,
        secret=own or settings.notify.webhook_secret,
        timeout_s=timeout_s,
        refuse_private=settings.notify.private_addresses == "refuse",
    )


def _address(target: Target, named: Named | None, secrets: Mapping[str, str]) -> str:
    """The address with its secrets in place."""
    if target.sink is not None and named is None:
        raise _unknown(target)
    url = target.rest if named is None else named.url
    if not url:
        raise Invalid(f"[sinks.{target.rest}] has no address in url")
    return filled(url, secrets)


def _unknown(target: Target) -> Invalid:
    return Invalid(f"the configuration has no section [sinks.{target.sink}]")
