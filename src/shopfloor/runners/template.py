"""Turns a preset and a brief into what is started: argument list, environment, files, input.

Placeholders stand for values of the run, `@name` for a list of options that is there only where it
applies.  A token never goes through here: programs take it from `SHOPFLOOR_MCP_TOKEN` by themselves.
"""

# Each run loads this file, and pathlib would cost it time and memory.
# ruff: noqa: PTH103, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shopfloor.domain.errors import Invalid
from shopfloor.runners.brief import Brief

GROUP = "@"
# The bearer token of the board's MCP server: the run and its token in one word.
MCP_TOKEN, MCP_URL = "SHOPFLOOR_MCP_TOKEN", "SHOPFLOOR_MCP_URL"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Start(NamedTuple):
    """One start of the program; `stdin` is a file, or None for nothing to read."""

    argv: tuple[str, ...]
    env: dict[str, str]
    stdin: str | None


class Turn(NamedTuple):
    """What is said in one turn: the whole prompt, or a pointer where it must be short."""

    prompt: str
    pointer: str
    number: int
    session: str | None
    resumes: bool


class Template:
    """A preset, filled in for one run."""

    def __init__(self, brief: Brief, base: Mapping[str, str]) -> None:
        self._brief = brief
        self._preset = brief.preset
        self._base = dict(base)
        self._options: Mapping[str, list[str]] = brief.preset.get("options", {})

    @property
    def session_id(self) -> str:
        """How a session gets its name: chosen, read or none."""
        return str(self._preset.get("session", {}).get("id", "none"))

    def start(self, turn: Turn) -> Start:
        """What to start for a turn; its files are written first.  Raises Invalid, OSError."""
        values = self._values(turn)
        self.write_files(values)
        stdin = values["prompt_file"] if self._preset.get("prompt", "stdin") == "stdin" else None
        return Start(self.argv(values, turn), self.environment(values), stdin)

    def argv(self, values: Mapping[str, str], turn: Turn | None = None) -> tuple[str, ...]:
        """The argument list, the program first."""
        self._check_permissions()
        words: list[str] = [self._brief.profile.program or self._preset["program"]]
        for word in self._preset["argv"]:
            if not word.startswith(GROUP):
                words.append(fill(word, values))
            elif word == "@extra":
                words += self._brief.profile.argv
            else:
                words += [fill(one, values) for one in self._group(word[1:], turn)]
        return tuple(words)

    def environment(self, values: Mapping[str, str]) -> dict[str, str]:
        """The program's environment: the worker's, which wins, and the preset's beside it."""
        known = {**values, "mcp_token": self._base.get(MCP_TOKEN, "")}
        own = {
            name: fill(text, known)
            for name, text in self._preset.get("env", {}).items()
            if text not in self._left_out() and self._has_what_it_names(text)
        }
        return {**own, **self._base}

    def result_file(self) -> str | None:
        """The file in which the program leaves its result."""
        found = self._preset.get("output", {}).get("result")
        return None if found is None else fill(found, self.values())

    def values(self) -> dict[str, str]:
        """What the placeholders stand for, whatever the turn."""
        brief, mcp = self._brief, self._brief.mcp
        found = {
            "context": brief.context,
            "run": brief.folder,
            "workspace": brief.workspace,
            "home": self._base.get("HOME", "/"),
            "task": str(brief.task),
            "model": brief.model or "",
            "provider": brief.profile.provider or "",
            "max_turns": str(brief.profile.max_turns or ""),
            "permission": self._preset.get("permissions", {}).get(brief.profile.permissions, ""),
            "skills": ",".join(brief.skills),
            "mcp_url": "" if mcp is None else mcp.url,
            "mcp_command": "" if mcp is None else mcp.stdio[0],
            "mcp_args": "[]" if mcp is None else json.dumps(mcp.stdio[1:]),
        }
        return {**found, "mcp_json": json.dumps(_filled(self._preset.get("mcp", {}), found, mcp))}

    def _values(self, turn: Turn) -> dict[str, str]:
        path = os.path.join(self._brief.folder, f"prompt-{turn.number}.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(turn.prompt)
        return {
            **self.values(),
            "prompt": turn.pointer,
            "prompt_file": path,
            "session": turn.session or "",
        }

    def _group(self, name: str, turn: Turn | None) -> list[str]:
        """The options of this name, or none where they do not apply."""
        brief = self._brief
        if name == "permissions":
            wanted = brief.profile.permissions
            return self._options.get(wanted, [])
        if name == "session":
            resumes = turn is not None and turn.resumes
            named = turn is not None and bool(turn.session)
            return self._options.get("resume" if resumes else "session", []) if named else []
        applies = {
            "model": brief.model,
            "provider": brief.profile.provider,
            "turns": brief.profile.max_turns,
            "skills": brief.skills,
            "mcp": brief.mcp,
            "prompt": True,
        }
        return (
            self._options.get(name, ["{prompt}"] if name == "prompt" else [])
            if applies.get(name)
            else []
        )

    def _has_what_it_names(self, text: str) -> bool:
        """Whether there is a value for what a variable is made of."""
        if "{mcp_" in text and self._brief.mcp is None:
            return False
        return "{model}" not in text or bool(self._brief.model)

    def _check_permissions(self) -> None:
        """Refuse a policy that the program cannot be held to."""
        wanted = self._brief.profile.permissions
        known = {"auto", *self._options, *self._preset.get("permissions", {})}
        if wanted not in known:
            name = self._brief.profile.preset
            raise Invalid(f'the preset {name!r} has no way to {wanted}; use permissions = "auto"')

    def _left_out(self) -> set[str]:
        """The files that are not written, so that no variable may name them."""
        return {file["path"] for file in self._files() if not self._applies(file.get("needs"))}

    def _applies(self, needs: str | None) -> bool:
        has = {None: True, "mcp": self._brief.mcp is not None, "model": bool(self._brief.model)}
        return has[needs]

    def _files(self) -> list[Mapping[str, Any]]:
        return list(self._preset.get("files", ()))

    def write_files(self, values: Mapping[str, str]) -> None:
        """Write the preset's files of a run; raises OSError."""
        for file in self._files():
            if not self._applies(file.get("needs")):
                continue
            path = fill(file["path"], values)
            text = fill(file["text"], values) if "text" in file else None
            if text is None:
                text = json.dumps(_filled(file["json"], values, self._brief.mcp), indent=1)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as written:
                written.write(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; what is no placeholder stays."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _filled(value: Any, values: Mapping[str, str], mcp: Any) -> Any:
    """A table with every text in it filled in; `{mcp_args}` alone is the list itself."""
    if isinstance(value, str):
        if value == "{mcp_args}":
            return [] if mcp is None else list(mcp.stdio[1:])
        if value == "{mcp_stdio}":
            return [] if mcp is None else list(mcp.stdio)
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(one, values, mcp) for one in value]
    if isinstance(value, Mapping):
        return {name: _filled(one, values, mcp) for name, one in value.items()}
    return value
