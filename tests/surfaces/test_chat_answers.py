"""What a chat is answered: through the real door of a board in the test's own folder."""

import json
import threading
import time

import pytest

from shopfloor.app.reach import HomeClient
from shopfloor.config import Home
from shopfloor.surfaces.chat import answering, lanes
from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.manual import menu
from shopfloor.surfaces.chat.speech import TEXT_MAX, Speaker, size
from shopfloor.surfaces.cli import catalog, parser
from tests.support.waiting import eventually

COMMANDS = catalog.everything()
SAMPLES = {
    "task": "1",
    "int": "1",
    "float": "1",
    "json": "[]",
    "argv": "true",
    "ms": "1m",
    "s": "1s",
}
ANN = Speaker("irc", "#dev", None, "ann", admin=True)


class Chat:
    """`chat("/list")` says something and returns the answer."""

    def __init__(self, root):
        self.home = Home(root)
        self.asked = 0
        self.answerer = Answerer(
            lambda board: HomeClient(self.home, board),
            board=None,
            environment={"TZ": "UTC"},
            clock=lambda: time.time_ns() // 1_000_000,
        )

    def __call__(self, text, speaker=ANN, request_id=None):
        self.asked += 1
        return self.answerer.answer(text, speaker, request_id or f"request-{self.asked}")

    def json(self, text):
        said = self(f"{text} --json")
        assert said.ok, said.text
        return json.loads(said.text.partition("\n")[0])


@pytest.fixture
def chat(tmp_path):
    return Chat(tmp_path / "home")


def test_a_task_is_made_shown_and_talked_about(chat):
    made = chat("/create Paint the door's frame --priority 3\nin red,\ntwice")
    assert made.ok and "#1 created, ready: Paint the door's frame" in made.text
    shown = chat("/show 1")
    assert shown.table and "in red,\ntwice" in shown.text and "by irc:ann" in shown.text
    assert chat('/comment 1 mind the "glass"').ok
    assert chat.json("/comments 1")[0]["body"] == 'mind the "glass"'
    assert "#1 done" in chat("/kanban complete 1").text


def test_creating_subscribes_the_chat_and_says_so_and_so_does_a_thread(chat):
    assert "this chat will hear what becomes of #1" in chat("/create one").text
    thread = Speaker("irc", "#dev", "t 5", "bob")
    assert "this thread will hear what becomes of #2" in chat("/create two", thread).text
    rows = chat.json("/notify list")["items"]
    assert [row["about"] for row in rows] == ["task:1", "task:2"]
    assert "will hear" in chat("/create three --idempotency-key k").text
    assert "will hear" not in chat("/create three --idempotency-key k").text


def test_work_orders_go_by_their_own_noun_and_are_told_of_too(chat):
    made = chat("/workorders enqueue -- sh -c 'echo it is done'")
    assert made.ok and "this chat will hear what becomes of #1" in made.text
    assert chat.json("/workorders show 1")["order"]["argv"] == ["sh", "-c", "echo it is done"]
    assert "queued" in chat("/workorders list").text
    assert "nothing is waited for" in chat("/order wait 1").text
    assert "/order enqueue" in chat("/workorders").text


def test_the_same_message_handled_again_has_no_second_effect(chat):
    first = chat("/create once", request_id="update-1")
    again = chat("/create once", request_id="update-1")
    assert first.text == again.text
    assert len(chat.json("/list")["items"]) == 1
    assert len(chat.json("/notify list")["items"]) == 1


def test_several_tasks_succeed_or_fail_by_themselves(chat):
    chat("/create one")
    said = chat("/block 1 2 which key do we use")
    assert not said.ok
    assert "#1 blocked" in said.text and "#2: there is no task #2" in said.text
    assert chat.json("/show 1")["task"]["block_reason"] == "which key do we use"


def test_no_file_of_this_machine_is_read_sent_or_written(chat, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the password")
    chat(f"/create look --body @{secret}")
    assert chat.json("/show 1")["task"]["body"] == f"@{secret}"
    chat(f"/comment 1 @{secret}")
    chat("/comment 1 -")
    assert [one["body"] for one in chat.json("/comments 1")] == [f"@{secret}", "-"]
    for text in (f"/attach 1 {secret}", f"/fetch 1 x --output {tmp_path}/stolen", "/fetch 1 x"):
        said = chat(text)
        assert not said.ok and "machine" in said.text, text
    said = chat("/attach 1 http://127.0.0.1:1/secret")
    assert not said.ok and "not in the public network" in said.text
    assert not (tmp_path / "stolen").exists()
    assert "the password" not in chat("/show 1").text


def test_what_cannot_be_undone_is_asked_for_twice(chat):
    chat("/create one")
    said = chat("/delete 1")
    assert not said.ok and "/delete 1 --yes" in said.text
    assert chat("/delete 1 --yes").ok
    assert chat.json("/list")["items"] == []


def test_administration_is_for_administrators(chat):
    ben = Speaker("irc", "#dev", None, "ben")
    for text in (
        "/gc",
        "/board create other",
        "/board remove default --yes",
        "/profile add x --preset claude",
    ):
        said = chat(text, ben)
        assert not said.ok and "administrators" in said.text, text
    assert chat("/gc").ok


def test_what_belongs_to_the_machine_is_named_and_not_done(chat):
    for name in ("up", "down", "doctor", "watch", "completion"):
        said = chat(f"/{name}")
        assert not said.ok and f"shop {name}" in said.text
    assert "followed" in chat("/events --follow").text


def test_a_refusal_advises_in_the_chats_own_words(chat):
    assert chat("/show 5").text == "there is no task #5; `/list` shows what there is"
    assert "/show --help" in chat("/show").text
    assert "no flag --nope" in chat("/list --nope").text
    assert chat("hello").text == answering.NO_COMMAND
    assert "shop up" in chat("/create x").text


def test_a_long_answer_is_cut_and_points_to_the_whole(chat):
    chat("/create big\n" + "a line of the body\n" * 500)
    said = chat("/show 1")
    assert size(said.text) <= TEXT_MAX
    assert said.text.endswith("all of it: shop show 1")


def test_help_lists_every_command_and_explains_each(chat):
    overview = chat("/help").text
    assert size(overview) <= TEXT_MAX
    for command in COMMANDS:
        assert f"/{command.command}" in overview
        told = chat(f"/help {command.command}").text
        assert told.startswith(f"Usage: /{command.command}")
        assert chat(f"/{command.command} --help").text == told
    assert "no command" in chat("/help qqqq").text
    assert "/board list" in chat("/help board").text
    assert chat("/start").text == chat("/kanban").text == overview


def test_the_menu_is_what_a_platform_shows_while_somebody_types():
    names = [name for name, _ in menu()]
    assert names[0] == "help" and len(set(names)) == len(names) == len(COMMANDS) + 1
    assert all(words and "\n" not in words for _, words in menu())


def _word(field):
    return field.choices[0] if field.choices else SAMPLES.get(field.kind, "words")


def sample(command):
    """A message that names the command with words for what it must have."""
    places = [field for field in command.positionals if field.required]
    words = [_word(field) for field in places]
    for field in command.flags:
        words += [field.flag, _word(field)] if field.required else []
    words += ["--yes"] if command.op in parser.CONFIRMED else []
    return " ".join([f"/{command.command}", *words])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_every_command_answers_something_and_raises_nothing(chat, command):
    chat("/create one")
    said = chat(sample(command))
    assert said.text and size(said.text) <= TEXT_MAX
    assert "mistake of the program" not in said.text
    assert "\x1b" not in said.text


def test_a_mistake_of_the_program_is_an_answer_too(tmp_path, capsys):
    def broken(board):
        raise RuntimeError("this door is made of paper")

    answerer = Answerer(broken, board=None, environment={}, clock=lambda: 0)
    said = answerer.answer("/list", ANN, "r")
    assert not said.ok and "made of paper" in said.text
    assert "made of paper" in capsys.readouterr().err


def test_messages_of_a_chat_keep_their_order_and_other_chats_do_not_wait():
    order, go, slow = [], threading.Event(), threading.Event()
    served = lanes.Lanes(patience_s=60)

    def held():
        assert go.wait(90)
        order.append("a1")

    served.put("a", held, slow.set)
    served.put("a", lambda: order.append("a2"), slow.set)
    served.put("b", lambda: order.append("b1"), slow.set)
    eventually(lambda: order == ["b1"])
    assert not served.wait_idle(0.01)
    go.set()
    assert served.wait_idle(90)
    assert order == ["b1", "a1", "a2"] and not slow.is_set()


def test_a_command_that_lasts_says_so_and_lets_the_chat_go_on():
    order, go, slow = [], threading.Event(), threading.Event()
    served = lanes.Lanes(patience_s=0.01)

    def held():
        assert go.wait(90)
        order.append("first")

    served.put("a", held, slow.set)
    served.put("a", lambda: order.append("second"), lambda: None)
    eventually(lambda: order == ["second"])
    assert slow.is_set()
    go.set()
    assert served.wait_idle(90)
    assert order == ["second", "first"]
