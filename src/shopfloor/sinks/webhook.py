"""Posts the stored message to an address, signed where a secret is configured.

The body is the stored JSON, the same at every send; files that go along stand in it as base64.  What
changes from send to send is in the headers:

    Idempotency-Key         the message's `id`: the same at every send
    Shopfloor-Attempt       which send of this round it is, from 1
    Shopfloor-Timestamp     seconds since the epoch
    Shopfloor-Signature     v1=HEX, HMAC-SHA256 with the secret over `TIMESTAMP.BODY`

An answer of 2xx is an arrival.  A redirect is not followed: the signed message goes to the address that was
named or nowhere.  410 says that nobody will be there again, so it gives up at once; everything else is tried
again, after Retry-After where the answer has one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import string
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from shopfloor import __version__
from shopfloor.domain.addresses import is_public
from shopfloor.domain.notices import Sent
from shopfloor.process.outward import PORTS, Hurried, NotAllowed, reached, words
from shopfloor.sinks.base import ARRIVED, Letter, failed

FILES_BYTES_MAX = 10 * 1024 * 1024
ANSWER_BYTES = 300


class TooLarge(Exception):
    """The files of a message are more than a webhook is sent."""


class Webhook:
    """One address."""

    def __init__(
        self, url: str, *, secret: str | None, timeout_s: float, refuse_private: bool
    ) -> None:
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._refuse_private = refuse_private

    def send(self, letter: Letter) -> Sent:
        """Post the message once."""
        place = urlsplit(self._url)
        where = place.hostname or ""
        try:
            body = _body(letter)
            wire = self._connect(place)
        except TooLarge as refused:
            return failed(str(refused), again=False)
        except NotAllowed:
            return failed(
                f"{where} is this machine or in a private network, which [notify] private_addresses refuses",
                again=False,
            )
        except (OSError, ValueError) as error:
            return failed(f"{where} could not be reached: {words(error)}")
        connection = http.client.HTTPConnection(where, place.port or PORTS[place.scheme])
        connection.sock = wire
        try:
            headers = self._headers(place, letter, body)
            connection.request("POST", _path(place), body=body, headers=headers)
            return _judged(where, connection.getresponse(), letter.sent_at)
        except TimeoutError:
            return failed(f"{where} did not answer within {self._timeout_s:g} s")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return failed(f"{where} broke off: {words(error)}")
        finally:
            wire.hang_up()

    def _connect(self, place: SplitResult) -> Hurried:
        """A connection that is there, and that ends when the time for this send is over."""
        allowed = is_public if self._refuse_private else _anywhere
        return Hurried(reached(place, self._timeout_s, allowed), self._timeout_s)

    def _headers(self, place: SplitResult, letter: Letter, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"shopfloor/{__version__}",
            "Connection": "close",
            "Idempotency-Key": letter.key,
            "Shopfloor-Attempt": str(letter.attempt),
            "Shopfloor-Timestamp": str(letter.sent_at),
        }
        if place.username is not None:
            user = f"{unquote(place.username)}:{unquote(place.password or '')}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(user).decode()}"
        if self._secret:
            headers["Shopfloor-Signature"] = signature(self._secret, letter.sent_at, body)
        return headers


def signature(secret: str, sent_at: int, body: bytes) -> str:
    """What the receiver computes too, from the header with the time and the body as it came."""
    signed = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def _body(letter: Letter) -> bytes:
    """The stored JSON; with files, the same with their content."""
    if not letter.files:
        return letter.text.encode()
    size = sum(file.size for file in letter.files)
    if size > FILES_BYTES_MAX:
        raise TooLarge(
            f"its files have {size} bytes, and a webhook is sent at most {FILES_BYTES_MAX}"
        )
    contents = [
        {**told, "content": base64.b64encode(Path(file.path).read_bytes()).decode()}
        for told, file in zip(letter.message["files"], letter.files, strict=True)
    ]
    return json.dumps({**letter.message, "files": contents}, ensure_ascii=False).encode()


def _path(place: SplitResult) -> str:
    """What is asked for there, in the letters that a request line may have."""
    asked = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
    return quote(asked, safe=string.punctuation)


def _judged(where: str, answer: http.client.HTTPResponse, now_s: int) -> Sent:
    """What an answer means."""
    if 200 <= answer.status < 300:  # noqa: PLR2004 - the class of an HTTP status
        return ARRIVED
    said = f"{where} answered {answer.status} {answer.reason}".rstrip()
    if 300 <= answer.status < 400:  # noqa: PLR2004 - the class of an HTTP status
        return failed(f"{said}; redirects are not followed, so name the address that it leads to")
    told = _beginning(answer)
    return failed(
        f"{said}: {told}" if told else said,
        retry_after_ms=_retry_after_ms(answer.getheader("Retry-After"), now_s),
        again=answer.status != HTTPStatus.GONE,
    )


def _beginning(answer: http.client.HTTPResponse) -> str:
    """The first words of an answer, or none: the status has said what counts, whether more comes or not."""
    try:
        return answer.read(ANSWER_BYTES).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return ""


def _retry_after_ms(given: str | None, now_s: int) -> int | None:
    """How long the receiver asks to wait: seconds, or until a date."""
    if given is None:
        return None
    if given.strip().isascii() and given.strip().isdigit():
        return int(given.strip()[:9]) * 1000
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0, round((until.timestamp() - now_s) * 1000))


def _anywhere(_address: str) -> bool:
    """Whoever named the address may mean this machine."""
    return True
