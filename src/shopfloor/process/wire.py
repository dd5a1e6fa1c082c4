"""Messages between the launcher and its helper: plain values with a length in front, over one socket.

The values travel in Python's own encoding: both ends are started from the same files, and every
page that an encoder written in Python touches in the helper is copied once more for each supervisor.

A message may carry descriptors.  They arrive in the order in which they were sent, apart from
the bytes, so the reader keeps them in a queue and each request takes its own from the front.
"""

import marshal
import socket
import struct
from collections import deque
from typing import Any

HEADER = struct.Struct("!I")
NUMBER = struct.Struct("i")
# The newest that every Python of ours reads, should the interpreter be replaced while we run.
ENCODING = 4
# The kernel refuses more than 253 descriptors in one message.
DESCRIPTORS_MAX = 64
# More than this the C library takes from the system anew for each read.
READ_BYTES = 64 * 1024


def pack(message: dict[str, Any]) -> bytes:
    body = marshal.dumps(message, ENCODING)
    return HEADER.pack(len(body)) + body


def send(sock: socket.socket, message: dict[str, Any], descriptors: list[int]) -> None:
    """Send a message with its descriptors; waits while the other end is behind."""
    data = pack(message)
    rights = (
        socket.SOL_SOCKET,
        socket.SCM_RIGHTS,
        struct.pack(f"{len(descriptors)}i", *descriptors),
    )
    sent = sock.sendmsg([data], [rights] if descriptors else [])
    if sent < len(data):
        sock.sendall(data[sent:])


class Reader:
    """What has arrived on one socket: whole messages, and descriptors in their order."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._bytes = bytearray()
        self.descriptors: deque[int] = deque()
        self.ended = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def fill(self) -> None:
        """Take in what is there; `ended` is set when the other end is gone."""
        try:
            data, ancillary, _, _ = self._sock.recvmsg(
                READ_BYTES,
                socket.CMSG_SPACE(DESCRIPTORS_MAX * NUMBER.size),
                getattr(socket, "MSG_CMSG_CLOEXEC", 0),
            )
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data, ancillary = b"", []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = payload[: len(payload) - len(payload) % NUMBER.size]
                self.descriptors.extend(number for (number,) in NUMBER.iter_unpack(whole))
        self._bytes += data
        self.ended = not data

    def take(self) -> dict[str, Any] | None:
        """Return the next whole message; None when more has to arrive first."""
        if len(self._bytes) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._bytes)
        end = HEADER.size + length
        if len(self._bytes) < end:
            return None
        message: dict[str, Any] = marshal.loads(self._bytes[HEADER.size : end])  # noqa: S302 - from our own other end
        del self._bytes[:end]
        return message
