"""The bridge of lines against a program that says odd things, confirms late, or not at all."""

import json
import os
import threading
import time

import pytest

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.domain.errors import from_dict
from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.courier import Courier
from shopfloor.surfaces.chat.lanes import Lanes
from shopfloor.surfaces.chat.lines import LinesBridge
from shopfloor.surfaces.cli.client import Ask
from tests.support.waiting import eventually


class Program:
    """The other end of a bridge: says lines, and reads what comes."""

    def __init__(self, root):
        self.home = Home(root)
        self.told = []
        self.said = []
        hears, self._says = os.pipe()
        self._reads, writes = os.pipe()
        self._stdin, self._stdout = os.fdopen(hears, "r"), os.fdopen(writes, "w")
        answerer = Answerer(
            self.connect,
            board=None,
            environment={"TZ": "UTC"},
            clock=lambda: time.time_ns() // 1_000_000,
        )
        bridge = LinesBridge(
            answerer,
            "irc",
            stdin=self._stdin,
            stdout=self._stdout,
            lanes=Lanes(patience_s=60),
            confirm_s=60,
        )
        self._courier = Courier(self.connect, "irc", bridge.deliver, say=self.told.append)
        self._threads = [threading.Thread(target=work) for work in (bridge.run, self._read)]
        for thread in self._threads:
            thread.start()

    def connect(self, board):
        return HomeClient(self.home, board)

    def follow(self):
        """Have the messages of subscriptions brought, too."""
        self._courier.start()

    def raw(self, line):
        os.write(self._says, line + b"\n")

    def say(self, **told):
        self.raw(json.dumps(told).encode())

    def answer(self, number):
        return eventually(lambda: [one for one in self.said if one.get("id") == number])[0]

    def brought(self, chat):
        """The messages that were brought to a chat so far."""
        return [one for one in self.said if "delivery" in one and one["chat"] == chat]

    def ask(self, op, board=None, **args):
        client = self.connect(board)
        try:
            asked = Ask(op, json.dumps(args).encode(), board=board, request_id=os.urandom(9).hex())
            told = json.loads(client.ask(asked))
        finally:
            client.close()
        if "error" in told:
            raise from_dict(told)
        return told["result"]

    def tell(self, chat, board=None):
        """Something happens that a chat wants to hear of."""
        task = self.ask("task.create", board, title=f"for {chat}")["task"]["id"]
        self.ask("subscription.add", board, target=f"chat:irc/{chat}", task=task)
        self.ask("task.complete", board, id=task, summary="done")

    def states(self, board=None):
        return [one["state"] for one in self.ask("delivery.list", board)["items"]]

    def close(self):
        self._courier.stop()
        os.close(self._says)
        self._threads[0].join()
        self._stdout.close()
        self._threads[1].join()
        self._stdin.close()

    def _read(self):
        with os.fdopen(self._reads) as lines:
            for line in lines:
                self.said.append(json.loads(line, parse_constant=pytest.fail))


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path / "home")
    yield program
    program.close()


def test_no_line_ends_the_bridge(program):
    odd = [
        b'{"id":2,"chat":"#a","text":' + b"[" * 100_000,
        b'{"id":NaN,"chat":"#a","text":"/list"}',
        b'{"id":2,"chat":"#a","n":' + b"9" * 5_000 + b"}",
        b'{"delivery":[],"ok":true}',
        b'{"delivery":7,"ok":true,"retry_after_s":' + b"9" * 400 + b"}",
        b'{"chat":["#a"],"text":"/list"}',
    ]
    for line in odd:
        program.raw(line)
    program.say(id=1, chat="half a letter \ud800", thread="\udc00", user="\ud800", text="/list")
    assert program.answer(1)["chat"] == "half a letter \ud800"
    program.say(id=3, chat="#a", text="/create after all that")
    assert program.answer(3)["ok"]


def test_messages_of_two_boards_are_confirmed_each_by_itself(program):
    program.ask("board.create", slug="other")
    program.follow()
    program.tell("#a")
    program.tell("#b", "other")
    [one], [two] = (eventually(lambda chat=chat: program.brought(chat)) for chat in ("#a", "#b"))
    assert one["delivery"] != two["delivery"]
    program.say(delivery=two["delivery"], ok=True)
    eventually(lambda: program.states("other") == ["sent"])
    assert program.states() == ["sending"]
    program.say(delivery=one["delivery"], ok=True)
    eventually(lambda: program.states() == ["sent"])


def test_a_chat_that_confirms_nothing_delays_no_other_and_gets_one_message_at_a_time(program):
    program.follow()
    for _ in range(2):
        program.tell("#silent")
    eventually(lambda: program.brought("#silent"))
    program.tell("#well")
    [well] = eventually(lambda: program.brought("#well"))
    program.say(delivery=well["delivery"], ok=True)
    eventually(lambda: "sent" in program.states())
    [silent] = program.brought("#silent")
    program.say(delivery=silent["delivery"], ok=True)
    eventually(lambda: len(program.brought("#silent")) == 2)


@pytest.mark.parametrize("wait", ["1e999", "1e300", "-5", "true", '"7"', "[]"])
def test_a_wait_that_is_no_time_silences_nobody(program, wait):
    program.follow()
    program.tell("#a")
    [one] = eventually(lambda: program.brought("#a"))
    program.raw(f'{{"delivery":{one["delivery"]},"ok":false,"retry_after_s":{wait}}}'.encode())
    eventually(lambda: [row["error"] for row in program.ask("delivery.list")["items"]] != [None])
    program.tell("#b")
    eventually(lambda: program.brought("#b"))
    assert not [words for words in program.told if "mistake" in words or "board" in words]
