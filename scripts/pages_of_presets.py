"""The reference page of presets: what such a file may say, and how each agent program is run by ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page import page, table

from shopfloor.runners import preset
from shopfloor.runners.preset import Field

NO_OWN = Path("/nonexistent")


def presets() -> str:
    """The shape of a preset, and a part for each of ours."""
    parts = [
        "## What a preset says",
        _shape(preset.SHAPE),
        "### [options]",
        "Each is a list of arguments; `@name` in `argv` is where it goes.",
        table(("option", "used"), [(f"`{name}`", words) for name, words in preset.OPTIONS.items()]),
        "### [session]",
        _shape(preset.SESSION),
        "### [[files]]",
        _shape(preset.FILE),
        "### [output]",
        _shape(preset.OUTPUT),
        "### [[output.events]]",
        (
            "A path is a row of names with dots between them; `*` stands for each member of a list. `when` holds"
            " where each field has its value, one of a list of values, any value (`true`), none (`false`), or one"
            ' that an expression finds (`"~expression"`).'
        ),
        _shape(preset.EVENT),
        "### [[output.lines]]",
        _shape(preset.LINE),
        "### [[output.messages]]",
        _shape(preset.MESSAGE),
        "### Placeholders",
        table(
            ("placeholder", "stands for"),
            [(f"`{{{name}}}`", words) for name, words in preset.PLACEHOLDERS.items()],
        ),
        "A failure is one of " + ", ".join(f"`{one}`" for one in sorted(preset.ENDINGS)) + ".",
        "## The presets",
        *(_one(name, preset.load(name, NO_OWN)) for name in preset.names()),
    ]
    return page(
        "Presets",
        "A preset is a file of data that says how an agent program is run. These come with the program; one of"
        " your own is `presets/NAME.toml` in the home and may stand in for one of ours. See"
        " [Bring your own agent](../guides/bring-your-own-agent.md).",
        *parts,
    )


def _shape(shape: Mapping[str, Field]) -> str:
    return table(("key", "what"), [(f"`{name}`", field.words) for name, field in shape.items()])


def _one(name: str, found: Mapping[str, Any]) -> str:
    rows = [
        ("program", f"`{found['program']}`, {found.get('minimum', 'any version')} or newer"),
        ("kind", f"`{found.get('kind', 'cli')}`"),
        ("installed by", f"`{found['install']}`"),
        ("login", found["login"]),
        ("arguments", f"`{' '.join(found['argv'])}`"),
        ("board's tools", _tools(found)),
        ("session", _session(found)),
        ("variables it gets", ", ".join(f"`{one}`" for one in found.get("pass_env", ())) or "none"),
    ]
    return f"### {name}\n\n{found['title']}.\n\n{table(('what', 'how'), rows)}"


def _tools(found: Mapping[str, Any]) -> str:
    if found.get("kind") == "acp":
        return "by the protocol"
    if "mcp" in found.get("options", {}):
        return "by its arguments"
    if any(file.get("needs") == "mcp" for file in found.get("files", ())):
        return "by a file of the run"
    return "none; it uses `shop` from its shell"


def _session(found: Mapping[str, Any]) -> str:
    if found.get("kind") == "acp":
        return "by the protocol"
    words = {"chosen": "named by the board", "read": "read from its output"}
    return words.get(found.get("session", {}).get("id", "none"), "none; each turn begins anew")
