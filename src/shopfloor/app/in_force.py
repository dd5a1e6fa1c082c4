"""`shop config`: what is in force for a board of this home, and where each value was said.

The later one wins: a setting's default, `[TABLE]` of `config.toml`, `[boards.NAME]` there, a flag of the `shop up` that
runs.  What is no setting (the home, the board, this host) comes from the environment or a flag, and what belongs to the
board itself from its `board.json`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any, NamedTuple

from shopfloor.app.boards import DEFAULT, HomeBoards
from shopfloor.app.reach import HomeClient
from shopfloor.app.up import running_pid
from shopfloor.config import Home, environment, find_home, host_name, host_zone, wanted_board
from shopfloor.config.origins import said_in_file
from shopfloor.config.reading import load_settings
from shopfloor.domain.errors import BoardError, NotFound
from shopfloor.domain.settings import Settings
from shopfloor.ops.settings import views
from shopfloor.surfaces.cli.client import Ask

HERE = "this machine"
USUAL = "default"
# What `shop up` takes as a flag, and how it is called there.
FLAGS = {"dispatch.host_cap": "--max", "dispatch.failure_limit": "--failure-limit"}
TABLES = {"telegram": "chat.telegram"}


class Told(NamedTuple):
    """One value, and where it comes from."""

    name: str
    value: Any
    origin: str

    def line(self, *, origin: bool) -> str:
        """As a person reads it."""
        value = "unset" if self.value is None else self.value
        value = list(value) if isinstance(value, tuple) else value
        return f"{self.name} = {value}" + (f"  # {self.origin}" if origin else "")


def config_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Print what is in force for a board, and with --origin where each value was said."
    )
    parser.add_argument(
        "verb",
        nargs="?",
        choices=("show",),
        help="Print it, which it does without the word as well.",
    )
    parser.add_argument("--board", help="As this board sees it; the current one without.")
    parser.add_argument("--origin", action="store_true", help="Say where each value comes from.")
    parser.add_argument("--json", action="store_true", help="Print JSON, which has it all.")


def config(args: Namespace) -> int:
    """Print the settings in force, and where each comes from."""
    home = find_home()
    board = _board(home, args.board)
    settings = load_settings(home, board.value)
    told = _settings(home, board.value, settings)
    around = [_home(home), board, *_host(), *_of_board(home, board.value)]
    if args.json:
        print(json.dumps(_as_json(home, settings, around, told)))
        return 0
    for one in around:
        print(one.line(origin=args.origin))
    print(f"file {home.config if home.config.exists() else 'none: defaults are in force'}")
    for one in told:
        print(one.line(origin=args.origin))
    for warning in settings.warnings:
        print(f"warning: {warning}")
    return 0


def _as_json(
    home: Home, settings: Settings, around: list[Told], told: list[Told]
) -> dict[str, Any]:
    by_table: dict[str, dict[str, Any]] = {"dispatch": {}, "retention": {}}
    for one in told:
        table, _, name = one.name.partition(".")
        if table in by_table:
            by_table[table][name] = one.value
    return {
        "home": str(home.root),
        "file": str(home.config) if home.config.exists() else None,
        **by_table,
        "profiles": sorted(settings.profiles),
        "labels": list(settings.labels),
        "warnings": list(settings.warnings),
        "values": [one._asdict() for one in [*around, *told]],
    }


def _home(home: Home) -> Told:
    given = [name for name in ("SHOPFLOOR_HOME", "XDG_DATA_HOME") if environment().get(name)]
    return Told("home", str(home.root), f"environment: {given[0]}" if given else USUAL)


def _board(home: Home, flag: str | None) -> Told:
    if flag:
        return Told("board", flag, "flag: --board")
    named = wanted_board()
    if named:
        return Told("board", named, "environment: SHOPFLOOR_BOARD")
    usual = _boards(home).usual()
    return Told("board", usual, f"file: {home.current_board}" if usual != DEFAULT else USUAL)


def _host() -> list[Told]:
    return [
        Told(name, value, f"environment: {variable}" if environment().get(variable) else HERE)
        for name, value, variable in (
            ("host", host_name(), "SHOPFLOOR_HOST"),
            ("zone", host_zone(), "TZ"),
        )
    ]


def _of_board(home: Home, board: str) -> list[Told]:
    """What the board says of itself; a board that nobody has made says nothing."""
    try:
        found = _boards(home).get(board)
    except NotFound:
        return []
    place = f"board: {home.boards / board / 'board.json'}"
    return [
        Told("board.name", found.name, place),
        Told("board.database", found.database, place),
        Told(
            "board.default_workdir",
            found.default_workdir,
            place if found.default_workdir else USUAL,
        ),
    ]


def _settings(home: Home, board: str, settings: Settings) -> list[Told]:
    said = said_in_file(home, board)
    flags = _flags(home, board, settings)
    found = []
    for view in views(settings):
        name = f"{TABLES.get(view.table, view.table)}.{view.name}"
        place = said.get((view.table, view.name))
        if place is None and view.is_set:
            # No cap of the board means none of the host, unless that is said by itself.
            place = said.get((view.table, "cap"))
        origin = USUAL if place is None else f"config.toml [{place}]"
        value = view.value
        if name in flags:
            value, origin = flags[name], f"flag: `shop up {FLAGS[name]}`"
        found.append(Told(name, value, origin))
    for table in ("profiles", "sinks", "hooks"):
        for one in sorted(getattr(settings, table)):
            place = said.get((table, one))
            value, origin = ("set", f"config.toml [{place}]") if place else ("found", "PATH")
            found.append(Told(f"{table}.{one}", value, origin))
    labels = said.get(("labels", ""))
    return [
        *found,
        Told("labels", list(settings.labels), USUAL if labels is None else "config.toml"),
    ]


def _flags(home: Home, board: str, settings: Settings) -> dict[str, Any]:
    """What the running `shop up` has from its flags: where it sees other values than the file has."""
    if running_pid(home) is None:
        return {}
    try:
        answer = json.loads(HomeClient(home, board).ask(Ask("board.settings", b"{}")))
    except BoardError:
        return {}
    seen = {
        f"{one['table']}.{one['name']}": one for one in answer.get("result", {}).get("items", ())
    }
    mine = {f"{view.table}.{view.name}": view.value for view in views(settings)}
    return {
        name: seen[name]["value"]
        for name in FLAGS
        if name in seen and seen[name]["value"] != mine[name]
    }


def _boards(home: Home) -> HomeBoards:
    return HomeBoards(home, prepare=lambda _: None, release=lambda _: None)
