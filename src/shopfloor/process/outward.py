"""Connections to other machines: to which addresses, and for how long as a whole.

The address that was looked at is the one that is connected to, so a name that means another machine a
moment later gains nothing.  The other side holds nobody up by sending a byte now and then.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult

from typing_extensions import Buffer, override

Allowed = Callable[[str], bool]
PORTS = {"http": 80, "https": 443}


class NotAllowed(Exception):
    """The host has no address that may be connected to."""


def reached(place: SplitResult, timeout_s: float, allowed: Allowed) -> socket.socket:
    """A connection to a server of the web, secured where its address says so; raises what `connected` raises."""
    host = place.hostname or ""
    made = connected(host, place.port or PORTS[place.scheme], timeout_s, allowed)
    return _secured(made, host) if place.scheme == "https" else made


def connected(host: str, port: int, timeout_s: float, allowed: Allowed) -> socket.socket:
    """A connection to the host; raises OSError, or NotAllowed where none of its addresses is allowed."""
    until = time.monotonic() + timeout_s
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    usable = [one for one in found if allowed(str(one[4][0]))]
    if not usable:
        raise NotAllowed(host)
    last: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in usable:
        made = socket.socket(family, kind, protocol)
        made.settimeout(max(until - time.monotonic(), 0.001))
        try:
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
        else:
            return made
    raise last


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """The connection made secure: the other side has shown that it is the host."""
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def words(error: Exception) -> str:
    """An error of the network in words, without its number."""
    if isinstance(error, TimeoutError):
        return "no connection came about in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


class Hurried:
    """A socket for one exchange, as `http.client` uses one; every step has what is left of the time."""

    def __init__(self, sock: socket.socket, timeout_s: float) -> None:
        self._sock = sock
        self._until = time.monotonic() + timeout_s

    def _left(self) -> socket.socket:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock

    def sendall(self, data: Buffer) -> None:
        self._left().sendall(data)

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        assert mode == "rb", "an answer is read"
        return io.BufferedReader(_Reading(self))

    def receive_into(self, buffer: memoryview) -> int:
        return self._left().recv_into(buffer)

    def close(self) -> None:
        """Nothing: the connection is done with before its answer is read, and `hang_up` ends both."""

    def hang_up(self) -> None:
        """End the exchange."""
        self._sock.close()


class _Reading(io.RawIOBase):
    """What is received, as a file."""

    def __init__(self, hurried: Hurried) -> None:
        self._hurried = hurried

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        return self._hurried.receive_into(memoryview(buffer))
