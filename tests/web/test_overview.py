"""The pages about the board as a whole in a browser: a task's graph, what ran when, figures over time."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE
from tests.web.test_task import says


def test_a_graph_shows_each_task_once_with_its_links_and_goes_along_them_by_keys(board):
    top = board.create("Dig", initial_status="triage")
    left, right = board.create("Plant", parents=[top]), board.create("Water", parents=[top])
    low = board.create("Harvest", parents=[left, right])
    page = board.open(f"/graph/{left}")
    expect(page.locator(".graph-node")).to_have_count(3)
    expect(page.locator(".graph-edge")).to_have_count(2)
    node = page.locator(f'.graph-node[data-id="{left}"]')
    expect(node).to_have_class(re.compile("is-chosen"))
    page.keyboard.press("ArrowRight")
    harvest = page.locator(f'.graph-node[data-id="{low}"]')
    expect(harvest).to_be_focused()
    expect(harvest).to_contain_text("+1")
    page.keyboard.press("Shift+G")
    expect(page.locator(".graph-node")).to_have_count(4)
    boxes = {
        one.get_attribute("data-id"): one.bounding_box()
        for one in page.locator(".graph-node").all()
    }
    assert boxes[str(top)]["x"] < boxes[str(left)]["x"] < boxes[str(low)]["x"]
    assert boxes[str(left)]["y"] != boxes[str(right)]["y"]
    board.ask("task.cancel", id=top)
    expect(page.locator(f'.graph-node[data-id="{top}"]')).to_have_class(re.compile("is-cancelled"))
    page.keyboard.press("h")
    page.keyboard.press("Enter")
    expect(page.locator(".task-title")).to_have_text(re.compile("Plant|Water"))


def test_a_graph_is_zoomed_moved_and_shown_whole_again_by_keys(board):
    top = board.create("Dig", initial_status="triage")
    page = board.open(f"/graph/{board.create('Plant', parents=[top])}")
    view = page.locator(".graph-picture > g")
    expect(page.locator(".graph-node")).to_have_count(2)
    first = view.get_attribute("transform")
    page.keyboard.press("+")
    expect(view).not_to_have_attribute("transform", first)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("0")
    expect(view).to_have_attribute("transform", first)
    page.locator(".graph-window").hover()
    page.mouse.wheel(40, 30)
    expect(view).not_to_have_attribute("transform", first)


def test_a_graph_says_the_same_in_a_table(board):
    top = board.create("Dig", initial_status="triage")
    page = board.open(f"/graph/{board.create('Plant', parents=[top])}", size=PHONE)
    page.get_by_text("As a table").click()
    expect(page.locator(".as-table tbody tr")).to_have_count(2)
    expect(page.locator(".as-table tbody tr", has_text="Plant")).to_contain_text(f"#{top}")


def test_a_large_graph_is_laid_out_without_overlaps(board):
    """Forty tasks in layers, each waiting for two of the layer before."""
    layers = [[board.create(f"task {n}", initial_status="triage") for n in range(8)]]
    for _ in range(4):
        above = layers[-1]
        layers.append(
            [board.create(f"task {n}", parents=[above[n], above[(n + 3) % 8]]) for n in range(8)]
        )
    page = board.open(f"/graph/{layers[2][0]}")
    page.wait_for_selector(".graph-node")
    places = page.evaluate(
        "[...document.querySelectorAll('.graph-node')].map(n => n.getAttribute('transform').match(/-?[\\d.]+/g).map(Number))"
    )
    assert len(places) > 10
    for at, (x, y) in enumerate(places):
        assert all(abs(x - u) >= 204 or abs(y - v) >= 56 for u, v in places[at + 1 :])


def test_the_timeline_shows_what_ran_and_tells_it_in_words(board):
    good = board.create("Count", command={"argv": ["true"]})
    bad = board.create("Fail", command={"argv": ["false"]}, max_attempts=1)
    page = board.open("/timeline?for=1h")
    expect(page.locator(".run")).to_have_count(2)
    expect(page.locator(".run-bar.is-failed:not(.timeline-legend *)")).to_have_count(1)
    page.locator(".run", has=page.locator(".is-failed")).focus()
    told = page.locator(".timeline-told")
    expect(told).to_contain_text(f"#{bad} Fail")
    expect(told).to_contain_text("exit status 1")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text(f"#{good} Count")
    page.get_by_text("As a table").click()
    expect(page.locator(".as-table tbody tr")).to_have_count(2)
    page.keyboard.press("Escape")
    page.locator(".run").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Attempts")).to_have_attribute("aria-selected", "true")


def test_the_timeline_follows_what_runs_and_says_what_waits_and_why(board, tmp_path):
    script = f"until [ -e {tmp_path / 'go'} ]; do sleep 0.1; done"
    page = board.open("/timeline?for=1h")
    expect(page.get_by_text("Nothing ran in this time")).to_be_visible()
    board.create("Run", command={"argv": ["sh", "-c", script]})
    expect(page.locator(".run-bar.is-running:not(.timeline-legend *)")).to_have_count(1)
    waits = board.create("Wait", assignee="nobody-here")
    expect(page.locator(".timeline-waiting", has_text=f"#{waits} Wait")).to_contain_text(
        "there is no profile"
    )
    (tmp_path / "go").touch()
    expect(page.locator(".run-bar.is-done:not(.timeline-legend *)")).to_have_count(1)
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("until="))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("until="))


def test_the_statistics_count_what_was_done_and_what_failed(board):
    done = board.create("Count", command={"argv": ["true"]})
    failed = board.create("Fail", command={"argv": ["false"]}, max_attempts=1)
    for task, word in ((done, "done"), (failed, "blocked")):
        page = board.open(f"/t/{task}")
        expect(says(page, word)).to_be_visible()
    board.ask("task.complete", id=board.create("By hand", initial_status="triage"))
    page = board.open("/stats?for=24h")
    expect(page.locator(".tile", has_text="Done")).to_contain_text("2")
    expect(page.locator(".tile", has_text="Done")).to_contain_text("1 by hand")
    failures = page.locator(".chart", has=page.get_by_role("heading", name="Failures by kind"))
    expect(failures.locator(".chart-total")).to_have_text("1")
    expect(failures.locator(".chart-bar")).to_have_count(1)
    failures.get_by_text("As a table").click()
    expect(failures.locator("tbody tr")).to_contain_text("1")
    page.keyboard.press("4")
    expect(page.get_by_role("button", name="30d")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", name="Cost per day and profile")).to_be_visible()


@pytest.mark.parametrize("path", ["/timeline", "/stats", "/needs"])
def test_on_a_phone_nothing_stands_out_at_the_side(board, path):
    board.create("Count", command={"argv": ["true"]})
    board.create("Stuck", initial_status="blocked")
    page = board.open(path, size=PHONE)
    page.wait_for_selector(f".{path[1:]} h1")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE[0]
    assert page.locator("main").evaluate("one => one.scrollWidth <= one.clientWidth")
