"""The board as a whole, as people read it: what waits for them, a graph, what ran when, figures over time."""

from __future__ import annotations

from typing import Any

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import STATUS_INKS, one_line
from shopfloor.surfaces.cli.page import Cell, Page

MICROS = 1_000_000
NEED_INKS = {
    "question": "magenta",
    "review": "cyan",
    "gave_up": "red",
    "blocked": "red",
    "block_loop": "red",
    "paused": "yellow",
    "account": "yellow",
    "delivery": "red",
}
WAITING_SHOWN = 10


def needs(value: Any, page: Page) -> None:
    """What waits for a person, what waits longest first, each with the command that answers it."""
    if not value["items"]:
        page.note("nothing waits for a person")
        return
    rows = []
    for one in value["items"]:
        choice = f" ({' or '.join(one['options'])})" if one["options"] else ""
        rows.append(
            [
                Cell("" if one["task"] is None else f"#{one['task']}"),
                Cell(one["kind"].replace("_", " "), NEED_INKS.get(one["kind"], "")),
                Cell(page.age(one["since"])),
                Cell(f"{one['sentence']}{choice}"),
            ]
        )
    page.table([">task", "kind", ">age", "what"], rows)
    first = value["items"][0]["ways"]
    if first:
        page.note(f"answer the first with: {one_line(first[0]['command'])}")
    if value["next"] is not None:
        page.note(f"{value['total']} in all; more with --after {one_line(value['next'])}")


def graph(value: Any, page: Page) -> None:
    """The tasks around one, level by level, each with what it waits for."""
    parents: dict[int, list[str]] = {}
    for edge in value["edges"]:
        mark = " (waived)" if edge["waived"] else ""
        parents.setdefault(edge["child"], []).append(f"#{edge['parent']}{mark}")
    rows = []
    for node in value["nodes"]:
        waits = ", ".join(parents.get(node["id"], []))
        root = node["id"] == value["root"]
        rows.append(
            [
                Cell(f"{node['level']:+d}" if node["level"] else "0"),
                Cell(f"#{node['id']}", "bold" if root else ""),
                Cell(node["status"], STATUS_INKS.get(node["status"], "")),
                Cell(waits or "-"),
                Cell(node["title"]),
            ]
        )
    page.table([">level", ">task", "status", "waits for", "title"], rows)
    if value["cut"]:
        page.note("there are more; ask for a higher --limit or --depth, or around another task")


def timeline(value: Any, page: Page) -> None:
    """The runs of a window with their waits, then the head of the queue."""
    rows = []
    for one in value["items"]:
        told = one["outcome"] or one["state"]
        ink = "blue" if one["outcome"] is None else "green" if one["outcome"] == "completed" else ""
        rows.append(
            [
                Cell(page.when(one["claimed_at"])),
                Cell(f"#{one['task']}"),
                Cell(_lane(one)),
                Cell(told.replace("_", " "), ink),
                Cell("" if one["waited_s"] is None else moments.span(one["waited_s"])),
                Cell(moments.span(one["ran_s"])),
                Cell(one["title"], aside=one["error"] or ""),
            ]
        )
    if rows:
        page.table(["began", ">task", "lane", "outcome", ">waited", ">ran", "title"], rows)
    else:
        page.note("nothing ran in this time")
    if value["next"] is not None:
        page.note(f"more with --before {value['next']}")
    _waiting(value, page)


def _waiting(value: Any, page: Page) -> None:
    if not value["waiting"]:
        return
    page.heading(f"Waiting now: {value['waiting_total']}")
    rows = [
        [
            Cell(f"#{one['task']}"),
            Cell(one["status"], STATUS_INKS.get(one["status"], "")),
            Cell(page.age(one["since"])),
            Cell(one["sentence"], aside=one["title"]),
        ]
        for one in value["waiting"][:WAITING_SHOWN]
    ]
    page.table([">task", "status", ">age", "why"], rows)


def _lane(run: Any) -> str:
    who = "(command)" if run["order"] else run["profile"] or "-"
    return f"{who} on {run['host']}" if run["host"] else f"{who} outside"


def history(value: Any, page: Page) -> None:
    """One row a slot; what failed is told by kind."""
    rows = []
    for one in value["slots"]:
        failed = {
            name.replace("_", " "): count
            for name, count in one["outcomes"].items()
            if name != "completed"
        }
        kinds = ", ".join(f"{count} {name}" for name, count in failed.items())
        rows.append(
            [
                Cell(page.when(one["start"])),
                Cell(_figure(one["created"])),
                Cell(_figure(one["done"])),
                Cell(_figure(one["attempts"])),
                Cell(moments.span(one["took_s"]) if one["took_s"] else ""),
                Cell(_figure(one["tokens"])),
                Cell(f"{one['cost_micros'] / MICROS:.2f}" if one["cost_micros"] else ""),
                Cell(kinds),
            ]
        )
    head = ["from", ">created", ">done", ">attempts", ">worked", ">tokens", ">cost $", "other ends"]
    page.table(head, rows)


def _figure(count: int) -> str:
    return str(count) if count else ""
