"""`/help`: all commands by group on one screen, or what one command takes."""

from __future__ import annotations

from collections.abc import Sequence

from shopfloor.surfaces.cli import catalog
from shopfloor.surfaces.cli.help import TITLES, of_command

HOW = (
    "Text needs no quotes: /create Paint the door --assignee bob. Lines below the first are the body. "
    "/help COMMAND says more. /kanban COMMAND is the same as /COMMAND, and /workorders COMMAND as /order COMMAND."
)
WIDTH = 60


def manual(words: Sequence[str]) -> str:
    """The help that is asked for."""
    asked = [
        word.lstrip("/").lower() for word in words if word not in ("help", "start", "--help", "-h")
    ]
    if not asked:
        return _all()
    found = catalog.find([asked[0].replace("_", "-"), *asked[1:2]])
    if found is not None:
        return of_command(found[0], WIDTH).replace("shop ", "/")
    members = catalog.family(asked[0])
    if members:
        return "\n".join(f"/{one.command}: {one.summary}" for one in members)
    return f"there is no command /{asked[0]}; /help lists them all"


def _all() -> str:
    groups: dict[str, list[str]] = {}
    for command in catalog.everything():
        title = TITLES.get(command.group, command.group.replace("_", " ").capitalize())
        groups.setdefault(title, []).append(f"/{command.command}")
    lines = ["This chat speaks to a work board.", HOW, ""]
    return "\n".join([*lines, *(f"{title}: {', '.join(names)}" for title, names in groups.items())])


def menu() -> list[tuple[str, str]]:
    """Commands of one word with a line each, as platforms show them while somebody types."""
    found = [("help", "All commands, or what one takes")]
    for command in catalog.everything():
        name = command.command.replace("-", "_").replace(" ", "_")
        found.append((name, command.summary))
    return found
