"""The door of a host: everyone's requests over one Unix socket, each answered after its commit.

A request is one line of JSON, and so is its answer; a connection asks one thing at a time.  Every
connection has a thread that waits for the board's one writing thread, so that requests of several
connections end up in one commit.  The socket belongs to this user alone (mode 0600).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from shopfloor.domain.errors import BoardError, LimitReached, Unavailable
from shopfloor.domain.limits import REQUEST_BYTES_MAX
from shopfloor.ops.call import Envelope, call, error_bytes
from shopfloor.ops.context import Service
from shopfloor.ops.schema import decode

CONNECTIONS_MAX = 512
READ_BYTES = 1 << 16
UNAVAILABLE = b'{"error":{"code":"unavailable"'


class Door:
    """Listens on a socket and answers with what `open_service` finds for a board's name."""

    def __init__(
        self,
        path: Path,
        open_service: Callable[[str | None], Service],
        *,
        report: Callable[[str], None],
    ) -> None:
        self._path = path
        self._open_service = open_service
        self._report = report
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._closing = False
        self._socket = self._listen()
        self._thread = threading.Thread(target=self._accept, name="door", daemon=True)
        self._thread.start()

    def _listen(self) -> socket.socket:
        """Bind beside the old socket and rename over it, so that a path always leads to a listener."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh = self._path.with_name(f".{self._path.name[:8]}{os.getpid()}")
        fresh.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(str(fresh))
        except OSError as wrong:
            listening.close()
            raise Unavailable(f"the socket {self._path} cannot be made: {wrong.strerror}") from None
        finally:
            os.umask(before)
        listening.listen(128)
        fresh.rename(self._path)
        return listening

    def close(self) -> None:
        """Accept nobody more; answer what was asked, then part from everyone."""
        self._closing = True
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if not self._free.acquire(blocking=False):
                with contextlib.suppress(OSError), connection:
                    busy = Unavailable(f"the door serves {CONNECTIONS_MAX} connections already")
                    connection.sendall(error_bytes(busy) + b"\n")
                continue
            with self._guard:
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection,), name="visitor", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._converse(connection)
        except OSError:
            return  # the visitor left; what it asked was carried out and can be asked for again
        finally:
            with self._guard:
                self._connections.discard(connection)
            self._free.release()

    def _converse(self, connection: socket.socket) -> None:
        rest = b""
        while True:
            parts, size = [rest], len(rest)
            while b"\n" not in parts[-1]:
                if size > REQUEST_BYTES_MAX:
                    refused = LimitReached(f"a request has at most {REQUEST_BYTES_MAX} bytes")
                    connection.sendall(error_bytes(refused) + b"\n")
                    return
                data = connection.recv(READ_BYTES)
                if not data:
                    return
                parts.append(data)
                size += len(data)
            line, _, rest = b"".join(parts).partition(b"\n")
            answer = self._answer(line)
            if self._closing and answer.startswith(UNAVAILABLE):
                return  # nothing was changed: the visitor asks the next door, or becomes it
            connection.sendall(answer + b"\n")

    def _answer(self, line: bytes) -> bytes:
        try:
            envelope = decode(line, Envelope)
            return call(self._open_service(envelope.board), envelope)
        except BoardError as refused:
            return error_bytes(refused)
        except Exception as mistake:  # noqa: BLE001 - the outermost frame: one visitor's trouble is not another's
            self._report(f"a request failed by a mistake of ours: {mistake!r}")
            ours = BoardError("the request failed by a mistake of the program; its log says more")
            return error_bytes(ours)
