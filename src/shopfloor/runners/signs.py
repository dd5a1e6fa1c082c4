"""What a failure means: an HTTP status, an error's name, an exit status, with the time of the reset.

Exact signs only.  A message is looked at where the program itself put it into an error's field, and then
only by the expressions of its preset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shopfloor.runners import paths
from shopfloor.runners.report import Failure

SENTENCE_CHARS_MAX = 500
# A larger number is a time in milliseconds; as seconds it would be past the year 5000.
SECONDS_MAX = 100_000_000_000
OVERLOADED = frozenset({500, 502, 503, 504, 529})
BY_STATUS = {
    401: "auth_failed",
    402: "quota",
    403: "auth_failed",
    413: "context_overflow",
    429: "rate_limited",
    **dict.fromkeys(OVERLOADED, "busy"),
}
WORDS = {
    "rate_limited": "the provider's rate limit was reached",
    "quota": "the provider's quota is used up",
    "busy": "the provider is overloaded or away",
    "auth_failed": "the provider refused the login",
    "permission_refused": "the program refused what the task needs",
    "context_overflow": "the agent's context is full",
    "turn_limit": "the program's own limit of steps was reached",
    "session_lost": "the session is not there any more",
    "failed": "the agent program failed",
}
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Sign(NamedTuple):
    """What one event or line says of a failure."""

    status: int | None = None
    code: str = ""
    message: str = ""
    reset_at: int | None = None
    ending: str | None = None


class Meaning:
    """A preset's tables of what signs mean."""

    def __init__(self, output: Mapping[str, Any]) -> None:
        self._codes: Mapping[str, str] = output.get("codes", {})
        self._exits: Mapping[str, str] = output.get("exits", {})
        self._messages = [
            (re.compile(rule["match"]), rule["ending"])
            for rule in output.get("messages", ())
            if "ending" in rule
        ]

    def failure(self, sign: Sign, reset_at: int | None = None) -> Failure:
        """The failure that a sign stands for; what says more goes before what says less."""
        ending = sign.ending or self._codes.get(sign.code) or self._by_message(sign.message)
        ending = ending or BY_STATUS.get(sign.status or 0) or "failed"
        return failure(ending, sign, reset_at)

    def of_exit(self, status: int, last_words: str) -> Failure | None:
        """The failure that an exit status stands for; None for 0."""
        if status == 0:
            return None
        ending = self._exits.get(str(status), "failed")
        return failure(ending, Sign(code=f"exit status {status}", message=last_words), None)

    def _by_message(self, message: str) -> str | None:
        return next((end for pattern, end in self._messages if pattern.search(message)), None)


def failure(ending: str, sign: Sign, reset_at: int | None) -> Failure:
    """A failure with its sentence."""
    status = f"HTTP {sign.status}" if sign.status else sign.code
    said = f" ({status})" if status else ""
    words = f": {short(sign.message)}" if sign.message else ""
    return Failure(ending, f"{WORDS[ending]}{said}{words}", sign.reset_at or reset_at)


def short(message: str) -> str:
    """A message as one line, not too long."""
    line = " ".join(message.split())
    return line if len(line) <= SENTENCE_CHARS_MAX else line[: SENTENCE_CHARS_MAX - 1] + "…"


def of_event(event: Any, rule: Mapping[str, Any], now: int) -> Sign:
    """What a rule of events finds."""
    message = paths.text(event, rule.get("message"))
    found = re.search(rule["pattern"], message) if "pattern" in rule else None
    groups = {} if found is None else {k: v for k, v in found.groupdict().items() if v}
    told = of_groups(groups, rule.get("ending"), now)
    status = paths.first(event, rule.get("status"))
    wait_ms = paths.first(event, rule.get("retry_after_ms"))
    return told._replace(
        status=status if isinstance(status, int) and status > 0 else told.status,
        code=str(paths.first(event, rule.get("code")) or ""),
        message=message,
        reset_at=_time(paths.first(event, rule.get("reset")))
        or _after(paths.first(event, rule.get("retry_after")), now)
        or (now + round(wait_ms) if isinstance(wait_ms, int | float) else None)
        or told.reset_at,
    )


def of_groups(groups: Mapping[str, str], ending: str | None, now: int) -> Sign:
    """What the groups of an expression say."""
    status = groups.get("status", "")
    return Sign(
        int(status) if status.isdecimal() else None,
        "",
        groups.get("message", ""),
        _time(groups.get("reset")) or _after(groups.get("retry_after"), now),
        ending,
    )


def _after(given: object, now: int) -> int | None:
    """The moment that a retry-after means: seconds, or a date of HTTP."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return now + round(given * 1000)
    if not isinstance(given, str):
        return None
    try:
        return now + round(float(given.strip().removesuffix("s")) * 1000)
    except ValueError:
        return _http_date(given)


def _http_date(given: str) -> int | None:
    try:
        return _ms(datetime.strptime(given.strip(), _HTTP_DATE))  # noqa: DTZ007 - the format says GMT
    except ValueError:
        return None


def _time(given: object) -> int | None:
    """The moment that a reset names: seconds or milliseconds since the epoch, or ISO 8601."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return round(given if given > SECONDS_MAX else given * 1000)
    if not isinstance(given, str):
        return None
    if given.strip().isdecimal():
        return _time(int(given))
    try:
        return _ms(datetime.fromisoformat(given.strip()))
    except ValueError:
        return None


def _ms(moment: datetime) -> int:
    """Milliseconds since the epoch; a time without a zone is in UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
