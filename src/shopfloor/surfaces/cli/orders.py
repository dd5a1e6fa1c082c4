"""Work orders as people read them: in a list, one by one, after a verb."""

from __future__ import annotations

import shlex
from typing import Any

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import one_line
from shopfloor.surfaces.cli.page import Cell, Page
from shopfloor.surfaces.cli.sheet import run_rows

INKS = {
    "queued": "cyan",
    "running": "blue",
    "retry_scheduled": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
}


def enqueued(value: Any, page: Page) -> None:
    """An order that was put into the queue, or that was there."""
    order = value["order"]
    word = "enqueued" if value["created"] else "was there already"
    page.line(f"#{order['id']} {word}, {_state(order, page)}: {one_line(order['title'])}")
    for note in value["notes"]:
        page.note(f"note: {one_line(note)}")


def line(value: Any, page: Page) -> None:
    """An order after a verb."""
    page.line(f"#{value['id']} {_state(value, page)}: {one_line(value['title'])}")


def reclaimed(value: Any, page: Page) -> None:
    """Orders that were taken back."""
    if not value["items"]:
        page.note("no running order has lost its worker")
    for one in value["items"]:
        line(one, page)


def table(value: Any, page: Page) -> None:
    """Orders, one a line; a failed one with its reason as far as there is room."""
    if not value["items"]:
        page.note("no orders")
        return
    rows = [
        [
            Cell(f"#{one['id']}"),
            Cell(one["state"], INKS.get(one["state"], "")),
            Cell(_attempts(one)),
            Cell(_exit(one)),
            Cell(page.age(one["created_at"])),
            Cell(_due(one, page)),
            Cell(one["title"], aside=_error(one)),
        ]
        for one in value["items"]
    ]
    page.table([">id", "state", ">tries", ">exit", ">age", ">starts", "order"], rows)
    if value["next"] is not None:
        page.note(f"more with --after {value['next']}")


def show(value: Any, page: Page) -> None:
    """One order: its state, its inputs, its attempts."""
    order = value["order"]
    title = page.ink("bold", f"#{order['id']} {one_line(order['title'])}")
    page.line(f"{title}  {_state(order, page)}")
    page.line(one_line(value["why"]))
    if value["next_step"]:
        page.line(f"{page.ink('dim', 'next:')} {one_line(value['next_step'])}")
    page.line()
    page.facts(_facts(order, value, page))
    if value["attempts"]:
        page.heading("Attempts")
        run_rows(value["attempts"], page, with_task=False)


def _facts(order: Any, value: Any, page: Page) -> list[tuple[str, str]]:
    command, runtime = value["command"], value["runtime"]
    status = value["exit_status"]
    limits = [
        f"{words} {runtime[name]}"
        for name, words in (("memory_bytes", "bytes"), ("cpus", "cpus"), ("pids", "pids"))
        if runtime[name] is not None
    ]
    return [
        ("command", shlex.join(command["argv"])),
        ("directory", command.get("cwd") or ""),
        ("env", " ".join(f"{k}={shlex.quote(v)}" for k, v in command.get("env", {}).items())),
        ("runtime", runtime["runtime"] or ""),
        ("mounts", " ".join(runtime["mounts"])),
        ("limits", ", ".join(limits)),
        ("workspace", value["workspace"]),
        ("profile", value["assignee"] or ""),
        ("tenant", value["tenant"] or ""),
        ("starts", page.when(order["next_at"])),
        ("tries", _attempts(order)),
        (
            "timeout",
            moments.span(value["max_runtime_ms"] / 1000) if value["max_runtime_ms"] else "",
        ),
        ("exit status", "" if status is None else str(status)),
        ("key", value["idempotency_key"] or ""),
        ("enqueued", f"{page.when(order['created_at'])} by {order['creator']}"),
        ("ended", page.when(order["ended_at"])),
    ]


def _state(order: Any, page: Page) -> str:
    return page.ink(INKS.get(order["state"], ""), order["state"])


def _attempts(order: Any) -> str:
    """How many attempts of how many; after a retry by hand there are more than were asked for."""
    made, most = order["attempts"], order["max_attempts"]
    return str(made) if most is None or made > most else f"{made}/{most}"


def _exit(order: Any) -> str:
    if order["exit_signal"] is not None:
        return f"signal {order['exit_signal']}"
    return "" if order["exit_code"] is None else str(order["exit_code"])


def _due(order: Any, page: Page) -> str:
    return page.until(order["next_at"]) if order["state"] in ("queued", "retry_scheduled") else ""


def _error(order: Any) -> str:
    return (order["error"] or "") if order["state"] in ("failed", "retry_scheduled") else ""
