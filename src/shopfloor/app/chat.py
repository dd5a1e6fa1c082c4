"""`shop chat serve`: the bridges between chats and the boards of this home."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shopfloor.app.boards import DEFAULT, private
from shopfloor.app.reach import HomeClient
from shopfloor.config import Home, environment, find_home, wanted_board
from shopfloor.config.reading import load_settings
from shopfloor.domain.errors import BadConfiguration
from shopfloor.domain.settings_chat import Telegram
from shopfloor.process.files import write_atomic
from shopfloor.store.lock import BoardLock
from shopfloor.surfaces.chat.answering import Answerer
from shopfloor.surfaces.chat.bot_api import ApiError, BotApi
from shopfloor.surfaces.chat.courier import Courier
from shopfloor.surfaces.chat.lines import LinesBridge
from shopfloor.surfaces.chat.telegram import PLATFORM, Kept, TelegramBridge

NO_TOKEN = "the token of the bot is not there"


def chat_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("verb", choices=("serve",), help="Serve a bridge in the foreground.")
    parser.add_argument(
        "bridge",
        nargs="?",
        choices=("telegram", "lines"),
        default="telegram",
        help="`telegram`, as [chat.telegram] of the configuration says, or `lines`: JSON on standard input "
        "and output.",
    )
    parser.add_argument(
        "--platform", default="lines", help="What the chats behind `lines` are called, such as irc."
    )
    parser.add_argument("--board", help="The board that is meant where none is named.")


def chat(args: Namespace) -> int:
    """Answer what is said in chats, and bring them the messages that they subscribed to."""
    home = find_home()
    private(home.root)
    if args.bridge == "lines":
        return _lines(home, args)
    telegram = load_settings(home, DEFAULT).telegram
    if telegram is None:
        raise BadConfiguration(
            f"there is no section [chat.telegram] in {home.config}; it needs token_file and chats or users"
        )
    with BoardLock(home.root / "chat-telegram.lock"):
        return _telegram(home, telegram, args.board)


def _lines(home: Home, args: Namespace) -> int:
    bridge = LinesBridge(
        _answerer(home, args.board or wanted_board()),
        args.platform,
        stdin=sys.stdin,
        stdout=sys.stdout,
    )
    courier = Courier(_connecting(home), args.platform, bridge.deliver, say=_say)
    courier.start()
    bridge.run()
    courier.stop()
    return 0


def _telegram(home: Home, settings: Telegram, board: str | None) -> int:
    api = BotApi(_token(settings), settings.api)
    inbox = InboxFile(home.root / f"chat-telegram-{api.number}.json")
    answerer = _answerer(home, board or settings.board or wanted_board())
    bridge = TelegramBridge(api, settings, answerer, inbox, say=_say)
    courier = Courier(_connecting(home), PLATFORM, bridge.deliver, say=_say)
    stopped = threading.Event()
    wrong: list[Exception] = []

    def serve() -> None:
        try:
            bridge.run()
        except Exception as failed:  # noqa: BLE001 - a bridge that hears nothing any more must end, not stay
            wrong.append(failed)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    threading.Thread(target=serve, name="chat-poll", daemon=True).start()
    courier.start()
    _say(f"serving the bot {api.number} (process {os.getpid()})")
    stopped.wait()
    # A poll that is under way is left alone: what it brings is not taken, and comes again.
    bridge.stop()
    courier.stop()
    if wrong and isinstance(wrong[0], ApiError):
        raise BadConfiguration(f"Telegram does not take the bot's token: {wrong[0]}")
    if wrong:
        raise wrong[0]
    _say("stopped")
    return 0


class InboxFile:
    """What was received and not answered yet, in a file that only its user may read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Kept:
        try:
            told: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return Kept(told["offset"], {one["update_id"]: one for one in told["waiting"]})
        except FileNotFoundError:
            return Kept(0, {})
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            raise BadConfiguration(
                f"{self._path} cannot be read: {wrong}; without it, messages of the last day may be answered twice"
            ) from None

    def save(self, kept: Kept) -> None:
        told = {"offset": kept.offset, "waiting": list(kept.waiting.values())}
        write_atomic(self._path, json.dumps(told).encode())


def _token(settings: Telegram) -> str:
    """The bot's token, from where the configuration says."""
    if settings.token_env is not None:
        token = environment().get(settings.token_env, "").strip()
        where = f"the variable {settings.token_env} is not set"
    else:
        path = Path(settings.token_file or "").expanduser()
        try:
            token = path.read_text(encoding="utf-8").strip()
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                _say(f"others can read {path}; `chmod 600 {path}` keeps the token yours")
        except (OSError, UnicodeDecodeError) as wrong:
            raise BadConfiguration(f"{NO_TOKEN}: {path} cannot be read: {wrong}") from None
        where = f"{path} is empty"
    if not token:
        raise BadConfiguration(f"{NO_TOKEN}: {where}")
    return token


def _connecting(home: Home) -> Callable[[str | None], HomeClient]:
    return lambda board: HomeClient(home, board)


def _answerer(home: Home, board: str | None) -> Answerer:
    return Answerer(
        _connecting(home),
        board=board,
        environment=environment(),
        clock=lambda: time.time_ns() // 1_000_000,
    )


def _say(words: str) -> None:
    print(f"chat: {words}", file=sys.stderr, flush=True)
