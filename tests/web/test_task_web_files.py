"""A file of the web on a task's page: its address is asked for, and what comes of it is said.

The product fetches from public addresses alone, and the server of these tests is on loopback; so the home of the first
test runs under an interpreter that takes this one address for public.  The second has the product's own rule.
"""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Site
from tests.support.web import web_of
from tests.support.web_place import Page, take_for_public, web_place


@pytest.fixture
def near(home, browser):
    """A board whose machine takes the server of the test for a public one."""
    take_for_public(home)
    home.configure("[web]\nport = 0\n")
    opened = Site(home, web_of(home, home.up()), browser, "default")
    yield opened
    opened.close()


def asked_for(page, url):
    """The dialog, with the address sent."""
    page.get_by_role("button", name="From the web").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Address").fill(url)
    dialog.get_by_role("button", name="Attach it").click()
    return dialog


def test_a_file_is_fetched_while_the_page_says_so_and_is_kept(near):
    task = near.create("Read")
    page = near.open(f"/t/{task}")
    with web_place() as web:
        web.pages["/plan.txt"] = Page(None)
        dialog = asked_for(page, web.url("/plan.txt"))
        expect(dialog.get_by_role("status")).to_contain_text("It is fetched")
        # Until now the server drips; its end is the end of the file.
        web.over.set()
        expect(page.locator(".file a", has_text="plan.txt")).to_be_visible()
        expect(dialog).to_have_count(0)
    (kept,) = near.ask("task.attachments", id=task)
    assert kept["name"] == "plan.txt"


def test_what_is_refused_is_said_beside_the_address_which_stays(board):
    board.forgiven = ("403",)
    task = board.create("Read")
    page = board.open(f"/t/{task}")
    dialog = asked_for(page, "http://127.0.0.1:1/secret")
    expect(dialog.locator(".field-hint")).to_contain_text("not in the public network")
    expect(dialog.get_by_label("Address")).to_have_value("http://127.0.0.1:1/secret")
    expect(dialog.get_by_role("button", name="Attach it")).to_be_enabled()
    assert board.ask("task.attachments", id=task) == []
