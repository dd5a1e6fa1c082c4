"""Presets: how an agent program is run, as data.  One TOML file a program, no code.

This file knows the shape of such a file, `SHAPE` and what stands below it, and refuses everything else
with the place and the reason; the reference page is printed from the same words.  The dispatcher reads a
preset and hands it to the runner within `agent.json`, so a runner reads no TOML and a run keeps what it
was started with.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shopfloor.domain.errors import Invalid, NotFound

FOLDER = Path(__file__).parent / "presets"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
GROUP = "@"

# What stands for a value of the run in words, texts and environment of a preset.
PLACEHOLDERS = {
    "prompt": "the prompt of this turn; only where the program takes it as an argument, and then a pointer",
    "prompt_file": "a file that holds the prompt of this turn",
    "context": "the file with the task's whole context",
    "run": "the run's folder",
    "workspace": "the folder that the agent works in",
    "home": "the user's home folder",
    "task": "the task's number",
    "session": "the session's id",
    "model": "the model",
    "provider": "the model's provider",
    "max_turns": "the program's own limit of steps",
    "permission": "the word of the table `permissions` for the profile's permissions",
    "skills": "the skills, with commas between them",
    "mcp_url": "the address of the board's MCP server",
    "mcp_token": "the token for it; only in `env`, which nobody else can read",
    "mcp_json": "the table `mcp`, as JSON",
    "mcp_command": "the program of the MCP bridge on standard input and output",
    "mcp_args": "its arguments, as a list",
    "mcp_stdio": "the bridge and its arguments, as one list",
}
# What a turn that ended badly may stand for; `session_lost` makes the runner begin a new session.
ENDINGS = frozenset(
    {
        "rate_limited", "quota", "busy", "auth_failed", "permission_refused", "context_overflow",
        "turn_limit", "failed", "session_lost",
    }
)  # fmt: skip


class Field(NamedTuple):
    """One key of a preset: what it holds, and its words for the reference page."""

    kind: type | tuple[type, ...]
    words: str


TEXT, WORDS, TABLE = str, list, dict
SHAPE = {
    "kind": Field(TEXT, "`cli`: a process for each turn. `acp`: one that speaks the Agent Client Protocol"),
    "program": Field(TEXT, "The program's name"),
    "title": Field(TEXT, "What it is, in a few words; the profile's description where it has none"),
    "install": Field(TEXT, "How it is installed"),
    "login": Field(TEXT, "What to do when its provider refuses the login"),
    "setup": Field(TEXT, "What to do once so that it has the board's tools, where no preset can do it"),
    "verdict": Field(TEXT, "`said` by the agent (usual), or the `turn`: for programs without tools and shell"),
    "version": Field(WORDS, "Arguments that print its version"),
    "minimum": Field(TEXT, "The oldest version that this preset is known to work with"),
    "argv": Field(WORDS, "Its arguments. A word `@name` stands for that list of `[options]`"),
    "prompt": Field(TEXT, "How a prompt goes in: `stdin`, or `argument` (a pointer to the context file)"),
    "pass_env": Field(WORDS, "Variables of the dispatcher that its workers get: logins and addresses"),
    "env": Field(TABLE, "Variables of its process; those of the profile win"),
    "permissions": Field(TABLE, "What `{permission}` stands for with `auto`, `ask` and `refuse`"),
    "options": Field(TABLE, "Lists of arguments, used where they apply"),
    "session": Field(TABLE, "How a session is named"),
    "mcp": Field(TABLE, "What `{mcp_json}` stands for"),
    "files": Field(WORDS, "Files that are written before each start"),
    "output": Field(TABLE, "How its output is read"),
}  # fmt: skip
OPTIONS = {
    "model": "with a model",
    "provider": "with a provider",
    "turns": "with a limit of steps",
    "skills": "with skills; a preset without it has them named in the prompt",
    "mcp": "when the board's tools are to be had",
    "session": "for a new session",
    "resume": "for a session that goes on",
    "prompt": "always; where the pointer to the task stands",
    "extra": "never written here: the profile's `argv`",
    "auto": 'with `permissions = "auto"`',
    "ask": 'with `permissions = "ask"`',
    "refuse": 'with `permissions = "refuse"`',
    "permissions": "never written here: the list of the profile's permissions",
}  # fmt: skip
SESSION = {
    "id": Field(TEXT, "`chosen` by us, `read` from the output, or `none`: then each turn is a new one"),
    "usage": Field(TEXT, "Whether usage is that of the `turn` (usual) or counts up over the whole `session`"),
}  # fmt: skip
FILE = {
    "path": Field(TEXT, "Where, usually below `{run}`"),
    "text": Field(TEXT, "What it holds"),
    "json": Field(TABLE, "What it holds, as JSON"),
    "needs": Field(TEXT, "`mcp`: only with the board's tools; `model`: only with a model"),
}
NEEDS = ("mcp", "model")
OUTPUT = {
    "format": Field(
        TEXT, "`jsonl`: an event a line. `json`: one object at the end. `text`: plain lines"
    ),
    "events": Field(
        WORDS, "What an event means: `when` it matches, the rest names what to take from it"
    ),
    "lines": Field(WORDS, "What a plain line means, by a regular expression"),
    "messages": Field(WORDS, "What a failure's message means, by a regular expression"),
    "result": Field(TEXT, "A file of JSON that it leaves; read as one more event"),
    "codes": Field(TABLE, "What a failure's code means"),
    "exits": Field(TABLE, "What an exit status means"),
}
USAGE = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
# Paths into an event: names with dots between them, `*` for each member of a list.
EVENT = {
    "when": Field(TABLE, "Fields and the values they must have; true is any value"),
    "session": Field(TEXT, "Path of the session's id"),
    "model": Field(TEXT, "Path of the model's name"),
    "text": Field(TEXT, "Path of something that the agent said"),
    "delta": Field(TEXT, "Path of a piece of it, to be put together"),
    "final": Field(TEXT, "Path of its last words"),
    "tool": Field(TEXT, "Path of the name of a tool that it calls"),
    "input": Field(TEXT, "Path of that call's arguments"),
    "usage": Field(TABLE, f"Paths of {', '.join(f'`{name}`' for name in USAGE)}; `a - b` subtracts"),
    "usage_is": Field(TEXT, "`more` than before (usual), or the turn's `total`"),
    "usage_once": Field(TEXT, "Path of an id; a second event with the same id counts nothing"),
    "cost": Field(TEXT, "Path of the cost in US dollars"),
    "denied": Field(TEXT, "Path of the names of tools that were refused"),
    "failure": Field(bool, "The event says that the turn failed"),
    "retrying": Field(bool, "The event says that the program tries again by itself"),
    "status": Field(TEXT, "Path of an HTTP status"),
    "code": Field(TEXT, "Path of an error's name"),
    "message": Field(TEXT, "Path of an error's words"),
    "pattern": Field(TEXT, "Expression that finds `status`, `retry_after` or `reset` in those words"),
    "retry_after": Field(TEXT, "Path of the seconds to wait"),
    "retry_after_ms": Field(TEXT, "Path of the milliseconds to wait"),
    "reset": Field(TEXT, "Path of the time of the reset: ISO 8601, or seconds since the epoch"),
    "ending": Field(TEXT, "What the failure is, where the event alone says so"),
}  # fmt: skip
LINE = {
    "stream": Field(TEXT, "`stdout` or `stderr`; both where it is left out"),
    "match": Field(TEXT, "The expression; its groups `session`, `status`, `retry_after`, `reset`, `message` are taken"),
    "last": Field(bool, "It counts only among the last lines of a program that exits with an error"),
    "retrying": Field(bool, "The line says that the program tries again by itself"),
    "status": Field(int, "The HTTP status that it stands for, where the line does not tell it"),
    "ending": Field(TEXT, "What the failure is"),
}  # fmt: skip
MESSAGE = {
    "match": Field(TEXT, "The expression"),
    "ending": Field(TEXT, "What the failure is"),
}


def names() -> list[str]:
    """The presets that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, own: Path) -> dict[str, Any]:
    """A preset by its name, the user's own before ours; raises NotFound or Invalid with the place."""
    for path in (own / f"{name}.toml", FOLDER / f"{name}.toml"):
        if path.is_file():
            return read(path)
    raise NotFound(
        f"there is no preset {name!r}: neither {own / name}.toml nor one of {', '.join(names())}"
    )


def read(path: Path) -> dict[str, Any]:
    """The preset in a file; raises Invalid with the place and the reason."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise Invalid(f"the preset {path} cannot be read: {wrong}") from None
    try:
        check(found)
    except Invalid as wrong:
        raise Invalid(f"the preset {path}: {wrong.message}") from None
    return found


def check(preset: Mapping[str, Any]) -> None:
    """Refuse what is no preset; raises Invalid."""
    _keys(preset, SHAPE, "it")
    for name in ("program", "argv"):
        if not preset.get(name):
            raise Invalid(f"{name} is missing")
    _one_of(preset, "kind", ("cli", "acp"), "it")
    _one_of(preset, "prompt", ("stdin", "argument"), "it")
    _one_of(preset, "verdict", ("said", "turn"), "it")
    _options(preset)
    session = preset.get("session", {})
    _keys(session, SESSION, "session")
    _one_of(session, "id", ("chosen", "read", "none"), "session")
    _one_of(session, "usage", ("turn", "session"), "session")
    for file in preset.get("files", ()):
        _keys(file, FILE, "a file")
        if ("text" in file) == ("json" in file) or "path" not in file:
            raise Invalid("a file has a path, and either text or json")
        if file.get("needs", "mcp") not in NEEDS:
            raise Invalid(f"needs of a file is one of {', '.join(NEEDS)}")
    _output(preset.get("output", {}))
    _placeholders(preset, "it")
    _token_in_env_alone(preset)


def _options(preset: Mapping[str, Any]) -> None:
    options = preset.get("options", {})
    for name, words in options.items():
        if name not in OPTIONS or OPTIONS[name].startswith("never"):
            raise Invalid(f"options has no {name!r}; known are {', '.join(OPTIONS)}")
        if not _are_words(words):
            raise Invalid(f"options.{name} must be a list of words")
    for word in preset["argv"]:
        if word.startswith(GROUP) and word[1:] not in OPTIONS:
            raise Invalid(f"argv names {word!r}; known are {', '.join(OPTIONS)}")


def _output(output: Mapping[str, Any]) -> None:
    _keys(output, OUTPUT, "output")
    _one_of(output, "format", ("jsonl", "json", "text"), "output")
    for event in output.get("events", ()):
        _keys(event, EVENT, "an event")
        _one_of(event, "usage_is", ("more", "total"), "an event")
        if not event.get("when"):
            raise Invalid("an event says when it is meant")
        for name in event.get("usage", {}):
            if name not in USAGE:
                raise Invalid(f"usage has no {name!r}; known are {', '.join(USAGE)}")
    for shape, key in ((LINE, "lines"), (MESSAGE, "messages")):
        for rule in output.get(key, ()):
            _keys(rule, shape, f"output.{key}")
            if "match" not in rule:
                raise Invalid(f"one of output.{key} has no match")
    _patterns(output)
    _endings(output)


def _rules(output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [rule for key in ("events", "lines", "messages") for rule in output.get(key, ())]


def _patterns(output: Mapping[str, Any]) -> None:
    for rule in _rules(output):
        for pattern in (rule.get("match", ""), rule.get("pattern", "")):
            try:
                re.compile(pattern)
            except re.error as wrong:
                raise Invalid(f"{pattern!r} is no regular expression: {wrong}") from None


def _endings(output: Mapping[str, Any]) -> None:
    stated = [rule["ending"] for rule in _rules(output) if "ending" in rule]
    for ending in (*stated, *output.get("codes", {}).values(), *output.get("exits", {}).values()):
        if ending not in ENDINGS:
            raise Invalid(f"{ending!r} is no ending; known are {', '.join(sorted(ENDINGS))}")


def _keys(given: object, shape: Mapping[str, Field], where: str) -> None:
    if not isinstance(given, Mapping):
        raise Invalid(f"{where} must be a table")
    for name, value in given.items():
        field = shape.get(name)
        if field is None:
            raise Invalid(f"{where} has no {name!r}; known are {', '.join(shape)}")
        if not isinstance(value, field.kind):
            raise Invalid(f"{name} of {where} is of the wrong kind: {value!r:.60}")


def _one_of(given: Mapping[str, Any], name: str, known: tuple[str, ...], where: str) -> None:
    if given.get(name, known[0]) not in known:
        raise Invalid(f"{name} of {where} is one of {', '.join(known)}, not {given[name]!r}")


def _are_words(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(word, str) for word in given)


def _placeholders(value: object, where: str) -> None:
    """Refuse a placeholder that stands for nothing; expressions and paths of events have none."""
    if isinstance(value, str):
        unknown = [name for name in PLACEHOLDER.findall(value) if name not in PLACEHOLDERS]
        if unknown:
            raise Invalid(
                f"{where} holds {{{unknown[0]}}}; known are {', '.join(sorted(PLACEHOLDERS))}"
            )
    elif isinstance(value, list):
        for one in value:
            _placeholders(one, where)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name != "output":
                _placeholders(one, name)


def _token_in_env_alone(preset: Mapping[str, Any]) -> None:
    """The token is nobody's to read but the program's: not in an argument list, not in a file."""
    rest = {name: value for name, value in preset.items() if name != "env"}
    if "{mcp_token}" in str(rest):
        raise Invalid("{mcp_token} stands only in env; arguments and files can be read by others")
