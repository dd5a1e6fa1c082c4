"""Profiles in this host's `config.toml`: added, described, and tried.

The file is the user's: what stands there stays as it is, comments and all.  A new table goes to its end, a
description is one line of its profile's table, and nothing is written that the program could not read.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shopfloor.config import Home
from shopfloor.config.reading import load_settings, parse_file
from shopfloor.domain.errors import BadConfiguration, Conflict, GuardFailed, Invalid
from shopfloor.domain.settings import Profile
from shopfloor.ops.context import Looked
from shopfloor.process.files import write_atomic
from shopfloor.runners import preset, trial

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ANY_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_DESCRIPTION = re.compile(r"^[ \t]*description[ \t]*=.*$", re.MULTILINE)


class HomeProfiles:
    """The profiles of one home."""

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self._home = home
        self._environment = environment

    @property
    def file(self) -> str:
        return str(self._home.config)

    def add(self, name: str, table: dict[str, Any]) -> None:
        """Write a profile that is not there; raises Conflict, Invalid or NotFound."""
        text = self._text()
        if name in _tables(text):
            raise Conflict(f"{self._home.config} has a profile {name!r} already; change it there")
        if "preset" in table:
            preset.load(str(table["preset"]), self._home.presets)
        lines = [f"{key} = {_value(value)}" for key, value in table.items()]
        self._write(_with_table(text, name, lines), name, table)

    def describe(self, name: str, words: str) -> None:
        """Say what a profile is good for; raises Invalid where the file is not of the usual form."""
        text = self._text()
        line = f"description = {_value(words)}"
        if name not in _tables(text):
            self._write(_with_table(text, name, [line]), name, {"description": words})
            return
        header = re.search(rf"^[ \t]*\[profiles\.{_key(name)}\][^\n]*$", text, re.MULTILINE)
        if header is None:
            raise Invalid(
                f"the profile {name!r} has no line [profiles.{_key(name)}] of its own in "
                f"{self._home.config}; describe it there"
            )
        following = _ANY_TABLE.search(text, header.end())
        end = len(text) if following is None else following.start()
        body = text[header.end() : end]
        changed, count = _DESCRIPTION.subn(lambda _: line, body, count=1)
        if not count:
            changed = f"\n{line}{body}"
        told = {**_tables(text)[name], "description": words}
        self._write(text[: header.end()] + changed + text[end:], name, told)

    def check(self, profile: Profile) -> list[Looked]:
        """Start the profile's program with a trivial task; raises GuardFailed for a plain command."""
        if profile.preset is None:
            raise GuardFailed(
                f"the profile {profile.name!r} is a plain command; only agent programs can be tried"
            )
        found = preset.load(profile.preset, self._home.presets)
        folder = trial.free_folder(self._home.root)
        around = trial.Surroundings(folder, str(Home(folder).socket), self._environment)
        return [Looked(*one) for one in trial.check(profile, found, around)]

    def _text(self) -> str:
        try:
            return self._home.config.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as wrong:
            raise BadConfiguration(f"{self._home.config} cannot be read: {wrong}") from None

    def _write(self, text: str, name: str, expected: dict[str, Any]) -> None:
        """Put the text in the file's place, if it says what it should and the program can read it."""
        if _tables(text).get(name) != expected:
            raise Invalid(
                f"{self._home.config} is not of a form that can be changed here; change [profiles.{name}] there"
            )
        parse_file(text, self._home)
        self._home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The file may be a link into a folder of the user's own settings.
        write_atomic(Path(self._home.config).resolve(), text.encode())
        load_settings(self._home, "default")


def _tables(text: str) -> dict[str, Any]:
    """The profiles of a configuration's text; raises BadConfiguration."""
    try:
        found = tomllib.loads(text).get("profiles", {})
    except tomllib.TOMLDecodeError as wrong:
        raise BadConfiguration(f"the configuration cannot be read: {wrong}") from None
    return found if isinstance(found, dict) else {}


def _with_table(text: str, name: str, lines: list[str]) -> str:
    """The text with a new table at its end."""
    before = f"{text.rstrip()}\n\n" if text.strip() else ""
    return before + "\n".join([f"[profiles.{_key(name)}]", *lines]) + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """A value as TOML writes it: texts, numbers, booleans, lists of them, tables of texts."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    # What JSON escapes, TOML reads the same way; DEL alone must not stand as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
