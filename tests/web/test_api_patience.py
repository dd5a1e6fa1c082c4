"""How long the web waits for who does not go on: set short here, so that nobody has to wait for it."""

import contextlib
import socket
from contextlib import closing

import pytest

from tests.support.waiting import eventually
from tests.web.test_api_stream import Stream


@pytest.fixture(scope="module")
def configuration() -> str:
    return '[web]\nport = 0\npatience = "6s"\n'


def test_who_takes_nothing_is_cut_off_and_goes_on_later(site):
    """More than any buffer on the way holds; written beside the door, which takes no events that large."""
    cursor = site.web.call("event.list", limit=1)["last"]
    task = site.home.create("with a lot to tell")
    site.home.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
        " INSERT INTO event (task_id, kind, actor, at, data)"
        f" SELECT {task}, 'commented', 'x', 1, json_object('text', hex(zeroblob(30000))) FROM n"
    )
    slow = Stream(site.web, Last_Event_ID=cursor)
    with closing(slow):

        def streams():
            lines = site.web.get("/metrics").body.decode().splitlines()
            return [line for line in lines if line.startswith("shopfloor_event_streams ")]

        slow.begun()
        eventually(lambda: streams() == ["shopfloor_event_streams 0"])
        seen = heard(slow)
    assert len(seen) < 301
    # On a slow machine this one is cut off, too.
    while len(seen) < 301:
        with closing(Stream(site.web, Last_Event_ID=max(seen, default=cursor))) as stream:
            seen += heard(stream, 301 - len(seen))
    assert seen == list(range(cursor + 1, cursor + 302))


def heard(stream, most=301):
    """The numbers of the events that come until the end of a stream, or so many."""
    seen = []
    with contextlib.suppress(OSError, ValueError):
        while len(seen) < most and (message := stream.next()):
            seen.append(message[1])
    return seen


def test_who_does_not_finish_a_request_is_parted_from(site):
    """A head that does not end, a body that does not come, and nothing at all."""
    authorised = f"Host: localhost\r\nAuthorization: Bearer {site.web.shown}\r\n"
    body = f"POST /api/v1/tasks HTTP/1.1\r\n{authorised}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    begun = [b"", b"GET / HTTP/1.1\r\nHost: loc", body.encode()]
    open_ones = [
        socket.create_connection((site.web.host, site.web.port), timeout=120) for _ in begun
    ]
    for connection, data in zip(open_ones, begun, strict=True):
        connection.sendall(data)
    told = []
    for connection in open_ones:
        with closing(connection):
            told.append(connection.recv(65536))
    assert told[:2] == [b"", b""]
    assert told[2].startswith(b"HTTP/1.1 408 ")
