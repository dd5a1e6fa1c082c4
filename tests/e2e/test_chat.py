"""`shop chat serve` as a process: killed at any moment, it loses nothing, and repeats answers alone."""

import json
import random
import subprocess
import threading
from contextlib import contextmanager

import pytest

from tests.support.telegram_server import TOKEN, telegram_server
from tests.support.waiting import eventually

MESSAGES = 24
KILLS = 6


@pytest.fixture
def server():
    with telegram_server() as server:
        yield server


class Bridge:
    """One `shop chat serve`, its streams in files."""

    def __init__(self, home, number=0):
        self.log = home.folder / f"chat-{number}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(home.python), "-m", "shopfloor", "chat", "serve"],
                env={**home.environment, "TOKEN": TOKEN},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def term(self):
        self.process.terminate()
        return self.process.wait(280)


@contextmanager
def serving(home, number=0):
    bridge = Bridge(home, number)
    try:
        yield bridge
    finally:
        bridge.kill()


def configured(home, server):
    home.configure(
        f'[chat.telegram]\ntoken_env = "TOKEN"\nchats = [7, 8, 9]\napi = "{server.address}"\n'
    )


def test_a_bridge_serves_beside_shop_up_and_ends_when_told(home, server):
    configured(home, server)
    home.up()
    with serving(home) as bridge:
        server.say("/create count -- sh -c 'echo nine'")
        assert "this chat will hear" in server.heard("#1 created")["text"]
        assert server.heard("completed")["chat_id"] == 7
        assert bridge.term() == 0
        assert "stopped" in bridge.log.read_text()
        assert TOKEN not in bridge.log.read_text()
    home.becomes(1, "done")


def test_a_bridge_that_is_killed_after_it_answered_repeats_the_answer_once_and_the_work_never(
    home, server
):
    configured(home, server)
    home.up()
    with serving(home) as bridge, server.held("sendMessage"):
        server.say("/create once")
        server.heard("#1 created")
        bridge.kill()
    with serving(home, 1):
        server.heard("#1 created", times=2)
        server.say("/list")
        server.heard("once", times=3)
    assert server.count("#1 created") == 2
    assert [one["title"] for one in home.ask("task.list")["items"]] == ["once"]


def test_a_message_that_was_sent_and_not_reported_comes_once_more_and_no_work_is_done_for_it(
    home, server
):
    configured(home, server)
    home.up()
    with serving(home) as bridge:
        server.say("/create one")
        server.heard("#1 created")
        with server.held("sendMessage"):
            home.ask("task.complete", id=1, summary="the only end")
            server.heard("the only end")
            bridge.kill()
    # As if a minute had passed.
    home.execute("UPDATE delivery SET lease_until = 1 WHERE state = 'sending'")
    with serving(home, 1):
        server.heard("the only end", times=2)
        eventually(lambda: home.ask("delivery.list")["items"][0]["state"] == "sent")
    assert server.count("the only end") == 2
    assert home.outcomes(1) == ["completed"]


def test_a_bridge_that_is_killed_again_and_again_does_each_message_once(home, server):
    configured(home, server)
    home.up()
    chance = random.Random(4711)
    writing = threading.Thread(
        target=lambda: [server.say(f"/create job-{n:02}", chat=7 + n % 3) for n in range(MESSAGES)]
    )
    for number in range(KILLS):
        with serving(home, number) as bridge:
            seen = len(server.calls)
            if number == 1:
                writing.start()
            more = seen + chance.randrange(2, 9)
            eventually(lambda more=more: len(server.calls) >= more)
            bridge.kill()
    with serving(home, KILLS):
        for n in range(MESSAGES):
            server.heard(f": job-{n:02}\n")
    writing.join()
    titles = sorted(one["title"] for one in home.ask("task.list", limit=100)["items"])
    assert titles == [f"job-{n:02}" for n in range(MESSAGES)]
    assert len(home.ask("subscription.list")["items"]) == MESSAGES
    # A kill may fall between an answer and its note, of one message in each of the three chats.
    repeated = sum(server.count(f": job-{n:02}\n") - 1 for n in range(MESSAGES))
    assert repeated <= KILLS * 3


def test_two_bridges_of_a_bot_are_refused_and_mistakes_are_told(home, server):
    assert "no section [chat.telegram]" in home.shop("chat", "serve").stderr
    configured(home, server)
    assert "TOKEN is not set" in home.shop("chat", "serve").stderr
    wrong = home.shop("chat", "serve", TOKEN="4711:wrong")
    assert wrong.returncode == 78
    assert "does not take" in wrong.stderr and "4711:wrong" not in wrong.stderr
    home.configure('[chat.telegram]\ntoken_file = "/nowhere"\n')
    assert "/nowhere cannot be read" in home.shop("chat", "serve").stderr
    home.configure('[chat.telegram]\nchatts = [1]\ntoken_file = "x"\n')
    assert "did you mean 'chats'" in home.shop("chat", "serve").stderr


def test_the_bridge_of_lines_answers_and_brings_what_was_subscribed_to(home):
    home.up()
    process = subprocess.Popen(
        [str(home.python), "-m", "shopfloor", "chat", "serve", "lines", "--platform", "irc"],
        env=home.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def say(**told):
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()

    def hear():
        """The next answer; that one follows is no answer yet."""
        while (told := json.loads(process.stdout.readline())).get("more"):
            pass
        return told

    try:
        say(id=1, chat="#dev", user="ann", text="/create one")
        made = hear()
        assert (made["id"], made["chat"], made["ok"]) == (1, "#dev", True)
        assert "this chat will hear what becomes of #1" in made["text"]
        home.ask("task.complete", id=1, summary="well done")
        told = hear()
        assert (told["chat"], told["task"]) == ("#dev", 1) and "well done" in told["text"]
        say(delivery=told["delivery"], ok=True)
        eventually(lambda: home.ask("delivery.list")["items"][0]["state"] == "sent")
        process.stdin.write("no json\n[1]\n")
        say(id=2, chat="#dev")
        assert [hear()["ok"] for _ in range(3)] == [False] * 3
        say(id=3, chat="#dev", text="/gc")
        assert "administrators" in hear()["text"]
        say(id=4, chat="#dev", text="/gc", admin=True)
        assert hear()["ok"]
        process.stdin.close()
        assert process.wait(280) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
