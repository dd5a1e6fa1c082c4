"""The bridge to Telegram against a scripted server: real HTTP, real polls, a real board behind it."""

import json
import threading
import time
from contextlib import contextmanager

import pytest

from shopfloor.app.chat import InboxFile
from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.domain.errors import BadConfiguration
from shopfloor.domain.settings_chat import Telegram
from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.bot_api import ApiError, BotApi
from shopfloor.surfaces.chat.courier import Courier
from shopfloor.surfaces.chat.lanes import Lanes
from shopfloor.surfaces.chat.speech import TEXT_MAX, Place, size
from shopfloor.surfaces.chat.telegram import TelegramBridge
from shopfloor.surfaces.cli.client import Ask
from tests.support.telegram_server import TOKEN, telegram_server
from tests.support.waiting import eventually

SETTINGS = Telegram(token_env="TOKEN", chats=(7, -100), users=("Cleo", 9), admins=("cleo",))


class Floor:
    """A home, a server, and bridges that come and go."""

    def __init__(self, root, server):
        self.home = Home(root)
        self.server = server
        self.said = []
        self.inbox = root / "inbox.json"

    def connect(self, board):
        return HomeClient(self.home, board)

    def bridge(self, settings=SETTINGS, token=TOKEN, poll_s=1):
        api = BotApi(token, self.server.address)
        answerer = Answerer(
            self.connect,
            board=None,
            environment={"TZ": "UTC"},
            clock=lambda: time.time_ns() // 1_000_000,
        )
        inbox = InboxFile(self.inbox)
        return TelegramBridge(
            api,
            settings,
            answerer,
            inbox,
            say=self.said.append,
            # On a busy machine a command may take long, and nobody is to be told here.
            lanes=Lanes(patience_s=60),
            poll_s=poll_s,
            backoff_s=0.01,
            last_s=1,
        )

    @contextmanager
    def served(self, settings=SETTINGS):
        bridge = self.bridge(settings)
        courier = Courier(self.connect, "telegram", bridge.deliver, say=self.said.append)
        thread = threading.Thread(target=bridge.run)
        thread.start()
        courier.start()
        try:
            yield bridge
        finally:
            courier.stop()
            bridge.stop()
            thread.join()

    def ask(self, op, **args):
        client = self.connect(None)
        try:
            told = json.loads(client.ask(Ask(op, json.dumps(args).encode(), request_id=f"{args}")))
        finally:
            client.close()
        return told["result"]


@pytest.fixture
def floor(tmp_path):
    with telegram_server() as server:
        (tmp_path / "home").mkdir()
        yield Floor(tmp_path / "home", server)


def test_a_message_is_answered_and_confirmed(floor):
    with floor.served():
        update = floor.server.say("/create Paint the door")
        made = floor.server.heard("#1 created")
        assert made["chat_id"] == 7 and "this chat will hear" in made["text"]
        floor.server.confirmed(update)
        eventually(lambda: json.loads(floor.inbox.read_text())["waiting"] == [])
        floor.server.say("/list")
        assert "Paint the door" in floor.server.heard("status")["text"]
    assert "setMyCommands" in floor.server.calls


def test_a_table_is_sent_with_equally_wide_letters_and_a_sentence_is_not(floor):
    with floor.served():
        floor.server.say("/create 😀 one")
        assert "entities" not in floor.server.heard("#1 created")
        floor.server.say("/list")
        listed = floor.server.heard("status")
        [columns] = listed["entities"]
        assert (columns["type"], columns["length"]) == ("pre", size(listed["text"]))
        floor.server.say("/comment 1 well")
        floor.server.say("/show 99")
        assert "entities" not in floor.server.heard("no task #99")


def test_what_happens_to_a_task_comes_to_the_chat_and_thread_that_made_it(floor):
    with floor.served():
        floor.server.say("/create one", chat=-100, thread=5)
        made = floor.server.heard("this thread will hear")
        assert (made["chat_id"], made["message_thread_id"]) == (-100, 5)
        assert made["reply_parameters"]["message_id"]
        floor.ask("task.complete", id=1, summary="it is red now")
        told = floor.server.heard("it is red now")
        assert (told["chat_id"], told["message_thread_id"]) == (-100, 5)
        assert "#1" in told["text"]
        eventually(lambda: _states(floor) == ["sent"])


def _states(floor):
    return [one["state"] for one in floor.ask("delivery.list")["items"]]


def test_numbers_that_begin_anew_after_a_quiet_week_are_heard(floor):
    with floor.served():
        update = floor.server.say("/create one")
        floor.server.heard("#1 created")
        floor.server.confirmed(update)
        eventually(lambda: json.loads(floor.inbox.read_text())["offset"] == 0)
        floor.server.count_from(5)
        floor.server.say("/create two")
        floor.server.heard("#2 created")
    assert floor.server.count("created") == 2


def test_who_is_not_allowed_is_refused_politely_and_once(floor):
    with floor.served():
        floor.server.say("/create mine", chat=8, user=3, name="eve")
        said = floor.server.heard("sorry")
        assert "`chats = [8]`" in said["text"] and "`users = [3]`" in said["text"]
        floor.server.say("/list", chat=8, user=3, name="eve")
        floor.server.say("/list", chat=8, user=1, name="Cleo")
        floor.server.heard("no tasks")
        assert floor.server.count("sorry") == 1
        assert floor.ask("task.list")["items"] == []


def test_without_any_list_nobody_is_heard(floor):
    with floor.served(Telegram(token_env="TOKEN")):
        floor.server.say("/list")
        floor.server.heard("sorry")


def test_administrators_are_named_and_are_heard_everywhere(floor):
    with floor.served():
        floor.server.say("/gc", user=9, name="dora")
        floor.server.heard("for administrators")
        floor.server.say("/gc", chat=55, user=2, name="CLEO")
        floor.server.heard("tasks")


def test_talk_of_a_group_and_commands_to_other_bots_are_left_alone(floor):
    with floor.served():
        floor.server.say("hello all", chat=-100)
        floor.server.say("/list@OtherBot", chat=-100)
        floor.server.push({"message": {"message_id": 1, "chat": {"id": 7}, "photo": []}})
        floor.server.push({"edited_message": {"text": "/list"}})
        last = floor.server.say("/list@floorbot", chat=-100)
        floor.server.heard("no tasks")
        floor.server.confirmed(last)
        assert len(floor.server.sent) == 1
        floor.server.say("hello", chat=7)
        floor.server.heard("begin with a slash")


def test_an_answer_is_sent_again_after_the_time_that_telegram_names(floor):
    floor.server.refuse("sendMessage", 429, retry_after=1)
    floor.server.refuse("sendMessage", 502, 2)
    floor.server.refuse("sendMessage", 0)
    with floor.served():
        floor.server.say("/create once")
        floor.server.heard("#1 created")
    assert floor.server.count("#1 created") == 1
    assert floor.server.calls.count("sendMessage") == 5
    assert len(floor.ask("task.list")["items"]) == 1


def test_an_answer_that_is_refused_for_good_is_let_go_and_said(floor):
    floor.server.refuse("sendMessage", 403)
    with floor.served():
        update = floor.server.say("/create once")
        floor.server.confirmed(update)
        eventually(lambda: any("not taken" in words for words in floor.said))
        floor.server.say("/list")
        floor.server.heard("once")


def test_a_poll_that_fails_is_made_again_and_trouble_is_said_once(floor):
    floor.server.refuse("getUpdates", 502, 4)
    floor.server.refuse("getUpdates", 409)
    floor.server.refuse("getUpdates", 0)
    with floor.served():
        floor.server.say("/list")
        floor.server.heard("no tasks")
    assert len([words for words in floor.said if "getUpdates" in words]) == 1


def test_a_token_that_is_not_taken_ends_the_bridge_and_is_never_shown(floor):
    with pytest.raises(ApiError) as refused:
        floor.bridge(token="4711:wrong").run()
    assert refused.value.status == 401 and "wrong" not in str(refused.value)


def test_nobody_at_the_address_is_told_without_the_token():
    with pytest.raises(ApiError) as lost:
        BotApi("4711:secret", "http://127.0.0.1:9").call("getMe")
    assert lost.value.passes and "secret" not in str(lost.value)


def test_a_delivery_says_what_telegram_said_and_how_long_to_wait(floor):
    bridge = floor.bridge()
    place = Place("7", None)
    floor.server.refuse("sendMessage", 429, retry_after=30)
    sent = bridge.deliver(1, place, {"title": "t"})
    assert (sent.ok, sent.retry_after_s) == (False, 30)
    floor.server.refuse("sendMessage", 403)
    assert "no: 403" in bridge.deliver(1, place, {"title": "t"}).error
    assert "no number" in bridge.deliver(1, Place("dev", None), {"title": "t"}).error
    assert bridge.deliver(1, place, {"title": "t", "text": "x" * 9_000, "link": "l"}).ok
    assert size(floor.server.sent[-1]["text"]) == TEXT_MAX


def test_deliveries_wait_for_telegram_and_come_once(floor):
    """The board retries by its own rule; a person may have it sent at once."""
    with floor.served():
        floor.server.say("/create one")
        floor.server.heard("#1 created")
        floor.server.refuse("sendMessage", 502)
        floor.ask("task.complete", id=1, summary="done at last")
        [row] = eventually(
            lambda: [one for one in floor.ask("delivery.list")["items"] if one["error"]]
        )
        assert "no: 502" in row["error"]
        floor.ask("delivery.retry", id=row["id"])
        floor.server.heard("done at last")
        eventually(lambda: _states(floor) == ["sent"])
    assert floor.server.count("done at last") == 1


def test_what_was_not_answered_when_it_ended_is_answered_by_the_next_one(floor):
    """Telegram forgot the update when the first bridge polled again; the inbox did not."""
    floor.server.refuse("sendMessage", 502, 10_000)
    with floor.served():
        update = floor.server.say("/create once")
        floor.server.confirmed(update)
        eventually(lambda: "sendMessage" in floor.server.calls)
    kept = json.loads(floor.inbox.read_text())
    assert [one["update_id"] for one in kept["waiting"]] == [update]
    floor.server.forgive()
    with floor.served():
        floor.server.heard("#1 created")
    assert floor.server.count("#1 created") == 1
    assert len(floor.ask("task.list")["items"]) == 1


def test_a_message_waits_while_it_cannot_be_kept_and_is_answered_then(floor):
    """As with a full disk: the bridge does not go deaf, and Telegram is not told to forget."""
    floor.inbox = floor.inbox.parent / "later" / "inbox.json"
    with floor.served():
        update = floor.server.say("/create patient")
        eventually(lambda: any("cannot be kept" in said for said in floor.said))
        assert floor.server.sent == []
        floor.inbox.parent.mkdir()
        floor.server.heard("#1 created")
        floor.server.confirmed(update)
    assert floor.server.count("#1 created") == 1


def test_an_update_that_comes_twice_and_one_without_words_are_answered_once(floor):
    with floor.server.changed:
        floor.server.say("/create once")
        floor.server.updates *= 2
        floor.server.say(" \n ")
    with floor.served():
        floor.server.heard("begin with a slash")
        floor.server.heard("#1 created")
        floor.server.confirmed(floor.server.say("/list"))
    assert floor.server.count("#1 created") == 1
    assert json.loads(floor.inbox.read_text())["waiting"] == []


@pytest.mark.parametrize("wait", ["1e999", "-5", "soon", None])
def test_a_wait_that_is_no_time_ends_no_bridge(floor, wait):
    floor.server.refuse("getUpdates", 429, retry_after=wait)
    with floor.served() as bridge:
        floor.server.refuse("sendMessage", 429, retry_after=wait)
        sent = bridge.deliver(1, Place("7", None), {"title": "t"})
        assert not sent.ok and (sent.retry_after_s is None or 0 <= sent.retry_after_s <= 86_400)
        if wait != "1e999":
            floor.server.say("/list")
            floor.server.heard("no tasks")


def test_an_inbox_that_cannot_be_read_is_not_thrown_away(tmp_path):
    path = tmp_path / "inbox.json"
    path.write_text("{")
    with pytest.raises(BadConfiguration, match="cannot be read"):
        InboxFile(path).load()
    assert path.read_text() == "{"
