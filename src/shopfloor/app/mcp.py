"""The tools of this home's workers: their address, and the process behind it.

Nothing is there until tools were asked for once.  Then the address is kept in `mcp.json` of the home
(readable by its user alone) and opened again by every later `shop up`, because workers that outlived the
one before still use it.  The process itself is started when the first agent is about to start, or when
somebody comes to the address.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from shopfloor.config import Home
from shopfloor.ops.context import Endpoint
from shopfloor.process import identity
from shopfloor.process.files import write_atomic
from shopfloor.process.identity import Identity
from shopfloor.process.service import Program, Service

HOST = "127.0.0.1"
BACKLOG = 128
MODULE, NAME = "shopfloor.surfaces.mcp.server", "shop-mcp"
BRIDGE = Path(__file__).resolve().parents[1] / "surfaces" / "mcp" / "stdio.py"
NO_LIBRARY = "agents get no tools, because the `mcp` package is not installed; `shop` does the same"


class Kept(NamedTuple):
    """What `mcp.json` says: the port, and the process that served there last."""

    port: int
    process: Identity | None


class ToolServer:
    """Where the workers of all boards of a home find their tools."""

    def __init__(self, home: Home, *, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._guard = threading.Lock()
        self._listener: socket.socket | None = None
        self._service: Service | None = None
        self._said: str | None = None

    def resume(self) -> None:
        """Open the address that workers from before may still use; nothing if there was none."""
        with self._guard:
            if self._service is None and self._home.mcp.exists():
                self._open()

    def endpoint(self, board: str) -> Endpoint | None:
        """The tools of one board, with the process on its way; None if they cannot be had, which is said."""
        with self._guard:
            if find_spec("mcp") is None:
                return self._tell(NO_LIBRARY)
            try:
                service = self._service or self._open()
            except OSError as wrong:
                return self._tell(f"agents get no tools: no port can be had: {wrong.strerror}")
            if service.trouble is not None:
                return self._tell(f"agents get no tools: {service.trouble}")
            self._said = None
            service.wake()
            assert self._listener is not None
            port = self._listener.getsockname()[1]
        return Endpoint(
            url=f"http://{HOST}:{port}/mcp/{board}",
            stdio=[sys.executable, "-I", "-S", str(BRIDGE), "--home", str(self._home.root)],
        )

    def close(self, *, workers_left: int) -> None:
        """Let go of the address; the process goes on for a while if workers do."""
        with self._guard:
            if self._service is not None:
                self._service.close(leave_running=workers_left > 0)
            if self._listener is not None:
                self._listener.close()
            self._service = self._listener = None

    def _tell(self, why: str) -> Endpoint | None:
        """Say once why there are no tools."""
        if why != self._said:
            self._said = why
            self._say(why)
        return None

    def _open(self) -> Service:
        before = kept(self._home)
        self._listener = _listen(0 if before is None else before.port)
        port = self._listener.getsockname()[1]
        if before is None or before.port != port:
            self._keep(port, None)
        self._service = Service(
            Program(MODULE, NAME, ("--door", str(self._home.socket))),
            self._listener,
            say=self._say,
            started=lambda process: self._keep(port, process),
        )
        # Both share the address for a moment; the one before answers what it has begun, and leaves.
        stop_process(before)
        return self._service

    def _keep(self, port: int, process: Identity | None) -> None:
        told = {"port": port, "process": process}
        with contextlib.suppress(OSError):
            write_atomic(self._home.mcp, json.dumps(told).encode() + b"\n")


def kept(home: Home) -> Kept | None:
    """What the home remembers of its tools' address; None if nothing that can be used."""
    try:
        told = json.loads(home.mcp.read_text(encoding="utf-8"))
        process = told["process"]
        return Kept(int(told["port"]), None if process is None else Identity(*process))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def stop_process(found: Kept | None) -> None:
    """Tell a process that serves tools without its `shop up` to leave."""
    if found is not None and found.process is not None:
        identity.send(found.process, signal.SIGTERM)


def _listen(port: int) -> socket.socket:
    """Listen on this port, or on another one if somebody else has it; 0 is any."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # With both options the address can be shared with the process that leaves, which is ours.
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            listener.bind((HOST, 0))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
