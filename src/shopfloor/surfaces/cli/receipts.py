"""Receipts as people read them: one, many, and what a check of the chain found."""

from __future__ import annotations

from typing import Any

from shopfloor.surfaces.cli.console import one_line
from shopfloor.surfaces.cli.page import Cell, Page

HASH_SHOWN = 12


def short(digest: str | None) -> str:
    """The beginning of a hash, enough to tell one from another."""
    return "" if digest is None else digest[:HASH_SHOWN]


def receipt(value: Any, page: Page) -> None:
    """One receipt, in the order of what people ask: what, who, how it ended, what it made."""
    told = value["receipt"]
    end, asked, worker, times = told["end"], told["asked"], told["worker"], told["times"]
    used, output = told["used"], told["output"] or {}
    title = page.ink("bold", f"receipt {value['id']}")
    page.line(f"{title}  {page.ink(_ink(end['outcome']), end['outcome'].replace('_', ' '))}")
    page.facts(
        [
            ("task", f"#{value['task']} {told['task']['title']}"),
            ("run", f"{value['run']}, attempt {told['run']['attempt']}, {told['run']['role']}"),
            ("command", _words(asked["command"])),
            ("directory", asked["directory"] or ""),
            ("check", _words(asked["check"])),
            ("asked by", told["task"]["creator"]),
            ("ended by", end["by"] or ""),
            ("error", end["error"] or ""),
            ("exit", _exit(end)),
            ("profile", worker["profile"] or ""),
            ("where", " ".join(filter(None, (worker["host"], _runtime(worker))))),
            ("workspace", worker["workspace"] or ""),
            ("environment", told["environment"]["digest"] or ""),
            ("claimed", page.when(times["claimed"])),
            ("started", page.when(times["started"])),
            ("ended", page.when(times["ended"])),
            ("took", page.lasted(times["started"] or times["claimed"], times["ended"])),
            ("used", _used(used)),
            ("output", f"{output['bytes']} bytes" if output else ""),
            ("output hash", output.get("sha256") or ""),
            ("hash", value["hash"]),
            ("before it", told["previous"]),
            ("signed with", value["key"] or ""),
        ]
    )
    if told["artifacts"]:
        page.heading("Artifacts")
        for one in told["artifacts"]:
            page.line(f"{one_line(one['name'])}  {one['size']} bytes  {one['sha256']}")


def _ink(outcome: str) -> str:
    return "green" if outcome in ("completed", "review_requested") else "yellow"


def _exit(end: dict[str, Any]) -> str:
    if end["signal"] is not None:
        return f"signal {end['signal']}"
    return "" if end["exit_code"] is None else str(end["exit_code"])


def _runtime(worker: dict[str, Any]) -> str:
    if worker["runtime"] in {"host", None}:
        return ""
    name = f" ({worker['container']})" if worker["container"] else ""
    return f"in {worker['runtime']}{name}"


def _words(argv: list[str] | None) -> str:
    return " ".join(argv or [])


def _used(used: dict[str, Any]) -> str:
    parts = []
    if used["user_ms"] is not None:
        parts.append(f"{(used['user_ms'] + used['system_ms']) / 1000:.2f} s of processor")
    if used["input_tokens"]:
        parts.append(f"{used['input_tokens']} + {used['output_tokens']} tokens")
    if used["cost_micros"]:
        parts.append(f"${used['cost_micros'] / 1_000_000:.4f}")
    return ", ".join(parts)


def listed(value: Any, page: Page) -> None:
    """Receipts, the newest first."""
    if not value["items"]:
        page.note("no receipts: no attempt has ended yet")
        return
    rows = [
        [
            Cell(str(one["id"])),
            Cell(f"#{one['task']}"),
            Cell(str(one["run"])),
            Cell(one["outcome"].replace("_", " "), _ink(one["outcome"])),
            Cell("" if one["exit_code"] is None else str(one["exit_code"])),
            Cell(page.age(one["written_at"])),
            Cell(short(one["hash"])),
            Cell("yes" if one["signed"] else ""),
            Cell(one["title"]),
        ]
        for one in value["items"]
    ]
    head = [">id", ">task", ">run", "outcome", ">exit", ">age", "hash", "signed", "title"]
    page.table(head, rows)
    if value["next"] is not None:
        page.note(f"more with --before {value['next']}")


def verified(value: Any, page: Page) -> None:
    """What is wrong with the chain, or that nothing is."""
    count = value["receipts"]
    for one in value["problems"]:
        page.line(f"{page.ink('red', one['code'])}  {one_line(one['sentence'])} ({one['where']})")
    for note in value["notes"]:
        page.note(f"note: {one_line(note)}")
    if not value["ok"]:
        return
    page.line(f"{count} receipt(s), one chain, nothing changed; the last hash is {value['hash']}")
    if value["signed"]:
        page.line(f"signed up to receipt {value['signed']} with the key {value['key']}")


def made_key(value: Any, page: Page) -> None:
    """The new key, and what to do with it."""
    page.line(value["key"])
    page.note(
        f"receipts are signed from now on; the public key is also in {one_line(value['file'])}"
    )
    page.note(
        f"keep it where nobody can change it, and check with `shop receipt verify --key {value['key'][:8]}…`"
    )


def rebuilt(value: Any, page: Page) -> None:
    """The files that were written anew."""
    page.line(f"{value['receipts']} receipt(s) written to {one_line(value['folder'])}")
    if value["before"]:
        page.note(f"the files from before are in {one_line(value['before'])}")
