"""A task's own page: what it is, why it does not move, its attempts, words, files and latest events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shopfloor.surfaces.cli import agents, moments
from shopfloor.surfaces.cli.console import STATUS_INKS, one_line
from shopfloor.surfaces.cli.page import Cell, Page
from shopfloor.surfaces.cli.receipts import short

EVENTS_SHOWN = 10
WIDE = 100


def show(value: Any, page: Page) -> None:
    """A task with everything that belongs to it."""
    task = value["task"]
    status = page.ink(STATUS_INKS.get(task["status"], ""), task["status"])
    title = page.ink("bold", f"#{task['id']} {one_line(task['title'])}")
    page.line(f"{title}  {status}")
    page.line(one_line(value["why"]["sentence"]))
    if value["why"]["next_step"]:
        page.line(f"{page.ink('dim', 'next:')} {one_line(value['why']['next_step'])}")
    page.line()
    page.facts(_facts(task, value, page))
    if task["body"].strip():
        page.line()
        page.text(task["body"])
    if value["diagnostics"]:
        page.heading("Diagnostics")
        findings(value["diagnostics"], page)
    _links(value, page)
    if value["runs"]:
        page.heading("Attempts")
        run_rows(value["runs"], page, with_task=False)
    _words(value, page)
    _undelivered(value["undelivered"], page)
    _latest(value["events"], page)


def why(value: Any, page: Page) -> None:
    """Why a task is not moving: the sentence, since when, the next step."""
    page.line(one_line(value["sentence"]))
    since = f"since {page.when(value['since'])} ({page.age(value['since'])})"
    until = ""
    if value["until"]:
        left = page.until(value["until"])
        until = f", until {page.when(value['until'])}{f' ({left})' if left else ''}"
    page.line(page.ink("dim", f"{since}{until}"))
    if value["next_step"]:
        page.line(f"next: {one_line(value['next_step'])}")


SEVERITY_INKS = {"error": "red", "warning": "yellow"}


def findings(items: Sequence[dict[str, Any]], page: Page, *, name_tasks: bool = False) -> None:
    """What is wrong: a line each, and below it the commands that end it."""
    for one in items:
        about = ""
        if name_tasks and one["task"] is not None:
            about = f"#{one['task']} {one_line(one['title'])}: "
        severity = page.ink(SEVERITY_INKS.get(one["severity"], ""), one["severity"])
        since = page.ink("dim", f"({one['code']}, {page.age(one['since'])})")
        page.line(f"{severity}  {about}{one_line(one['sentence'])} {since}")
        commands = [one_line(step["command"]) for step in one["steps"]]
        widest = max(map(len, commands), default=0)
        for command, step in zip(commands, one["steps"], strict=True):
            words = page.ink("dim", one_line(step["title"]))
            page.line(f"  {command.ljust(widest)}  {words}")


def comment(value: Any, page: Page) -> None:
    """One comment: who and when, then the words."""
    number = page.ink("dim", f"({value['id']})")
    page.line(f"{one_line(value['author'])}, {page.when(value['created_at'])} {number}")
    page.text(value["body"], indent="  ")


def comments(value: Any, page: Page) -> None:
    """All comments of a task."""
    if not value:
        page.note("no comments")
    for one in value:
        comment(one, page)


def runs(value: Any, page: Page) -> None:
    """Attempts of any task."""
    if not value:
        page.note("no attempts")
        return
    run_rows(value, page, with_task=True)


def run_rows(runs: Sequence[dict[str, Any]], page: Page, *, with_task: bool) -> None:
    """Attempts as a table, with what went wrong."""
    rows = []
    # Where there is little room, what went wrong is worth more than the receipt's hash.
    is_wide = page.width is None or page.width >= WIDE
    has_receipts = is_wide and any(run["receipt"] for run in runs)
    for run in runs:
        told = run["outcome"] or run["state"]
        row = [Cell(str(run["id"]))]
        row += [Cell(f"#{run['task']}")] if with_task else []
        row += [
            Cell(run["role"]),
            Cell(run["profile"] or "-"),
            Cell(told.replace("_", " "), _outcome_ink(run)),
            Cell(page.age(run["claimed_at"])),
            Cell(page.lasted(run["started_at"] or run["claimed_at"], run["ended_at"])),
            Cell(_exit(run)),
            *([Cell(short(run["receipt"]))] if has_receipts else []),
            Cell(run["error"] or run["summary"] or run["heartbeat_note"] or ""),
        ]
        rows.append(row)
    head = [
        ">run",
        *([">task"] if with_task else []),
        "role",
        "profile",
        "outcome",
        ">age",
        ">took",
        ">exit",
        *(["receipt"] if has_receipts else []),
        "words",
    ]
    page.table(head, rows)


def _outcome_ink(run: dict[str, Any]) -> str:
    if run["outcome"] is None:
        return "blue"
    return (
        "green"
        if run["outcome"] in ("completed", "review_requested")
        else "red"
        if run["error"]
        else ""
    )


def _exit(run: dict[str, Any]) -> str:
    if run["exit_signal"] is not None:
        return f"signal {run['exit_signal']}"
    return "" if run["exit_code"] is None else str(run["exit_code"])


def _facts(task: dict[str, Any], value: Any, page: Page) -> list[tuple[str, str]]:
    progress = (
        f"{value['progress_done']}/{value['progress_total']}" if value["progress_total"] else ""
    )
    return [
        ("assignee", task["assignee"] or ""),
        ("command", _command(task["command"])),
        ("check", _quoted(task["check"] or [])),
        ("priority", str(task["priority"] or "")),
        ("progress", progress),
        *_settings(task),
        ("attempts", _attempts(task)),
        *agents.spent(value["spent"]),
        ("last error", task["last_error"] or ""),
        ("blocked", _blocked(task)),
        ("due", page.when(task["not_before"])),
        ("summary", task["summary"] or ""),
        ("result", task["result"] or ""),
        (
            "metadata",
            "" if task["metadata"] is None else json.dumps(task["metadata"], ensure_ascii=False),
        ),
        ("created", f"{page.when(task['created_at'])} by {task['creator']}"),
        ("started", page.when(task["started_at"])),
        ("ended", page.when(task["ended_at"])),
    ]


def _settings(task: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields that are shown as they are, where they are set."""
    workspace = task["workspace_kind"] if task["workspace_kind"] != "scratch" else ""
    if task["workspace_path"]:
        workspace = f"{task['workspace_kind']}:{task['workspace_path']}"
    backoff = task["backoff"]
    return [
        ("tenant", task["tenant"] or ""),
        ("origin", f"#{task['origin']}" if task["origin"] else ""),
        ("skills", ", ".join(task["skills"])),
        ("model", " ".join(filter(None, (task["provider"], task["model"])))),
        ("template", " ".join(filter(None, (task["template"], task["step"])))),
        ("session", task["session"] or ""),
        ("key", task["idempotency_key"] or ""),
        ("workspace", workspace),
        ("branch", task["branch"] or ""),
        ("artifacts", ", ".join(task["artifacts"])),
        ("starts", "also after a failed parent" if task["start_after"] == "any" else ""),
        ("max runtime", _milliseconds(task["max_runtime_ms"])),
        ("backoff", _milliseconds(backoff["base_ms"]) if backoff else ""),
        ("goal", f"at most {task['goal_turns'] or 'the usual'} turns" if task["goal"] else ""),
        ("forced", "yes" if task["forced"] else ""),
    ]


def _milliseconds(length: int | None) -> str:
    return "" if length is None else moments.span(length / 1000)


def _attempts(task: dict[str, Any]) -> str:
    if not task["attempts"]:
        return ""
    failed = f", {task['failures']} failed in a row" if task["failures"] else ""
    most = f", given up at {task['max_attempts']}" if task["max_attempts"] else ""
    return f"{task['attempts']}{failed}{most}"


def _blocked(task: dict[str, Any]) -> str:
    if task["status"] != "blocked":
        return ""
    return f"{(task['block_kind'] or '').replace('_', ' ')}: {task['block_reason'] or ''}"


def _command(command: dict[str, Any] | None) -> str:
    if command is None:
        return ""
    environment = [f"{name}={value}" for name, value in command.get("env", {}).items()]
    words = _quoted([*environment, *command["argv"]])
    return f"{words}  (in {command['cwd']})" if command.get("cwd") else words


def _quoted(words: Sequence[str]) -> str:
    """The words as a shell would take them."""
    return " ".join(
        word
        if word and all(c.isalnum() or c in "-_./=:,@%+" for c in word)
        else "'" + word.replace("'", "'\\''") + "'"
        for word in words
    )


def _links(value: Any, page: Page) -> None:
    for title, key in (("Waits for", "parents"), ("Is waited for by", "children")):
        if value[key]:
            page.heading(title)
            for other in value[key]:
                ink = page.ink(STATUS_INKS.get(other["status"], ""), other["status"])
                waived = "  (waived)" if other["waived"] else ""
                page.line(f"#{other['id']} {ink}  {one_line(other['title'])}{waived}")


def _words(value: Any, page: Page) -> None:
    if value["questions"]:
        page.heading("Questions")
        agents.listed(value["questions"], page)
    if value["comments"]:
        page.heading("Comments")
        for one in value["comments"]:
            comment(one, page)
    if value["attachments"]:
        page.heading("Attachments")
        for one in value["attachments"]:
            page.line(f"{one_line(one['name'])}  {one['size']} bytes  {one_line(one['path'])}")


def _undelivered(lost: Sequence[dict[str, Any]], page: Page) -> None:
    """Messages about the task that have not arrived; its own course is not touched by them."""
    if not lost:
        return
    page.heading("Not delivered")
    for one in lost:
        after = (
            f"given up; shop notify retry {one['delivery']}"
            if one["state"] == "given_up"
            else "is tried again"
        )
        page.line(f"message {one['delivery']}: {one_line(one['error'])} ({after})")


def _latest(events: Sequence[dict[str, Any]], page: Page) -> None:
    if not events:
        return
    page.heading("Latest events")
    shown = events[-EVENTS_SHOWN:]
    kinds = max(len(event["kind"]) for event in shown)
    actors = max(len(one_line(event["actor"])) for event in shown)
    for event in shown:
        words = event["data"].get("reason") if isinstance(event["data"], dict) else None
        who = one_line(event["actor"])
        tail = f"{' ' * (actors - len(who))}  {one_line(words)}" if isinstance(words, str) else ""
        page.line(
            f"{page.when(event['at'])}  {event['kind'].ljust(kinds)}  {page.ink('dim', who)}{tail}"
        )
