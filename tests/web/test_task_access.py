"""The pages of tasks are for everybody: no serious finding of axe on any of them, light or dark, large or small."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE
from tests.web.axe import findings
from tests.web.test_needs import asking, reviewed
from tests.web.test_task import says

SIZES = {"desktop": DESKTOP, "phone": PHONE}


def busy(board) -> dict[str, int]:
    """A board on which something of each kind is there; the tasks by name."""
    failed = board.create(
        "Fail",
        command={"argv": ["sh", "-c", "printf '\\033[31mno\\033[0m\\n'; exit 3"]},
        max_attempts=1,
    )
    asked = asking(board, "Walls", "red", "blue")
    board.ask(
        "task.comment",
        id=asked,
        body="`code`, **bold**, [a link](https://example.org) and\n\n> a quote",
    )
    board.ask("task.attach", id=asked, name="plan.txt", content="eA==")
    child = board.create("Paint", parents=[asked], body="# Paint\n\n- it\n- well")
    review = reviewed(board, "Roof")
    board.create("Stuck", initial_status="blocked")
    return {"failed": failed, "asked": asked, "child": child, "review": review}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_no_page_of_a_task_has_a_serious_finding(board, size):
    tasks = busy(board)
    page = board.open(f"/t/{tasks['failed']}", size=size)
    expect(says(page, "blocked")).to_be_visible()
    found = {}
    for name, path, there in (
        ("failed", f"/t/{tasks['failed']}", ".task-verbs"),
        ("asked", f"/t/{tasks['asked']}", ".comment .prose a"),
        ("attempts", f"/t/{tasks['failed']}?tab=attempts", ".attempt"),
        ("log", f"/t/{tasks['failed']}?tab=log", ".log-text .ansi-red"),
        ("history", f"/t/{tasks['failed']}?tab=history", ".event"),
        ("needs", "/needs", ".need .prose"),
        ("graph", f"/graph/{tasks['child']}", ".graph-node"),
        ("timeline", "/timeline", ".run-bar"),
        ("stats", "/stats", ".chart"),
    ):
        page.goto(f"{board.web.url}/b/{board.slug}{path}")
        expect(page.locator(there).first).to_be_visible()
        found[name] = findings(page)
    assert [f"{name}: {line}" for name, lines in found.items() for line in lines] == []


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_what_opens_on_a_task_has_no_serious_finding(board, size):
    tasks = busy(board)
    page = board.open(f"/t/{tasks['child']}", size=size)
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Waits for: add a task").click()
    expect(page.locator(".finder-list [role=option]").first).to_be_visible()
    found = findings(page)
    page.get_by_role("button", name="More").click()
    found += findings(page)
    page.get_by_role("menuitem", name="Block…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found + findings(page) == []
