"""What a sink gets and answers: one stored message, sent once; whether it arrived, and when to try again.

A sink keeps nothing and knows no board.  It ends within its time, it answers instead of raising, and what
it says of a failure holds no secret: `masked` is put around every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from shopfloor.domain.notices import Sent
from shopfloor.process.users_program import one_line

ERROR_CHARS_MAX = 300
# Shorter values stand in too many places that are no secret.
SECRET_CHARS_LEAST = 4


class Attached(NamedTuple):
    """A stored file that goes along."""

    name: str
    path: str
    size: int


class Letter(NamedTuple):
    """A message for one send: `text` is the stored JSON, `message` the same read, `sent_at` in seconds."""

    text: str
    message: Mapping[str, Any]
    attempt: int
    sent_at: int
    files: Sequence[Attached] = ()

    @property
    def key(self) -> str:
        """The same at every send of this message."""
        return str(self.message["id"])

    @property
    def title(self) -> str:
        return str(self.message["title"])

    @property
    def body(self) -> str:
        """The words and the link, as people read them."""
        parts = (self.message["text"], self.message["link"])
        return "\n".join(str(part) for part in parts if part)


class Sink(Protocol):
    """One target, ready to be sent to."""

    def send(self, letter: Letter) -> Sent: ...


class Unusable:
    """A target that cannot be used as the configuration stands; a later try may find it mended."""

    def __init__(self, why: str) -> None:
        self._why = why

    def send(self, letter: Letter) -> Sent:  # noqa: ARG002 - a sink like the others
        return failed(self._why)


class Masked:
    """A sink whose words are cleared of secrets; its mistakes are failures like others."""

    def __init__(self, sink: Sink, secrets: Sequence[str]) -> None:
        self._sink = sink
        self._secrets = sorted(
            {secret for secret in secrets if len(secret) >= SECRET_CHARS_LEAST},
            key=len,
            reverse=True,
        )

    def send(self, letter: Letter) -> Sent:
        try:
            sent = self._sink.send(letter)
        except Exception as mistake:  # noqa: BLE001 - one sink's mistake must not end the sender
            sent = failed(f"a mistake of ours: {mistake!r}")
        words = sent.error
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return sent._replace(error=words)


def failed(error: str, *, retry_after_ms: int | None = None, again: bool = True) -> Sent:
    """A send that did not arrive."""
    words = one_line(error)[:ERROR_CHARS_MAX]
    return Sent(ok=False, error=words, retry_after_ms=retry_after_ms, again=again)


ARRIVED = Sent(ok=True)
