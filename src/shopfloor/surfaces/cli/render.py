"""Answers as people read them: a function for each type of result, and one for all others.

A result type that has no function here is shown as its names and values, so that a new operation
answers something before anybody writes a line for it.  Nothing is asked here: what a function
needs is in the answer.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import STATUS_INKS, cells, cut, one_line
from shopfloor.surfaces.cli.page import Cell, Page

KIND_WIDTH = 20

Renderer = Callable[[Any, Page], None]


def render(kind: str, value: Any, page: Page) -> None:
    """Write an answer of that type on the page."""
    module = _PLACES.get(kind)
    if module is None:
        _OWN.get(kind, generic)(value, page)
    else:
        getattr(import_module(module), _ELSEWHERE[module][kind])(value, page)


def names(value: Any) -> list[str]:
    """The numbers or names of what an answer is about, for --quiet."""
    if isinstance(value, list):
        return [name for one in value for name in names(one)]
    if not isinstance(value, dict):
        return []
    for key in ("secret", "id", "slug", "name", "code", "url"):
        if isinstance(value.get(key), int | str):
            return [str(value[key])]
    return next(
        (
            names(value[key])
            for key in ("task", "items", "order", "root", "child", "schedule")
            if key in value
        ),
        [],
    )


def generic(value: Any, page: Page) -> None:
    """Any answer: names and values, a table for a list or a page of one, words as they are."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        _generic_table(value["items"], page)
        if value.get("next") is not None:
            page.note(f"more from {value['next']} on")
    elif isinstance(value, dict):
        page.facts([(key.replace("_", " "), _plain(one, page)) for key, one in value.items()])
    elif isinstance(value, list):
        _generic_table(value, page)
    else:
        page.text(_plain(value, page))


def _generic_table(rows: list[Any], page: Page) -> None:
    if not rows:
        page.note("nothing")
    elif all(isinstance(row, dict) for row in rows):
        keys = [key for key in rows[0] if not isinstance(rows[0][key], dict | list)]
        head = [key.replace("_", " ") for key in keys]
        page.table(head, [[Cell(_plain(row.get(key), page)) for key in keys] for row in rows])
    else:
        for row in rows:
            page.line(one_line(_plain(row, page)))


def _plain(value: Any, page: Page) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return page.when(value) if moments.parse(value) else value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def _status(task: dict[str, Any], page: Page) -> str:
    return page.ink(STATUS_INKS.get(task["status"], ""), task["status"])


def _done(value: Any, page: Page) -> None:
    note = value.get("note")
    tail = f" ({one_line(note)})" if note else ""
    page.line(f"#{value['id']} {_status(value, page)}: {one_line(value['title'])}{tail}")


def _created(value: Any, page: Page) -> None:
    task = value["task"]
    word = "created" if value["created"] else "was there already"
    page.line(f"#{task['id']} {word}, {_status(task, page)}: {one_line(task['title'])}")
    for note in value["notes"]:
        page.note(f"note: {one_line(note)}")


def _deleted(value: Any, page: Page) -> None:
    page.line(f"#{value['id']} deleted")


def _tasks(value: Any, page: Page) -> None:
    tasks = value["items"]
    if not tasks:
        page.note("no tasks")
        return
    task_table(tasks, page)
    if value["next"] is not None:
        page.note(f"more with --after {value['next']}")


def task_table(tasks: Sequence[dict[str, Any]], page: Page) -> None:
    """Tasks, one a line; with the reason or the time of what waits, as far as there is room."""
    ranked = any(task["priority"] for task in tasks)
    rows = []
    for task in tasks:
        ink = STATUS_INKS.get(task["status"], "")
        row = [Cell(f"#{task['id']}"), Cell(task["status"], ink)]
        row += [Cell(str(task["priority"]))] if ranked else []
        row += [Cell(task["assignee"] or "-"), Cell(page.age(task["created_at"]))]
        reason = task["block_reason"] if task["status"] == "blocked" else ""
        due = page.until(task["not_before"]) if task["status"] in ("scheduled", "ready") else ""
        lost = f"✉ not told: {task['undelivered']}" if task["undelivered"] else ""
        asides = filter(None, (reason, due, lost))
        rows.append([*row, Cell(task["title"], aside="  ".join(asides))])
    head = [">id", "status", *([">pri"] if ranked else []), "assignee", ">age", "title"]
    page.table(head, rows)


def _linked(value: Any, page: Page) -> None:
    if not value["changed"]:
        page.note("the link was there already")
    task_table([value["child"]], page)


def _decomposed(value: Any, page: Page) -> None:
    task_table([value["root"], *value["pieces"]], page)


def _run(value: Any, page: Page) -> None:
    shown = dict(value)
    shown["task"] = f"#{value['task']}"
    shown["lasted"] = page.lasted(value["started_at"], value["ended_at"])
    generic(shown, page)


def _claim(value: Any, page: Page) -> None:
    page.note(
        f"#{value['task']} claimed as run {value['run']}, attempt {value['attempt']}: {one_line(value['title'])}"
    )
    for name in ("task", "run", "token"):
        page.line(f"export SHOPFLOOR_{name.upper()}={value[name]}")


def _attachment(value: Any, page: Page) -> None:
    page.line(f"{one_line(value['name'])}{_size(value['size'])}: {one_line(value['path'])}")


def _attachments(value: Any, page: Page) -> None:
    if not value:
        page.note("no attachments")
        return
    rows = [
        [
            Cell(one["name"]),
            Cell(str(one["size"])),
            Cell(page.age(one["created_at"])),
            Cell(one["path"]),
        ]
        for one in value
    ]
    page.table(["name", ">bytes", ">age", "path"], rows)


def _size(size: int) -> str:
    return f" ({size} bytes)"


def _file(value: Any, page: Page) -> None:
    page.raw(a2b_base64(value["content"]))


def _log(value: Any, page: Page) -> None:
    if not value["exists"]:
        page.note(f"#{value['task']} has no log here: {one_line(value['note'])}")
        return
    if value["truncated"]:
        page.note(f"the end of {value['size']} bytes; all that is kept is in {value['path']}*")
    page.raw(value["text"].encode())


def _context(value: Any, page: Page) -> None:
    if value["news"]:
        page.note(f"the session {one_line(value['session'])} goes on, and is told:")
        page.text(value["news"])
        page.note("which can read all of this again:")
    page.text(value["text"])


def event_line(event: dict[str, Any], page: Page) -> str:
    """One event as a line: when, which task, what, and what was said."""
    task = "" if event["task"] is None else f"#{event['task']}"
    head = f"{page.when(event['at'])}  {task:>6}  "
    kind, who = event["kind"].ljust(KIND_WIDTH), one_line(event["actor"])
    said = one_line(" ".join(_said(event["data"])))
    if page.width is not None:
        said = cut(said, page.width - cells(f"{head}{kind}  {who}  "))
    ink = STATUS_INKS.get(event["status"] or "", "")
    return f"{head}{page.ink(ink, kind)}  {page.ink('dim', who)}  {said}".rstrip()


def _said(data: Any) -> list[str]:
    if not isinstance(data, dict):
        return [] if data is None else [str(data)]
    parts = []
    for key, value in data.items():
        if value in (None, "", [], {}):
            continue
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(shown if key in ("reason", "summary", "note") else f"{key}={shown}")
    return parts


def _events(value: Any, page: Page) -> None:
    if not value["events"]:
        page.note("no events")
    for event in value["events"]:
        page.line(event_line(event, page))


# What is shown by functions of this file, and by those of other files, which are loaded when one is needed: a list
# needs none of them, and starts fast.
_OWN: dict[str, Renderer] = {
    "Done": _done,
    "TaskView": _done,
    "Created": _created,
    "Deleted": _deleted,
    "TaskPage": _tasks,
    "Linked": _linked,
    "Decomposed": _decomposed,
    "RunView": _run,
    "ClaimView": _claim,
    "AttachmentView": _attachment,
    "list[AttachmentView]": _attachments,
    "FileContent": _file,
    "Log": _log,
    "ContextText": _context,
    "EventPage": _events,
}
_ELSEWHERE: dict[str, dict[str, str]] = {
    "shopfloor.surfaces.cli.upkeep": {
        "TokenList": "tokens",
        "TokenView": "token",
        "NewToken": "new_token",
        "LinkView": "login_link",
        "AuditPage": "audit",
        "Stats": "stats",
        "BoardView": "board",
        "list[BoardView]": "boards",
        "Removed": "removed",
        "list[HoldView]": "holds",
        "Paused": "paused",
        "Resumed": "resumed",
        "DispatchReport": "report",
        "FsckView": "fsck",
        "Diagnosis": "diagnosis",
        "list[HookView]": "hooks",
    },
    "shopfloor.surfaces.cli.sheet": {
        "TaskDetail": "show",
        "WhyView": "why",
        "list[RunView]": "runs",
        "CommentView": "comment",
        "list[CommentView]": "comments",
    },
    "shopfloor.surfaces.cli.agents": {
        "QuestionView": "question",
        "list[QuestionView]": "questions",
        "Asking": "asking",
        "list[QuotaView]": "quotas",
        "ClearedView": "cleared",
        "UsageTable": "usage",
        "DiffView": "change",
        "list[ProfileView]": "profiles",
        "ProfileCheck": "trial",
    },
    "shopfloor.surfaces.cli.overview": {
        "NeedPage": "needs",
        "GraphView": "graph",
        "Timeline": "timeline",
        "History": "history",
    },
    "shopfloor.surfaces.cli.receipts": {
        "ReceiptView": "receipt",
        "ReceiptPage": "listed",
        "Verified": "verified",
        "KeyView": "made_key",
        "Rebuilt": "rebuilt",
    },
    "shopfloor.surfaces.cli.notify": {
        "SubscribedView": "subscribed",
        "SubscriptionView": "subscription",
        "SubscriptionPage": "subscriptions",
        "DeliveryView": "delivery",
        "DeliveryPage": "deliveries",
    },
    "shopfloor.surfaces.cli.orders": {
        "Enqueued": "enqueued",
        "OrderLine": "line",
        "OrderPage": "table",
        "OrderDetail": "show",
        "Reclaimed": "reclaimed",
    },
    "shopfloor.surfaces.cli.schedules": {
        "SchedulePage": "schedules",
        "ScheduleView": "schedule",
        "Scheduled": "added",
        "ScheduleDetail": "detail",
        "HistoryPage": "history",
        "FiringView": "fired",
        "Upcoming": "upcoming",
        "RemovedSchedule": "removed",
    },
}
_PLACES = {kind: module for module, shown in _ELSEWHERE.items() for kind in shown}
RENDERED = frozenset({*_OWN, *_PLACES})
