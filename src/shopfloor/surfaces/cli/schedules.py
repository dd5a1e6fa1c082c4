"""Schedules as people read them; their times are those of the schedule's own zone, named where it is another."""

from __future__ import annotations

import shlex
from datetime import UTC, tzinfo
from importlib import import_module
from typing import Any

from shopfloor.domain.durations import short
from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import STATUS_INKS, one_line
from shopfloor.surfaces.cli.page import Cell, Page

LATE_S = 60
# What of a request has a line of its own.
TOLD = frozenset({"title", "body", "assignee", "command", "argv"})
STATE_INKS = {"active": "green", "overdue": "red", "paused": "yellow", "over": "dim"}
OUTCOME_INKS = {"fired": "green", "skipped": "yellow", "missed": "yellow", "refused": "red"}


def schedules(value: Any, page: Page) -> None:
    """Schedules, one a line: when next, and what became of the last time."""
    if not value["items"]:
        page.note('no schedules; add one with `shop cron add "every day at 9" TITLE`')
        return
    rows = []
    for one in value["items"]:
        last, state = one["last"], _state(one, page)
        rows.append(
            [
                Cell(one["name"]),
                Cell(state, STATE_INKS[state]),
                Cell(_when_there(one["next"], one["zone"], page) or "-"),
                Cell("-" if last is None else _became(last), _ink(last)),
                Cell(one["words"], aside=one["task"]["title"]),
            ]
        )
    page.table(["schedule", "state", "next", "last", "when"], rows)
    if any(_state(one, page) == "overdue" for one in value["items"]):
        page.note("what is overdue waits for a dispatcher; start one with `shop up`")
    if value["next"] is not None:
        page.note(f"more with --after {value['next']}")


def schedule(value: Any, page: Page) -> None:
    """A schedule that was made or changed: how it is understood, and when it is due."""
    state = page.ink(STATE_INKS[value["state"]], value["state"])
    page.line(f"{page.ink('bold', value['name'])}  {state}: {one_line(value['task']['title'])}")
    _upcoming(value, page)


def added(value: Any, page: Page) -> None:
    """A new schedule, and what its maker should know."""
    schedule(value["schedule"], page)
    for note in value["notes"]:
        page.note(f"note: {one_line(note)}")


def detail(value: Any, page: Page) -> None:
    """A schedule with its policies, its task and its latest firings."""
    one = value["schedule"]
    schedule(one, page)
    page.line()
    page.facts(_facts(one, page))
    body = one["task"].get("body", "")
    if body.strip():
        page.line()
        page.text(body)
    if value["firings"]:
        page.heading("Firings")
        _firings(value["firings"], one["zone"], page)
        _hint(value["firings"], page)


def history(value: Any, page: Page) -> None:
    """What became of each due time, the newest first."""
    if not value["items"]:
        page.note("it has not been due yet")
        return
    _firings(value["items"], value["zone"], page)
    if value["next"] is not None:
        page.note(f"more with --before {value['next']}")
    else:
        _hint(value["items"], page)


def fired(value: Any, page: Page) -> None:
    """One firing by hand."""
    page.line(f"#{value['task']} {value['status']}: firing {value['number']}")


def upcoming(value: Any, page: Page) -> None:
    """How a rule is understood."""
    _upcoming(value, page)


def removed(value: Any, page: Page) -> None:
    """A schedule that is gone."""
    page.line(f"{one_line(value['name'])} removed; its tasks stay on the board")


def _state(one: dict[str, Any], page: Page) -> str:
    """Whether it will fire by itself; overdue: it should have, and nobody was there to do it."""
    late = one["next"] is not None and moments.seconds_since(one["next"], page.now_ms) > LATE_S
    return "overdue" if late else str(one["state"])


def _upcoming(value: dict[str, Any], page: Page) -> None:
    rule = value["expression"] if value["kind"] == "cron" else ""
    if value["kind"] == "every":
        rule = f"every {short(int(value['expression']))}"
    parts = [rule, value["zone"]]
    page.line(page.ink("dim", "  ".join(part for part in parts if part)))
    for time in value["upcoming"]:
        page.line(f"  {_weekday(time, value['zone'])}")


def _facts(one: dict[str, Any], page: Page) -> list[tuple[str, str]]:
    task = one["task"]
    command = task.get("command")
    keeps = f"{one['keep']} firings"
    if one["keep_for_ms"] is not None:
        keeps += f", for {short(one['keep_for_ms'])}"
    missed = one["missed"]
    if missed != "none":
        missed += f", up to {short(one['window_ms'])} late"
    return [
        ("when", one["words"]),
        ("assignee", task.get("assignee") or ""),
        ("command", "" if command is None else shlex.join(command["argv"])),
        *_asked({**task, **(command or {})}),
        ("overlap", one["overlap"]),
        ("missed", missed),
        ("jitter", short(one["jitter_ms"]) if one["jitter_ms"] else ""),
        ("until", _when_there(one["until"], one["zone"], page)),
        ("fired", f"{one['fired']}" + (f" of {one['count']}" if one["count"] else "")),
        ("keeps", keeps),
        ("paused", _paused(one, page)),
        ("created", f"{page.when(one['created_at'])} by {one['creator']}"),
    ]


def _asked(task: dict[str, Any]) -> list[tuple[str, str]]:
    """What else was asked for, in the request's own words, so that nothing of it is out of sight."""
    rows = []
    for name, value in task.items():
        if name in TOLD or value in (None, [], {}):
            continue
        words = name.removesuffix("_ms").replace("_", " ")
        rows.append((words, one_line(_asked_words(name, value))))
    return rows


def _asked_words(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return short(value)
    if name == "backoff":
        return short(value["base_ms"])
    if isinstance(value, dict):
        return " ".join(f"{key}={shlex.quote(str(inner))}" for key, inner in value.items())
    if isinstance(value, list):
        return shlex.join(str(inner) for inner in value)
    return "yes" if value is True else str(value)


def _paused(one: dict[str, Any], page: Page) -> str:
    return (
        "" if one["paused_at"] is None else f"{page.when(one['paused_at'])} by {one['paused_by']}"
    )


def _firings(found: list[dict[str, Any]], zone: str, page: Page) -> None:
    rows = [
        [
            Cell(_when_there(one["due"], zone, page)),
            Cell(one["outcome"], OUTCOME_INKS.get(one["outcome"], "")),
            Cell("" if one["task"] is None else f"#{one['task']}"),
            Cell(one["status"] or "", STATUS_INKS.get(one["status"] or "", "")),
            Cell(_late(one)),
            Cell(_words(one)),
        ]
        for one in found
    ]
    page.table(["due", "outcome", ">task", "status", ">late", "words"], rows)


def _hint(found: list[dict[str, Any]], page: Page) -> None:
    """Where the output of the latest firing is."""
    latest = next((one["task"] for one in found if one["kept"]), None)
    if latest is not None:
        page.note(f"the output of #{latest}: shop log {latest}")


def _words(one: dict[str, Any]) -> str:
    by = f"by {one['by']}" if one["by"] else ""
    said = (
        one["reason"] or one["summary"] or (one["error"] if one["status"] != "done" else "") or ""
    )
    gone = "" if one["kept"] or one["outcome"] != "fired" else "output not kept"
    return "; ".join(part for part in (by, said, gone) if part)


def _late(one: dict[str, Any]) -> str:
    seconds = moments.seconds_between(one["due"], one["at"])
    return moments.span(seconds) if one["outcome"] == "fired" and seconds >= 1 else ""


def _became(last: dict[str, Any]) -> str:
    if last["outcome"] != "fired":
        return str(last["outcome"])
    return f"#{last['task']} {last['status']}" if last["status"] else "fired"


def _ink(last: dict[str, Any] | None) -> str:
    if last is None:
        return ""
    return STATUS_INKS.get(last["status"] or "", OUTCOME_INKS.get(last["outcome"], ""))


def _when(time: str | None, zone: str) -> str:
    return "" if time is None else moments.local(time, _zone(zone)).removesuffix(":00")


def _when_there(time: str | None, zone: str, page: Page) -> str:
    """The time in the schedule's zone, with the zone's name where the reader's clock says something else."""
    found = moments.parse(time or "")
    if found is None or time is None or moments.local(time, _zone(zone)) == page.when(time):
        return _when(time, zone)
    return f"{_when(time, zone)} {found.astimezone(_zone(zone)):%Z}"


def _weekday(time: str, zone: str) -> str:
    found = moments.parse(time)
    assert found is not None, "a due time is a time"
    local = found.astimezone(_zone(zone))
    return f"{local:%a} {_when(time, zone)} {local:%Z}"


def _zone(name: str) -> tzinfo:
    """A time zone, which only schedules need; UTC where this machine does not know it."""
    zones = import_module("zoneinfo")
    try:
        found: tzinfo = zones.ZoneInfo(name)
    except (zones.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
    return found
