"""One file from the web into a file here: from public addresses, within a size and a time.

A redirect leads to an address that is looked at like the first one.  No proxy is asked, because only who
connects by himself knows to which address.  The bytes go to the disk as they come; the memory that it takes
does not depend on the file.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from shopfloor import __version__
from shopfloor.domain import limits
from shopfloor.domain.addresses import is_public
from shopfloor.domain.errors import Forbidden, Invalid, LimitReached, Refused, Unavailable
from shopfloor.process.outward import PORTS, Allowed, Hurried, NotAllowed, reached, words

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PIECE_BYTES = 64 * 1024
# What may stand in the path and query of a request as it is; all else is spelled in ASCII.
SPELLED = "/?%:@!$&'()*+,;=~-._"


class Downloaded(NamedTuple):
    """What came: the name that the other side gave it, its size and its hash."""

    name: str
    size: int
    sha256: str


def download(
    url: str,
    into: Path,
    *,
    allowed: Allowed = is_public,
    timeout_s: float = limits.DOWNLOAD_S,
    most: int = limits.ATTACHMENT_BYTES_MAX,
) -> Downloaded:
    """Fetch what is at the address into a file; raises Invalid, Forbidden, Refused, LimitReached or Unavailable."""
    until = time.monotonic() + timeout_s
    place = checked(url)
    for _ in range(1 + limits.REDIRECTS_MAX):
        wire = _connected(place, until, allowed)
        try:
            answer = _asked(place, wire)
            if answer.status not in REDIRECTS:
                return _taken(place, answer, into, most)
            place = _next(place, answer)
        except TimeoutError:
            raise Unavailable(f"{place.hostname} did not send it within {timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{place.hostname} broke off: {words(error)}") from None
        finally:
            wire.hang_up()
    raise Refused(
        f"{url} leads from one address to the next more than {limits.REDIRECTS_MAX} times"
    )


def checked(url: str) -> SplitResult:
    """The address in its parts; raises Invalid for one that nothing is fetched from."""
    try:
        place = urlsplit(url)
        port = place.port
    except ValueError as wrong:
        raise Invalid(f"{url!r} is no address: {wrong}") from None
    if place.scheme not in PORTS or not place.hostname or port == 0:
        raise Invalid(f"{url!r} is no address of the web; it begins with http:// or https://")
    if place.username is not None or place.password is not None:
        raise Invalid("an address with a name or password in it is not fetched; attach the file")
    return place


def _connected(place: SplitResult, until: float, allowed: Allowed) -> Hurried:
    host = place.hostname or ""
    left_s = max(until - time.monotonic(), 0.001)
    try:
        made = reached(place, left_s, allowed)
    except NotAllowed:
        raise Forbidden(
            f"{host} is not in the public network, and nothing is fetched from anywhere else; "
            "fetch it yourself and attach the file"
        ) from None
    except (OSError, ValueError) as error:
        raise Unavailable(f"{host} could not be reached: {words(error)}") from None
    return Hurried(made, max(until - time.monotonic(), 0.001))


def _asked(place: SplitResult, wire: Hurried) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(place.hostname or "", place.port or PORTS[place.scheme])
    connection.sock = wire
    wanted = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
    headers = {
        "User-Agent": f"shopfloor/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connection.request("GET", quote(wanted, safe=SPELLED), headers=headers)
    return connection.getresponse()


def _next(place: SplitResult, answer: http.client.HTTPResponse) -> SplitResult:
    """Where a redirect leads."""
    target = answer.getheader("Location")
    if not target:
        raise Refused(f"{place.hostname} answered {answer.status} without a place to go on")
    found = checked(urljoin(place.geturl(), target))
    if place.scheme == "https" and found.scheme != "https":
        raise Refused(f"{place.hostname} leads from https to http, which is not followed")
    return found


def _taken(
    place: SplitResult, answer: http.client.HTTPResponse, into: Path, most: int
) -> Downloaded:
    """Write the answer down as it comes."""
    where = place.hostname
    if answer.status != http.client.OK:
        raise Refused(f"{where} answered {answer.status} {answer.reason}".rstrip())
    if answer.getheader("Content-Encoding", "identity").lower() != "identity":
        raise Refused(f"{where} sends it packed only; fetch it yourself and attach the file")
    # The reader counts this down while it reads.
    announced = answer.length
    too_large = LimitReached(f"an attachment has at most {most // (1 << 20)} MB; this one has more")
    if announced is not None and announced > most:
        raise too_large
    size, digest = 0, hashlib.sha256()
    with into.open("wb") as file:
        while piece := answer.read1(PIECE_BYTES):
            size += len(piece)
            if size > most:
                raise too_large
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if announced is not None and size != announced:
        raise Unavailable(f"{where} broke off after {size} of {announced} bytes")
    return Downloaded(_name(place, answer), size, digest.hexdigest())


def _name(place: SplitResult, answer: http.client.HTTPResponse) -> str:
    """The name that the other side says, or the last part of the address; safe it is made where it is used."""
    headers = Message()
    headers["Content-Disposition"] = answer.getheader("Content-Disposition", "")
    said = headers.get_filename() or unquote(place.path.rstrip("/").rpartition("/")[2])
    return said or place.hostname or ""
