"""Sockets whose time is limited as a whole: a receiver that sends a byte now and then holds nobody up.

Also the one place that decides which addresses may be connected to.  The address that was looked at is
the one that is connected to, so a name that means another machine a moment later gains nothing.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from typing import Any

from typing_extensions import Buffer, override


class Refusal(Exception):
    """Nothing was sent; without `again` another try would end the same way."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.again = again


def connected(host: str, port: int, timeout_s: float, *, refuse_private: bool) -> socket.socket:
    """A connection to the host; raises OSError, or Refusal for an address that may not be used."""
    until = time.monotonic() + timeout_s
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [one for one in found if not refuse_private or _is_public(str(one[4][0]))]
    if not allowed:
        raise Refusal(
            f"{host} is this machine or in a private network, which [notify] private_addresses refuses",
            again=False,
        )
    last: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in allowed:
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


def _is_public(address: str) -> bool:
    """Whether an address is of the public network; one of IPv4 inside IPv6 is what it is inside."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None)
    return bool((inner or found).is_global)


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
