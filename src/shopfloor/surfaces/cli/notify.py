"""Subscriptions and deliveries as people read them: who hears of what, and what did not arrive."""

from __future__ import annotations

from typing import Any

from shopfloor.surfaces.cli.console import one_line
from shopfloor.surfaces.cli.page import Cell, Page

STATE_INKS = {
    "waiting": "yellow",
    "sending": "blue",
    "sent": "green",
    "given_up": "red",
    "carried": "dim",
    "dropped": "dim",
}


def _about(one: dict[str, Any]) -> str:
    """What a subscription is of, in words."""
    what, _, value = one["about"].partition(":")
    return {"board": "the board", "task": f"#{value}"}.get(what, f"{what} {value}")


def subscribed(value: Any, page: Page) -> None:
    """A subscription that was made, changed or found."""
    one = value["subscription"]
    word = "made" if value["created"] else "changed" if value["changed"] else "was there already"
    page.line(
        f"subscription {one['id']} {word}: {one_line(one['target'])} hears of {one_line(_about(one))}"
    )
    page.note(f"told: {', '.join(one['kinds'])}{'; with files' if one['files'] else ''}")
    if value["created"]:
        page.note("try it with `shop notify test` and the same target")


def subscription(value: Any, page: Page) -> None:
    """A subscription that has ended."""
    page.line(
        f"subscription {value['id']} ended: {one_line(value['target'])} hears of "
        f"{one_line(_about(value))} no more ({one_line(value['ended_why'] or '')})"
    )


def subscriptions(value: Any, page: Page) -> None:
    """Who hears of what."""
    if not value["items"]:
        page.note("no subscriptions; make one with `shop notify subscribe TARGET --task ID`")
        return
    rows = [
        [
            Cell(str(one["id"])),
            Cell(_about(one)),
            Cell(one["target"]),
            Cell(page.age(one["created_at"])),
            Cell(", ".join(one["kinds"]), aside=one["ended_why"] or ""),
        ]
        for one in value["items"]
    ]
    page.table([">id", "of", "target", ">age", "kinds"], rows)
    if value["next"] is not None:
        page.note(f"more with --after {value['next']}")


def deliveries(value: Any, page: Page) -> None:
    """What was told, the newest first."""
    if not value["items"]:
        page.note("no deliveries")
        return
    rows = [
        [
            Cell(str(one["id"])),
            Cell(one["state"].replace("_", " "), STATE_INKS[one["state"]]),
            Cell(str(one["sends"])),
            Cell("" if one["task"] is None else f"#{one['task']}"),
            Cell(one["kind"]),
            Cell(page.age(one["created_at"])),
            Cell(one["target"], aside=_aside(one, page)),
        ]
        for one in value["items"]
    ]
    page.table([">id", "state", ">sends", ">task", "kind", ">age", "target"], rows)
    if value["next"] is not None:
        page.note(f"more with --before {value['next']}")
    lost = [one for one in value["items"] if one["state"] == "given_up"]
    if lost:
        page.note(f"send it again with: shop notify retry {lost[0]['id']}")


def _aside(one: dict[str, Any], page: Page) -> str:
    """What is to be known beside the state."""
    if one["state"] == "carried":
        return f"in the message of {one['carried_by']}"
    again = f"; again at {page.when(one['next_at'])}" if one["next_at"] and one["error"] else ""
    counted = f"{one['count']} events" if one["count"] > 1 else ""
    return f"{one['error'] or counted}{again}"


def delivery(value: Any, page: Page) -> None:
    """One delivery, with what became of it."""
    state = page.ink(STATE_INKS[value["state"]], value["state"].replace("_", " "))
    page.line(f"delivery {value['id']} to {one_line(value['target'])}: {state}")
    message = value["message"]
    page.facts(
        [
            ("message", message["title"] if message else value["title"]),
            ("sends", str(value["sends"])),
            ("error", value["error"] or ""),
            ("next", page.when(value["next_at"])),
        ]
    )
