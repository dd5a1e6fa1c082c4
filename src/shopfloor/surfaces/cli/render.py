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
    found = RENDERERS.get(kind, generic)
    if isinstance(found, str):
        module, _, name = found.partition(".")
        found = getattr(import_module(f"{__package__}.{module}"), name)
    found(value, page)


def names(value: Any) -> list[str]:
    """The numbers or names of what an answer is about, for --quiet."""
    if isinstance(value, list):
        return [name for one in value for name in names(one)]
    if not isinstance(value, dict):
        return []
    for key in ("id", "slug", "name", "code"):
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
    """Tasks, one a line; a blocked one with its reason as far as there is room."""
    ranked = any(task["priority"] for task in tasks)
    rows = []
    for task in tasks:
        ink = STATUS_INKS.get(task["status"], "")
        row = [Cell(f"#{task['id']}"), Cell(task["status"], ink)]
        row += [Cell(str(task["priority"]))] if ranked else []
        row += [Cell(task["assignee"] or "-"), Cell(page.age(task["created_at"]))]
        reason = task["block_reason"] if task["status"] == "blocked" else ""
        lost = f"✉ not told: {task['undelivered']}" if task["undelivered"] else ""
        rows.append([*row, Cell(task["title"], aside="  ".join(filter(None, (reason, lost))))])
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
        page.note(f"#{value['task']} has no log: it never ran")
        return
    if value["truncated"]:
        page.note(f"the end of {value['size']} bytes; the whole is in {value['path']}")
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


# By name where it is in another file of this folder: a list needs none of them, and starts fast.
RENDERERS: dict[str, Renderer | str] = {
    "TokenList": "upkeep.tokens",
    "TokenView": "upkeep.token",
    "NewToken": "upkeep.new_token",
    "LinkView": "upkeep.login_link",
    "AuditPage": "upkeep.audit",
    "Done": _done,
    "TaskView": _done,
    "Created": _created,
    "Deleted": _deleted,
    "TaskPage": _tasks,
    "TaskDetail": "sheet.show",
    "WhyView": "sheet.why",
    "Linked": _linked,
    "Decomposed": _decomposed,
    "RunView": _run,
    "list[RunView]": "sheet.runs",
    "ClaimView": _claim,
    "CommentView": "sheet.comment",
    "list[CommentView]": "sheet.comments",
    "AttachmentView": _attachment,
    "list[AttachmentView]": _attachments,
    "FileContent": _file,
    "Log": _log,
    "ContextText": _context,
    "EventPage": _events,
    "QuestionView": "agents.question",
    "list[QuestionView]": "agents.questions",
    "Asking": "agents.asking",
    "list[QuotaView]": "agents.quotas",
    "ClearedView": "agents.cleared",
    "UsageTable": "agents.usage",
    "DiffView": "agents.change",
    "list[ProfileView]": "agents.profiles",
    "ProfileCheck": "agents.trial",
    "NeedPage": "overview.needs",
    "GraphView": "overview.graph",
    "Timeline": "overview.timeline",
    "History": "overview.history",
    "ReceiptView": "receipts.receipt",
    "ReceiptPage": "receipts.listed",
    "Verified": "receipts.verified",
    "KeyView": "receipts.made_key",
    "Rebuilt": "receipts.rebuilt",
    "Stats": "upkeep.stats",
    "BoardView": "upkeep.board",
    "list[BoardView]": "upkeep.boards",
    "Removed": "upkeep.removed",
    "list[HoldView]": "upkeep.holds",
    "Paused": "upkeep.paused",
    "Resumed": "upkeep.resumed",
    "DispatchReport": "upkeep.report",
    "FsckView": "upkeep.fsck",
    "Diagnosis": "upkeep.diagnosis",
    "SubscribedView": "notify.subscribed",
    "SubscriptionView": "notify.subscription",
    "SubscriptionPage": "notify.subscriptions",
    "DeliveryView": "notify.delivery",
    "DeliveryPage": "notify.deliveries",
    "Enqueued": "orders.enqueued",
    "OrderLine": "orders.line",
    "OrderPage": "orders.table",
    "OrderDetail": "orders.show",
    "Reclaimed": "orders.reclaimed",
    "SchedulePage": "schedules.schedules",
    "ScheduleView": "schedules.schedule",
    "Scheduled": "schedules.added",
    "ScheduleDetail": "schedules.detail",
    "HistoryPage": "schedules.history",
    "FiringView": "schedules.fired",
    "Upcoming": "schedules.upcoming",
    "RemovedSchedule": "schedules.removed",
}
