"""Tells the service manager that started this process how far it is: systemd's protocol, one datagram."""

from __future__ import annotations

import socket


def tell(address: str | None, words: str) -> None:
    """Send `READY=1` or `STOPPING=1` to the address in NOTIFY_SOCKET; nobody listens where there is none.

    A manager that does not hear is not worth failing for: it will say so itself.
    """
    if not address:
        return
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.connect(place)
            sender.sendall(words.encode())
        except OSError:
            return
