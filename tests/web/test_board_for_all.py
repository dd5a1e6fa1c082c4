"""The dashboard for everybody: automated accessibility checks, keys alone, both themes, and text that means harm."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, Site, at_once, card, card_in
from tests.web.axe import findings

HARM = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>"\'`{{7*7}}${window.harmed=1}</style>'


def filled(board: Site) -> int:
    """A board with something in every kind of column; a task of it."""
    first = board.create("Read the plan", assignee="ann", priority=2, tenant="acme")
    board.create("Build", parents=[first])
    board.create("An idea", initial_status="triage")
    board.create("Ask", initial_status="blocked", reason="which colour?")
    board.create("Later", not_before="2100-01-01T00:00:00Z")
    done = board.create("Dig")
    board.ask("task.complete", id=done)
    board.ask("task.comment", id=first, body="look")
    return first


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_board_and_what_opens_on_it_has_no_serious_findings(board, size):
    task = filled(board)
    page = board.open(size=size)
    expect(card(page, task)).to_be_visible()
    assert findings(page) == []
    card(page, task).focus()
    for key in ("x", "m"):
        page.keyboard.press(key)
    expect(page.get_by_role("menu")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    for key in ("c", "?", "Control+k"):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        assert findings(page) == [], key
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_login_page_has_no_serious_findings(board):
    board.forgiven = ("401",)
    page = board.open("/login", logged_in=False)
    expect(page.get_by_label("Token")).to_be_visible()
    assert findings(page) == []


def test_lanes_have_no_serious_findings(board):
    filled(board)
    page = board.open("?lanes=1")
    expect(page.get_by_role("region", name="Lane of ann")).to_be_visible()
    assert findings(page) == []


def test_a_task_is_made_moved_and_opened_without_a_mouse(board, page):
    page.keyboard.press("c")
    page.keyboard.type("By keys alone")
    page.keyboard.press("Enter")
    made = page.locator("[data-card]").first
    expect(made).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("j")
    expect(made).to_be_focused()
    page.keyboard.press("m")
    with at_once(page):
        page.keyboard.type("mark")
    page.keyboard.press("Enter")
    task = int(made.get_attribute("data-card") or 0)
    expect(card_in(page, task, "done")).to_be_visible()
    expect(page.locator(".spoken[aria-live]")).to_contain_text(f"#{task}: done")
    card(page, task).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/t/{task}$"))
    expect(page.locator(".drawer .task-title")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"/b/{board.slug}$"))
    expect(card(page, task)).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(board, page):
    task = board.create("One")
    card(page, task).focus()
    page.keyboard.press("b")
    expect(page.get_by_label("What is missing?")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(card(page, task)).to_be_focused()


def test_text_that_means_harm_is_text_everywhere(board):
    profile = "<b>x</b>"
    task = board.create(HARM, body=HARM, tenant=HARM, assignee=profile)
    board.create(HARM, initial_status="blocked", reason=HARM)
    board.create("child", parents=[task])
    board.ask("task.comment", id=task, body=HARM)
    page = board.open()
    expect(card(page, task)).to_contain_text("<img src=x")
    page.keyboard.press("Control+k")
    page.keyboard.type("onerror")
    expect(page.locator("#palette-list [role=option]").first).to_contain_text("<script>")
    page.keyboard.press("Escape")
    page.goto(f"{board.web.url}/b/{board.slug}?lanes=1&tenant={HARM}&q={HARM}".replace("#", "%23"))
    expect(page.locator(".toolbar")).to_be_visible()
    page.goto(f"{board.web.url}/b/{board.slug}/t/{task}")
    expect(page.locator(".drawer")).to_contain_text("<img src=x")
    assert page.evaluate("() => window.harmed") is None
    assert page.locator("main img, .drawer img, main script").count() == 0


def test_a_column_of_many_cards_draws_what_is_seen_and_reads_on_as_it_is_scrolled(board):
    made = [board.create(f"Task {number}") for number in range(130)]
    page = board.open()
    expect(card(page, made[0])).to_be_visible()
    assert page.locator("[data-card]").count() < 40
    cards = page.locator('[data-column="ready"] .cards')
    expect(page.locator('[data-column="ready"] .column-count')).to_have_text("130")
    cards.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(card(page, made[60]).or_(card(page, made[-1]))).to_be_visible()
    page.get_by_role("list", name="Ready cards").hover()
    card(page, made[0]).focus() if card(page, made[0]).count() else page.keyboard.press("j")
    page.keyboard.press("End")
    expect(card(page, made[-1])).to_be_focused()
    assert page.locator("[data-card]").count() < 40
