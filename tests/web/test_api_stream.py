"""Events as they come: nothing is missed, and whoever is slow or may not read any more harms nobody."""

import json
import socket
from contextlib import closing

import pytest

from tests.support.waiting import eventually
from tests.support.web import web_of


class Stream:
    """An open event stream, read when the test wants to."""

    def __init__(self, web, query="board=default", **headers):
        self.socket = socket.create_connection((web.host, web.port), timeout=120)
        lines = [f"GET /api/v1/events/stream?{query} HTTP/1.1", "Host: localhost"]
        lines.append(f"Authorization: Bearer {web.shown}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.file = self.socket.makefile("rb")

    def begun(self):
        """Wait until it has begun, so that whatever happens from now on is in it."""
        while line := self.file.readline():
            if line == b"retry: 1000\n":
                return self
        raise ConnectionResetError("it did not begin")

    def next(self):
        """The next message: its kind, its id and its data; None at the end."""
        kind, number = "message", None
        while line := self.file.readline():
            name, _, value = line.strip().partition(b": ")
            if name == b"event":
                kind = value.decode()
            elif name == b"id":
                number = int(value)
            elif name == b"data":
                return kind, number, json.loads(value)
        return None

    def tasks(self, count):
        """The tasks of the next events."""
        return [self.next()[2]["task"] for _ in range(count)]

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def cursor(site):
    return site.home.ask("event.list", limit=1)["last"]


def test_nothing_is_missed_however_often_a_stream_is_cut(site, cursor):
    made, seen, last = [], [], cursor
    for _ in range(6):
        made += [site.home.create("before") for _ in range(3)]
        with closing(Stream(site.web, Last_Event_ID=last)) as stream:
            for _ in range(2):
                _, last, data = stream.next()
                seen.append(data["task"])
            made.append(site.home.create("while it is open"))
    with closing(Stream(site.web, Last_Event_ID=last)) as stream:
        seen += stream.tasks(len(made) - len(seen))
    assert seen == made


def test_without_a_last_event_a_stream_begins_now(site):
    site.home.create("long ago")
    with closing(Stream(site.web).begun()) as stream:
        task = site.home.create("new")
        assert stream.tasks(1) == [task]


def test_a_stream_says_that_events_were_forgotten(site, cursor):
    task = site.home.create("to be forgotten")
    site.home.ask("task.complete", id=task, summary="done")
    site.home.execute(f"UPDATE event SET at = 1 WHERE task_id = {task}")
    site.home.execute(f"UPDATE task SET ended_at = 1, changed_at = 1 WHERE id = {task}")
    assert site.home.ask("admin.gc", event_days=1)["events"] > 0
    with closing(Stream(site.web, Last_Event_ID=cursor)) as stream:
        kind, _, data = stream.next()
        assert (kind, data["after"]) == ("gap", cursor)


def test_a_stream_that_is_ahead_of_its_board_begins_again_from_its_end(site, cursor):
    with closing(Stream(site.web, Last_Event_ID=cursor + 1000)) as stream:
        assert stream.next()[:2] == ("gap", cursor)
        task = site.home.create("after the gap")
        assert stream.tasks(1) == [task]


def test_a_reader_that_takes_nothing_keeps_nobody_else_waiting(site, cursor):
    slow = Stream(site.web, Last_Event_ID=cursor)
    slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with closing(slow), closing(Stream(site.web, Last_Event_ID=cursor)) as stream:
        text = "x" * 60_000
        tasks = [site.home.create("noted") for _ in range(4)]
        made = []
        for task in tasks * 15:
            site.home.ask("task.edit", id=task, body=f"{len(made)}{text}")
            made.append(task)
        assert stream.tasks(len(tasks) + len(made)) == tasks + made
        # It was only slow: what it did not take yet is still to come, in order.
        assert slow.tasks(len(tasks) + len(made)) == tasks + made


def test_a_stream_ends_when_its_token_is_revoked(site):
    secret = site.web.call("token.create", name="listener", role="viewer")["secret"]
    with closing(Stream(site.web.bearer(secret)).begun()) as stream:
        task = site.home.create("heard")
        assert stream.tasks(1) == [task]
        site.home.ask("token.revoke", name="listener")
        assert stream.next() is None


def test_a_board_that_is_not_there_has_no_stream(site):
    with closing(Stream(site.web, "board=unheard")) as stream:
        assert stream.file.readline().startswith(b"HTTP/1.1 404 ")


def test_a_stream_goes_on_when_shop_up_is_replaced(home):
    home.configure("[web]\nport = 0\n")
    daemon = home.up()
    web = web_of(home, daemon)
    with closing(Stream(web).begun()) as stream:
        first = home.create("before")
        assert stream.tasks(1) == [first]
        last = home.ask("event.list", limit=1)["last"]
        daemon.kill()
        second = home.create("while nobody serves")
        home.up()
        third = home.create("after")
    with closing(eventually(lambda: again(web, last))) as stream:
        assert stream.tasks(2) == [second, third]


def again(web, last):
    """A stream that goes on after an event; None while the address is being handed over."""
    try:
        return Stream(web, Last_Event_ID=last).begun()
    except OSError:
        return None
