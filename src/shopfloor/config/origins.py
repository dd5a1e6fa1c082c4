"""Which table of the configuration said a setting: for who asks where a value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shopfloor.config import Home
from shopfloor.config.reading import opened, table
from shopfloor.domain.settings import Dispatch, Planner, Retention, durations
from shopfloor.domain.settings_chat import Telegram
from shopfloor.domain.settings_notify import Notify
from shopfloor.domain.settings_runtime import Runtimes
from shopfloor.domain.settings_web import Web

# The tables with settings of their own; `[chat.telegram]` is one within another.
TABLES: Mapping[str, type[Any]] = {
    "dispatch": Dispatch,
    "retention": Retention,
    "planner": Planner,
    "web": Web,
    "telegram": Telegram,
    "notify": Notify,
    "runtime": Runtimes,
}


def said_in_file(home: Home, board: str) -> dict[tuple[str, str], str]:
    """Which table of the file says a setting, by the setting's own table and name; the rest are defaults."""
    read = opened(home.config)
    found: dict[tuple[str, str], str] = {}

    def note(name: str, given: dict[str, Any], place: str) -> None:
        names = durations(TABLES[name])
        found.update({(name, names.get(key, key)): place for key in given})

    for name in TABLES:
        note(name, table(read, name), name)
    note("telegram", table(table(read, "chat"), "telegram"), "chat.telegram")
    note("dispatch", table(table(read, "boards"), board), f"boards.{board}")
    for name in ("profiles", "sinks", "hooks"):
        found |= {(name, one): f"{name}.{one}" for one in table(read, name)}
    return found | ({("labels", ""): "labels"} if "labels" in read else {})
