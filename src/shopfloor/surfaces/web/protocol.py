"""HTTP/1.1 as uvicorn speaks it, with what it leaves out: a time within which a request's head must be there.

Whoever opens a connection, or has begun a request, and does not finish its head is parted from; without this a
few hundred silent connections would be all that can be had.  An application may also have a connection
dropped at once, whatever is still to be sent on it (`abort`), and ask how long its visitor is waited for (`patience_s`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from shopfloor.domain.limits import WEB_PATIENCE_MS

HEAD_BYTES_MAX = 32 * 1024
ABORT = "shopfloor.abort"
PATIENCE = "shopfloor.patience"


class Protocol(H11Protocol):
    """One connection; `patient` makes the kind that waits as long as is set."""

    patience_s = WEB_PATIENCE_MS / 1000
    # typing.override came with Python 3.12.
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override, explicit-override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, ABORT: transport.abort, PATIENCE: self.patience_s}
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # type: ignore[explicit-override]
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:  # type: ignore[explicit-override]
        super().data_received(data)
        if self._resting:
            # Bytes have come and no request: its head has begun.
            self._watch()
        else:
            self._unwatch()

    @property
    def _resting(self) -> bool:
        # There is none before the first request, whatever its type says.
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def _watch(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.patience_s / 3, self._part)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _part(self) -> None:
        self._deadline = None
        if self._resting and not self.transport.is_closing():
            self.transport.abort()


def patient(patience_s: float) -> type[Protocol]:
    """Connections whose visitors are waited for so long."""
    return type("Protocol", (Protocol,), {"patience_s": patience_s})


def patience_s(scope: Any) -> float:
    """How long the visitor of a request is waited for."""
    return float(scope["state"][PATIENCE])


def abort(scope: Any) -> None:
    """Drop the connection that a request came over."""
    drop = scope["state"].get(ABORT)
    if drop is not None:
        drop()
