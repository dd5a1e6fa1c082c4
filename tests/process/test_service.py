"""A server program beside the dispatcher: started when needed, again when it fails, given up loudly."""

import socket

import pytest

from shopfloor.app import mcp as tools
from shopfloor.app.mcp import ToolServer, kept
from shopfloor.config import Home
from shopfloor.process.service import FAILURES_BEFORE_TROUBLE, Program, Service
from tests.support.waiting import eventually


@pytest.fixture
def listener():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def service(listener, said, started, module="shopfloor.process.no_such_module"):
    program = Program(module, "shop-test", ())
    return Service(program, listener, say=said.append, started=started.append)


def test_a_program_that_fails_at_once_is_tried_again_and_becomes_a_trouble(listener):
    said, started = [], []
    served = service(listener, said, started)
    assert served.trouble is None
    served.wake()
    eventually(lambda: served.trouble is not None)
    served.close(leave_running=False)
    assert len({process.pid for process in started}) >= FAILURES_BEFORE_TROUBLE
    assert said[0] == "shop-test ended (1) and is started again"
    assert "times in a row" in served.trouble


def test_nothing_is_started_before_somebody_comes(listener):
    said, started = [], []
    served = service(listener, said, started)
    with socket.create_connection(listener.getsockname()):
        eventually(lambda: said)
    served.close(leave_running=False)
    assert started


def test_closing_ends_what_was_never_started_and_what_waits_to_be_tried_again(listener):
    unused = service(listener, [], [])
    unused.close(leave_running=False)
    said: list[str] = []
    failing = service(listener, said, [])
    failing.wake()
    eventually(lambda: said)
    failing.close(leave_running=False)


def test_without_the_library_there_are_no_tools_and_that_is_said_once(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(tools, "find_spec", lambda _name: None)
    server = ToolServer(Home(tmp_path), say=said.append)
    assert server.endpoint("default") is None
    assert server.endpoint("default") is None
    assert said == [tools.NO_LIBRARY]
    assert kept(Home(tmp_path)) is None
    server.close(workers_left=0)


def test_a_broken_program_means_no_tools_until_it_works_again(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(tools, "MODULE", "shopfloor.process.no_such_module")
    server = ToolServer(Home(tmp_path), say=said.append)
    first = server.endpoint("default")
    assert first is not None
    assert first["url"].endswith("/mcp/default")
    eventually(lambda: server.endpoint("default") is None)
    assert any(words.startswith("agents get no tools: shop-mcp ended") for words in said)
    server.close(workers_left=0)
