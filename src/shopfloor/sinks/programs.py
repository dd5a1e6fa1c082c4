"""Messages that a program of this machine takes: a command of the configuration, or the desktop's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from shopfloor.domain.notices import Sent
from shopfloor.process import users_program
from shopfloor.process.environment import worker_environment
from shopfloor.sinks.base import ARRIVED, Letter, failed

DESKTOP_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XAUTHORITY")
ON_MACOS = (
    "osascript",
    "-e", "on run argv",
    "-e", "display notification (item 2 of argv) with title (item 1 of argv)",
    "-e", "end run",
)  # fmt: skip


class Command:
    """A command that gets the stored message as JSON on its standard input; status 0 is an arrival.

    `files` of the message have a `path` on this machine there, `attempt` says which send it is.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        base: Mapping[str, str],
        timeout_s: float,
    ) -> None:
        self._argv = argv
        self._env = worker_environment(base, env)
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Sent:
        """Run the command once."""
        return _run(self._argv, command_input(letter), env=self._env, timeout_s=self._timeout_s)


class Desktop:
    """This machine's notifications, as `notify-send` or macOS shows them."""

    def __init__(self, *, base: Mapping[str, str], timeout_s: float) -> None:
        passed = {name: base[name] for name in DESKTOP_VARIABLES if name in base}
        self._env = worker_environment(base, passed)
        self._timeout_s = timeout_s

    def send(self, letter: Letter) -> Sent:
        """Show the message."""
        argv = desktop_words(sys.platform, letter.title, letter.body)
        return _run(argv, b"", env=self._env, timeout_s=self._timeout_s)


def desktop_words(platform: str, title: str, body: str) -> list[str]:
    """The program that shows a message and its words; what `notify-send` would take for markup is text."""
    if platform == "darwin":
        return [*ON_MACOS, title, body]
    plain = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return ["notify-send", "--app-name=Shopfloor", "--", title, plain]


def command_input(letter: Letter) -> bytes:
    """The stored message, with what a program of this machine wants to know beside it."""
    files = [
        {**told, "path": file.path}
        for told, file in zip(letter.message["files"], letter.files, strict=True)
    ]
    told = {**letter.message, "files": files, "attempt": letter.attempt}
    return f"{json.dumps(told, ensure_ascii=False)}\n".encode()


def _run(argv: Sequence[str], given: bytes, *, env: Mapping[str, str], timeout_s: float) -> Sent:
    ended = users_program.run(argv, given, env=env, timeout_s=timeout_s)
    wrong = ended.wrong(argv[0], timeout_s)
    return ARRIVED if wrong is None else failed(wrong)
