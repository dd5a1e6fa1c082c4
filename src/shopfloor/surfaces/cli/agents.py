"""What agents bring to a board, as people read it: their profiles, their questions, and what they used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import one_line
from shopfloor.surfaces.cli.page import Cell, Page

STATE_INKS = {"open": "red", "answered": "green", "closed": "dim"}
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
MICROS = 1_000_000
QUOTA_INKS = {"parked": "red", "probing": "yellow", "opening": "green"}


def questions(value: Any, page: Page) -> None:
    """Questions, one a line, the newest first."""
    if not value:
        page.note("no questions")
        return
    rows = [
        [
            Cell(str(one["id"])),
            Cell(f"#{one['task']}"),
            Cell(one["state"], STATE_INKS[one["state"]]),
            Cell(page.age(one["asked_at"])),
            Cell(one["body"], aside=" or ".join(one["options"])),
        ]
        for one in value
    ]
    page.table([">question", ">task", "state", ">age", "words"], rows)
    waiting = [one for one in value if one["state"] == "open"]
    if waiting:
        page.note(f"answer with: {_answer_line(waiting[0], waiting)}")


def question(value: Any, page: Page) -> None:
    """One question with all its words."""
    state = page.ink(STATE_INKS[value["state"]], value["state"])
    page.line(f"question {value['id']} of #{value['task']}, {state}")
    page.text(value["body"], indent="  ")
    page.facts(
        [
            ("options", ", ".join(value["options"])),
            ("default", _default(value, page)),
            ("asked", f"{page.when(value['asked_at'])} by {value['asked_by']}"),
            ("answer", value["answer"] or ""),
            ("answered", _answered(value, page)),
        ]
    )
    if value["state"] == "open":
        page.line(f"{page.ink('dim', 'next:')} {_answer_line(value, [value])}")


def asking(value: Any, page: Page) -> None:
    """A question that was asked or answered just now, and where its task stands."""
    told = value["question"]
    word = "asked" if told["state"] == "open" else told["state"]
    page.line(f"question {told['id']} {word}; #{value['task']} is {value['status']}")


def quotas(value: Any, page: Page) -> None:
    """Accounts that are waited for, each with its countdown."""
    if not value:
        page.note("no account waits for its limit to end")
        return
    rows = [
        [
            Cell(one["account"]),
            Cell(one["state"], QUOTA_INKS[one["state"]]),
            Cell("" if one["left_s"] is None else moments.span(one["left_s"])),
            Cell(f"{one['rounds']}/{one['rounds_limit']}"),
            Cell(str(one["waiting"])),
            Cell("" if one["probe_task"] is None else f"#{one['probe_task']}"),
            Cell(one["reason"]),
        ]
        for one in value
    ]
    page.table(["account", "state", ">opens in", ">rounds", ">waiting", ">probe", "reason"], rows)


def cleared(value: Any, page: Page) -> None:
    """An account whose tasks may start now."""
    page.line(f"{one_line(value['account'])}: its tasks may start now")


def usage(value: Any, page: Page) -> None:
    """What was used, the dearest first."""
    if not value["rows"]:
        page.note("nothing was used")
        return
    rows = [
        [
            Cell(f"#{one['name']}" if value["by"] == "task" else one["name"] or "(unknown)"),
            Cell(str(one["runs"])),
            *(Cell(f"{one[kind]:,}") for kind in TOKENS),
            Cell(
                money(one["cost_micros"]) + ("+" if one["unpriced"] and one["cost_micros"] else "")
            ),
        ]
        for one in value["rows"]
    ]
    page.table([value["by"], ">runs", ">input", ">output", ">cache read", ">write", ">cost"], rows)
    if any(one["unpriced"] for one in value["rows"]):
        page.note("some runs told no cost; theirs is not in these figures")


def money(micros: int | None) -> str:
    """A cost in US dollars, as exactly as its size asks for."""
    if micros is None:
        return ""
    return (
        f"${micros / MICROS:.2f}" if micros >= MICROS or not micros else f"${micros / MICROS:.4f}"
    )


def spent(value: dict[str, Any]) -> list[tuple[str, str]]:
    """What a task has used, and its limits, as facts of its page."""
    tokens = f"{value['tokens']:,}" if value["tokens"] else ""
    cost = money(value["cost_micros"]) if value["cost_micros"] else ""
    most = value["max_tokens"], value["max_cost_micros"]
    return [
        ("tokens", tokens if most[0] is None else f"{value['tokens']:,} of {most[0]:,}"),
        ("cost", cost if most[1] is None else f"{money(value['cost_micros'])} of {money(most[1])}"),
    ]


def change(value: Any, page: Page) -> None:
    """A worktree's change, as git tells it."""
    if not value["text"]:
        page.note(f"#{value['task']} has changed nothing in {one_line(value['workspace'])}")
        return
    page.raw(value["text"].encode() + b"\n")
    if value["truncated"]:
        page.note(f"this is the beginning; the whole is in {one_line(value['workspace'])}")


def listed(found: Sequence[dict[str, Any]], page: Page) -> None:
    """The questions of a task on its own page."""
    for one in found:
        state = page.ink(STATE_INKS[one["state"]], one["state"])
        answer = f": {one_line(one['answer'])}" if one["answer"] else ""
        page.line(f"{one['id']} {state}  {one_line(one['body'])}{answer}")


def _default(value: dict[str, Any], page: Page) -> str:
    if value["default"] is None:
        return ""
    return f"{value['default']} (from {page.when(value['deadline'])} on)"


def _answered(value: dict[str, Any], page: Page) -> str:
    if value["answered_at"] is None:
        return ""
    return f"{page.when(value['answered_at'])} by {value['answered_by']}"


def _answer_line(one: dict[str, Any], among: Sequence[dict[str, Any]]) -> str:
    several = sum(other["task"] == one["task"] for other in among) > 1
    which = f" --question {one['id']}" if several else ""
    return f"shop answer {one['task']} TEXT{which}"


def profiles(value: Any, page: Page) -> None:
    """Profiles, one a line, with what each is good for."""
    if not value:
        page.note("no profiles; `shop profile add` writes one, and agent programs in PATH are some")
        return
    rows = [
        [
            Cell(one["name"]),
            Cell(one["preset"] or one["kind"]),
            Cell(one["model"] or ""),
            Cell(f"{one['running']}" + (f"/{one['cap']}" if one["cap"] else "")),
            Cell("paused", "red") if one["paused"] else Cell(""),
            Cell(one["description"]),
        ]
        for one in value
    ]
    page.table(["profile", "program", "model", ">runs", "state", "good for"], rows)


def trial(value: Any, page: Page) -> None:
    """What a trial of a profile showed."""
    for one in value["findings"]:
        mark = page.ink("green", "ok  ") if one["well"] else page.ink("red", "BAD ")
        page.line(f"{mark} {one['what']}: {one_line(one['sentence'])}")
    if value["resumed"]:
        page.line(f"{one_line(value['name'])} is no longer paused")
    elif not value["well"]:
        page.note(f"{value['name']} is not ready; put it right and check it again")
