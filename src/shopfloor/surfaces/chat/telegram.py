"""The bridge to Telegram: long polling, an answer to each message, messages of subscriptions.

What Telegram has handed over it forgets with the next poll, so each batch is kept (`Inbox`) before that.
A message is struck out when its answer was sent.  After a crash those that are left are handled again, with
the request id that they had: their effect is not repeated, and an answer once for each crash at most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from shopfloor.domain.settings_chat import Telegram
from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.bot_api import ApiError, BotApi
from shopfloor.surfaces.chat.courier import Sent, written
from shopfloor.surfaces.chat.lanes import Lanes
from shopfloor.surfaces.chat.manual import menu
from shopfloor.surfaces.chat.speech import TEXT_MAX, Answer, Place, Speaker, size, within

T = TypeVar("T")

PLATFORM: Final = "telegram"
POLL_S: Final = 50
BACKOFF_FIRST_S: Final = 1.0
BACKOFF_MAX_S: Final = 30.0
REFUSED_EVERY_S: Final = 60.0
REFUSED_MAX: Final = 1_000
MENU_MAX: Final = 100
MENU_NAME_MAX, MENU_WORDS_MAX = 32, 256
SLOW: Final = Answer("still at it; the answer follows")
LAST_ANSWERS_S: Final = 5.0
GIVE_UP: Final = frozenset({401, 404})


class Stopped(Exception):
    """The bridge was told to stop."""


class Kept(NamedTuple):
    """What was received and not answered yet, and from where on Telegram is to forget it; 0 is nowhere."""

    offset: int
    waiting: dict[int, dict[str, Any]]


class Inbox(Protocol):
    """Keeps what was received, so that it outlives the bridge."""

    def load(self) -> Kept: ...
    def save(self, kept: Kept) -> None: ...


class Heard(NamedTuple):
    """A message: who said what where, as Telegram numbers it."""

    update: int
    chat: int
    thread: int | None
    message: int
    user: int
    name: str
    private: bool
    text: str


class TelegramBridge:
    """Serves one bot until it is told to stop."""

    def __init__(
        self,
        api: BotApi,
        settings: Telegram,
        answerer: Answerer,
        inbox: Inbox,
        *,
        say: Callable[[str], None],
        lanes: Lanes | None = None,
        poll_s: int = POLL_S,
        backoff_s: float = BACKOFF_FIRST_S,
        last_s: float = LAST_ANSWERS_S,
    ) -> None:
        self._api = api
        self._settings = settings
        self._answerer = answerer
        self._inbox = inbox
        self._say = say
        self._lanes = lanes or Lanes()
        self._poll_s = poll_s
        self._backoff_s = backoff_s
        self._last_s = last_s
        self._guard = threading.Lock()
        self._kept = inbox.load()
        self._refused: dict[tuple[int, int], float] = {}
        self._stopping = threading.Event()
        self._closed = threading.Event()
        self._name = ""

    def run(self) -> None:
        """Answer until `stop`; raises ApiError where the bot's token is not taken."""
        try:
            self._serve()
        except Stopped:
            return

    def _serve(self) -> None:
        for update in list(self._kept.waiting.values()):
            self._take_up(update)
        self._name = self._ask_surely(lambda: self._api.call("getMe"))["username"].lower()
        self._offer_menu()
        while not self._stopping.is_set():
            self._receive(self._ask_surely(self._poll))

    def stop(self) -> None:
        """Poll no more, and finish what can be within a moment; the rest stays in the inbox."""
        self._stopping.set()
        self._lanes.wait_idle(self._last_s)
        self._closed.set()

    def deliver(self, number: int, place: Place, message: dict[str, Any]) -> Sent:  # noqa: ARG002 - a courier's way
        """Send a message of a subscription."""
        text = written(message)
        if size(text) > TEXT_MAX:
            text = f"{within(text, TEXT_MAX - 1)}…"
        try:
            thread = None if place.thread is None else int(place.thread)
            self._send(Answer(text), chat=int(place.chat), thread=thread)
        except ApiError as refused:
            return Sent(ok=False, error=str(refused), retry_after_s=refused.retry_after_s)
        except ValueError:
            return Sent(ok=False, error=f"{place.chat} is no number of a chat of Telegram's")
        return Sent(ok=True)

    def _ask_surely(self, call: Callable[[], T]) -> T:
        """What Telegram answers, however long it takes; raises ApiError where the token is not taken."""
        told = self._patiently(
            call, until=self._stopping, gives_up=lambda wrong: wrong.status in GIVE_UP
        )
        if told is None:
            raise Stopped
        return told

    def _poll(self) -> list[dict[str, Any]]:
        found = self._api.call(
            "getUpdates",
            timeout_s=self._poll_s + 15,
            offset=self._kept.offset or None,
            timeout=self._poll_s,
            allowed_updates=["message"],
        )
        if not isinstance(found, list):
            raise ApiError("getUpdates", "the answer has no updates", status=502)
        return [one for one in found if isinstance(one, dict) and _is_number(one.get("update_id"))]

    def _receive(self, updates: list[dict[str, Any]]) -> None:
        """Keep what came, and only then let Telegram forget it.

        An empty answer says that it has forgotten all before.  Then no offset is sent any more: after a quiet
        week Telegram begins with other numbers, which may be lower.
        """
        came = {one["update_id"]: one for one in updates}
        offset = max((number + 1 for number in came), default=0)
        with self._guard:
            fresh = [one for number, one in came.items() if number not in self._kept.waiting]
            waiting = {**self._kept.waiting, **{one["update_id"]: one for one in fresh}}
            kept = Kept(offset, waiting)
            if kept != self._kept:
                self._keep_surely(kept)
                self._kept = kept
        for update in fresh:
            self._take_up(update)

    def _keep_surely(self, kept: Kept) -> None:
        """Keep it, however long there is no room for it; Telegram keeps meanwhile what it has not confirmed."""
        said = False
        while True:
            try:
                self._inbox.save(kept)
            except OSError as full:
                if not said:
                    self._say(f"what came cannot be kept, so it waits: {full}")
                said = True
                if self._stopping.wait(self._backoff_s):
                    raise Stopped from None
            else:
                return

    def _take_up(self, update: dict[str, Any]) -> None:
        number = update["update_id"]
        heard = heard_in(update)
        if heard is None:
            self._strike_out(number)
            return

        def work() -> None:
            answer = self._answered(heard)
            if answer is None or self._reply_surely(heard, answer):
                self._strike_out(number)

        def slow() -> None:
            try:
                self._reply(heard, SLOW)
            except ApiError as lost:
                self._say(str(lost))

        self._lanes.put((heard.chat, heard.thread), work, slow)

    def _strike_out(self, number: int) -> None:
        with self._guard:
            self._kept.waiting.pop(number, None)
            try:
                self._inbox.save(self._kept)
            except OSError as full:
                self._say(f"that a message was answered cannot be kept: {full}")

    def _answered(self, heard: Heard) -> Answer | None:
        """What is said back; None for nothing."""
        if not heard.text.startswith("/") and not heard.private:
            return None
        first = next(iter(heard.text.split(maxsplit=1)), "")
        meant = first.partition("@")[2].lower()
        if meant and self._name and meant != self._name:
            return None
        named = (heard.user, heard.name, f"@{heard.name}")
        allowed = heard.chat in self._settings.chats or _among(named, self._settings.users)
        admin = _among(named, self._settings.admins)
        if not allowed and not admin:
            return self._refusal(heard)
        thread = None if heard.thread is None else str(heard.thread)
        speaker = Speaker(PLATFORM, str(heard.chat), thread, heard.name, admin)
        request_id = f"{PLATFORM}-{self._api.number}-{heard.update}"
        return self._answerer.answer(heard.text, speaker, request_id)

    def _refusal(self, heard: Heard) -> Answer | None:
        """A polite no, once a minute for each, with what its owner needs to allow it."""
        now, who = time.monotonic(), (heard.chat, heard.user)
        if now - self._refused.get(who, -REFUSED_EVERY_S) < REFUSED_EVERY_S:
            return None
        if len(self._refused) >= REFUSED_MAX:
            self._refused.clear()
        self._refused[who] = now
        return Answer(
            "sorry, this bot serves other people. Its owner can let you in with "
            f"`chats = [{heard.chat}]` or `users = [{heard.user}]` in [chat.telegram] of the configuration.",
            ok=False,
        )

    def _reply_surely(self, heard: Heard, answer: Answer) -> bool:
        """Send an answer, however long it takes; false: not before the bridge ended.

        One that Telegram refuses for good is done with, for it never will be taken.
        """
        try:
            sent = self._patiently(
                lambda: self._reply(heard, answer),
                until=self._closed,
                gives_up=lambda wrong: not wrong.passes,
            )
        except ApiError as refused:
            self._say(f"an answer was not taken: {refused}")
            return True
        return sent is not None

    def _reply(self, heard: Heard, answer: Answer) -> bool:
        reply_to = None if heard.private else heard.message
        self._send(answer, chat=heard.chat, thread=heard.thread, reply_to=reply_to)
        return True

    def _send(
        self, answer: Answer, *, chat: int, thread: int | None, reply_to: int | None = None
    ) -> None:
        reply = {"message_id": reply_to, "allow_sending_without_reply": True}
        columns = [{"type": "pre", "offset": 0, "length": size(answer.text)}]
        self._api.call(
            "sendMessage",
            chat_id=chat,
            message_thread_id=thread,
            text=answer.text,
            entities=columns if answer.table else None,
            reply_parameters=None if reply_to is None else reply,
            link_preview_options={"is_disabled": True},
        )

    def _offer_menu(self) -> None:
        """Let Telegram show the commands while somebody types; it does without, too."""
        commands = [
            {"command": name, "description": words[:MENU_WORDS_MAX]}
            for name, words in menu()
            if len(name) <= MENU_NAME_MAX
        ]
        try:
            self._api.call("setMyCommands", commands=commands[:MENU_MAX])
        except ApiError as refused:
            self._say(str(refused))

    def _patiently(
        self,
        call: Callable[[], T],
        *,
        until: threading.Event,
        gives_up: Callable[[ApiError], bool],
    ) -> T | None:
        """The call's result, as soon as Telegram can be had again; None where it was not until the end.

        Trouble is said once; one that will not pass is raised.
        """
        wait_s, said = self._backoff_s, False
        while not until.is_set():
            try:
                return call()
            except ApiError as wrong:
                if gives_up(wrong):
                    raise
                if not said:
                    self._say(str(wrong))
                said = True
                until.wait(wrong.retry_after_s or wait_s)
                wait_s = min(wait_s * 2, BACKOFF_MAX_S)
        return None


def heard_in(update: dict[str, Any]) -> Heard | None:
    """The message of an update; None for what is no text of a person."""
    message = update.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("text"), str):
        return None
    chat, sender = message.get("chat"), message.get("from")
    if not isinstance(chat, dict) or not isinstance(sender, dict) or sender.get("is_bot"):
        return None
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return Heard(
        update["update_id"],
        chat["id"],
        thread,
        message["message_id"],
        sender["id"],
        str(sender.get("username") or sender["id"]),
        chat.get("type") == "private",
        message["text"],
    )


def _is_number(said: object) -> bool:
    return isinstance(said, int) and not isinstance(said, bool)


def _among(named: tuple[int | str, ...], allowed: tuple[int | str, ...]) -> bool:
    """Whether one of these names or numbers is allowed; names are told apart without their case."""
    known = {one.lower() if isinstance(one, str) else one for one in allowed}
    return any((one.lower() if isinstance(one, str) else one) in known for one in named)
