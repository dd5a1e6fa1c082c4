"""What the board and its dispatcher answer about themselves: figures, pauses, passes, boards, checks."""

from __future__ import annotations

from typing import Any

from shopfloor.surfaces.cli import moments
from shopfloor.surfaces.cli.console import one_line
from shopfloor.surfaces.cli.page import Cell, Page
from shopfloor.surfaces.cli.sheet import findings


def stats(value: Any, page: Page) -> None:
    """Counts by status, by assignee and by outcome."""
    counts = value["by_status"]
    page.facts([(status, str(count)) for status, count in counts.items()])
    if value["by_assignee"]:
        page.line()
        statuses = [
            status
            for status in counts
            if any(status in lane["by_status"] for lane in value["by_assignee"])
        ]
        rows = [
            [
                *(Cell(str(lane["by_status"].get(status, ""))) for status in statuses),
                Cell(_lane(lane["assignee"])),
            ]
            for lane in value["by_assignee"]
        ]
        page.table([*(f">{status}" for status in statuses), "assignee"], rows)
    if value["by_outcome"]:
        page.heading("Attempts")
        page.facts(
            [
                (outcome.replace("_", " "), str(count))
                for outcome, count in value["by_outcome"].items()
            ]
        )
    page.line()
    oldest = value["oldest_ready_s"]
    page.facts(
        [
            ("live runs", str(value["live_runs"])),
            ("oldest ready task", "" if oldest is None else moments.age(oldest)),
        ]
    )


def _lane(name: str) -> str:
    return {"": "(nobody)", "!": "(commands)"}.get(name, name)


def board(value: Any, page: Page) -> None:
    """One board."""
    mark = " (current)" if value["current"] else " (archived)" if value["archived"] else ""
    page.line(f"{one_line(value['slug'])}{mark}: {one_line(value['name'])}")
    page.facts(
        [
            ("database", value["database"]),
            ("directory", value["default_workdir"] or ""),
            ("created", page.when(value["created_at"])),
        ]
    )


def boards(value: Any, page: Page) -> None:
    """Boards, the current one marked."""
    rows = []
    for one in value:
        mark = "*" if one["current"] else "archived" if one["archived"] else ""
        broken = one["broken"] is not None
        rows.append(
            [
                Cell(mark),
                Cell(one["slug"]),
                Cell("broken", "red") if broken else Cell(one["database"]),
                Cell("" if broken else page.age(one["created_at"])),
                Cell("" if broken else one["name"]),
            ]
        )
    page.table(["", "board", "database", ">age", "name"], rows)
    for one in value:
        if one["broken"] is not None:
            page.note(f"{one_line(one['slug'])} is broken: {one_line(one['broken'])}")


def removed(value: Any, page: Page) -> None:
    """Where a removed board's folder is."""
    where = (
        f"its folder is now {one_line(value['folder'])}"
        if value["folder"]
        else "its folder is deleted"
    )
    page.line(f"the board {one_line(value['slug'])} is removed; {where}")


def holds(value: Any, page: Page) -> None:
    """What keeps tasks from starting."""
    if not value:
        page.note("nothing is held")
        return
    rows = [
        [
            Cell(
                {"board": "the board", "task": f"#{hold['name']}", "lane": hold["name"]}.get(
                    hold["scope"], hold["name"]
                )
            ),
            Cell(hold["code"], "yellow"),
            Cell(page.age(hold["since"])),
            Cell(page.when(hold["until"]) or "-"),
            Cell(hold["reason"]),
        ]
        for hold in value
    ]
    page.table(["what", "code", ">since", "until", "reason"], rows)


def paused(value: Any, page: Page) -> None:
    """What was stopped, and what is held now."""
    if value["stopped"]:
        page.line(f"stopped: {', '.join(f'run {run}' for run in value['stopped'])}")
    holds(value["holds"], page)


def resumed(value: Any, page: Page) -> None:
    """Whether anything was paused, and what still is."""
    page.line("resumed" if value["changed"] else "nothing was paused there")
    if value["holds"]:
        holds(value["holds"], page)


def report(value: Any, page: Page) -> None:
    """What a dispatch pass did, what it left and why."""
    would = "would be " if value["dry_run"] else ""
    said = [
        f"#{start['task']} {would}started" + (f" as {start['profile']}" if start["profile"] else "")
        for start in value["started"]
    ]
    said += [
        f"#{end['task']} {would}settled: {end['outcome'] or 'gone'}"
        + (", given up" if end["gave_up"] else "")
        for end in value["settled"]
    ]
    for key in ("reclaimed", "due", "promoted", "assigned"):
        said += [f"#{task} {would}{key}" for task in value[key]]
    said += [
        f"skipped {'#' + str(one['task']) if one['task'] else _lane(one['lane'])}: {one['sentence']}"
        for one in value["skipped"]
    ]
    for line in said or ["nothing to do"]:
        page.line(one_line(line))
    for trouble in value["troubles"]:
        page.note(f"{trouble['step']} failed: {one_line(trouble['sentence'])}")
    for warning in value["warnings"]:
        page.note(f"warning: {one_line(warning)}")


def fsck(value: Any, page: Page) -> None:
    """The invariants that do not hold."""
    if value["ok"]:
        page.line("the ledger is clean")
    for finding in value["problems"]:
        about = (
            f"#{finding['task']}: "
            if finding["task"]
            else f"run {finding['run']}: "
            if finding["run"]
            else ""
        )
        page.line(one_line(f"{about}{finding['sentence']} ({finding['invariant']})"))


def diagnosis(value: Any, page: Page) -> None:
    """What is wrong and what to do, the worst first."""
    if not value["errors"] and not value["warnings"]:
        page.note("nothing is wrong")
        return
    findings(value["items"], page, name_tasks=True)
    if value["next"] is not None:
        page.note(f"more with --after {value['next']}")
    counted = (("error", value["errors"]), ("warning", value["warnings"]))
    page.note(", ".join(f"{n} {word}{'s' * (n != 1)}" for word, n in counted if n))


def tokens(value: Any, page: Page) -> None:
    """Who has a token."""
    if not value["items"]:
        page.note("nobody has a token; `shop token create NAME` makes one")
        return
    rows = [
        [
            Cell(one["name"]),
            Cell(one["role"]),
            Cell(page.age(one["created_at"])),
            Cell(page.when(one["expires_at"]) or "never"),
            Cell(one["creator"]),
        ]
        for one in value["items"]
    ]
    page.table(["token", "role", ">age", "expires", "made by"], rows)


def token(value: Any, page: Page) -> None:
    """A token that was revoked."""
    page.line(f"the token {one_line(value['name'])} opens nothing any more")


def new_token(value: Any, page: Page) -> None:
    """A token's secret, alone on its line, so that it can be taken from there."""
    page.line(value["secret"])
    made = value["token"]
    page.note(f"{one_line(made['name'])} is {made['role']}; this is shown once, so keep it well")


def login_link(value: Any, page: Page) -> None:
    """A link that logs a browser in."""
    page.line(value["url"])
    page.note(f"open it in a browser before {page.when(value['expires_at'])}")


def audit(value: Any, page: Page) -> None:
    """Who came in, and what was done about it."""
    rows = [
        [
            Cell(str(one["number"])),
            Cell(page.when(one["at"])),
            Cell(one["who"]),
            Cell(one["what"].replace("_", " "), "red" if "refused" in one["what"] else ""),
            Cell(one["address"] or "-"),
            Cell(one["detail"]),
        ]
        for one in value["items"]
    ]
    page.table([">line", "when", "who", "what", "from", "about"], rows)


HOOK_INKS = {"current": "green", "behind": "yellow", "new": "", "gone": "dim"}


def hooks(value: Any, page: Page) -> None:
    """The user's hooks, and how each failed last."""
    if not value:
        page.note("no hooks; a table [hooks.NAME] in the configuration makes one")
        return
    rows = [
        [
            Cell(one["name"]),
            Cell(one["state"], HOOK_INKS[one["state"]]),
            Cell(str(one["waiting"])),
            Cell(str(one["done"])),
            Cell(str(one["failed"]), "red" if one["failed"] else ""),
            Cell(str(one["skipped"])),
            Cell(page.age(one["last_at"])),
            Cell(" ".join(one["runs"]), aside=", ".join(one["events"]) or "every event"),
        ]
        for one in value
    ]
    head = ["hook", "state", ">waiting", ">done", ">failed", ">skipped", ">last", "runs"]
    page.table(head, rows)
    for one in value:
        if one["last_error"]:
            when = page.age(one["last_error_at"])
            page.line(f"{one_line(one['name'])} failed {when} ago: {one_line(one['last_error'])}")
