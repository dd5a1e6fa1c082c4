"""Needs you in a browser: what waits for a person is answered where it stands, and goes by itself."""

from playwright.sync_api import Page, expect

from tests.support.browser import PHONE
from tests.web.test_task import status, worker_of


def asking(board, title: str, *options: str) -> int:
    """A task that waits for the answer to a question."""
    task = board.create(title, assignee="nobody-here")
    ask = {"id": task, "question": f"Which one for {title}?", "options": list(options)}
    board.ask("task.ask", worker=worker_of(board, task), **ask)
    return task


def reviewed(board, title: str) -> int:
    """A task that waits for a review."""
    task = board.create(title, assignee="nobody-here")
    hand_in(board, task)
    return task


def hand_in(board, task: int) -> None:
    board.ask("task.request_review", worker=worker_of(board, task), id=task, summary="**done**")


def item(page: Page, title: str):
    return page.locator(".need", has_text=title)


def test_a_question_is_answered_by_its_number_and_the_next_thing_is_chosen(board):
    first, second = asking(board, "Walls", "red", "blue"), asking(board, "Roof", "tiles", "straw")
    page = board.open("/needs")
    expect(page.locator(".need")).to_have_count(2)
    expect(page.locator(".need.is-chosen")).to_contain_text("Walls")
    page.keyboard.press("2")
    expect(item(page, "Walls")).to_have_count(0)
    expect(page.locator(".need.is-chosen")).to_contain_text("Roof")
    assert status(board, first) == "ready"
    assert board.ask("task.show", id=first)["questions"][0]["answer"] == "blue"
    page.keyboard.press("a")
    page.keyboard.type("slate")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert board.ask("task.show", id=second)["questions"][0]["answer"] == "slate"


def test_a_review_is_returned_with_a_reason_and_approved_the_second_time(board):
    task = reviewed(board, "Wall")
    page = board.open("/needs")
    expect(item(page, "Wall").locator("strong")).to_have_text("done")
    page.keyboard.press("r")
    page.get_by_label("What is to be done differently").fill("it is crooked")
    page.keyboard.press("Control+Enter")
    expect(item(page, "Wall")).to_have_count(0)
    shown = board.ask("task.show", id=task)
    assert shown["task"]["status"] == "ready"
    assert any("it is crooked" in str(event["data"]) for event in shown["events"])
    hand_in(board, task)
    expect(item(page, "Wall")).to_be_visible()
    page.keyboard.press("a")
    expect(item(page, "Wall")).to_have_count(0)
    assert status(board, task) == "done"
    page.keyboard.press("u")
    expect(page.get_by_text("is open again").first).to_be_visible()
    assert status(board, task) == "ready"


def test_a_review_is_approved_on_the_tasks_own_page_too(board):
    task = reviewed(board, "Wall")
    page = board.open(f"/t/{task}")
    expect(page.locator(".handoff strong")).to_have_text("done")
    page.keyboard.press("r")
    page.get_by_label("Reason").fill("once more")
    page.get_by_role("dialog").get_by_role("button", name="Return", exact=True).click()
    expect(page.locator(".task-line .status")).to_have_text("ready")
    hand_in(board, task)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".task-line .status")).to_have_text("done")


def test_what_was_given_up_blocked_or_paused_is_let_go_on(board):
    failed = board.create("Fail", command={"argv": ["false"]}, max_attempts=1)
    board.create("Stuck", initial_status="blocked")
    page = board.open("/needs")
    expect(item(page, "Fail")).to_contain_text("exit status 1")
    board.ask("dispatch.pause", reason="lunch")
    expect(item(page, "the board is paused: lunch")).to_be_visible()
    expect(page.locator(".rail .badge")).to_have_text("3")
    item(page, "Stuck").get_by_role("button", name="Let it go on").click()
    expect(item(page, "Stuck")).to_have_count(0)
    item(page, "Fail").get_by_role("button", name="Comment").click()
    page.get_by_label("Your comment").fill("try /usr/bin/true")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_text("has your comment")).to_be_visible()
    item(page, "lunch").get_by_role("button", name="Resume").click()
    expect(item(page, "lunch")).to_have_count(0)
    item(page, "Fail").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel", exact=True).click()
    expect(item(page, "Fail")).to_have_count(0)
    assert status(board, failed) == "cancelled"
    expect(page.locator(".rail .badge")).to_have_count(0)


def test_the_list_is_walked_by_keys_and_kept_to_a_kind(board):
    asking(board, "Walls", "red")
    reviewed(board, "Roof")
    board.create("Stuck", initial_status="blocked")
    page = board.open("/needs")
    expect(page.locator(".need")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.locator(".need.is-chosen")).to_contain_text("Roof")
    expect(page.locator(".need.is-chosen")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".need.is-chosen")).to_contain_text("Roof")
    page.get_by_role("button", name="Questions").click()
    expect(page.locator(".need")).to_have_count(1)
    page.get_by_role("button", name="All").click()
    expect(page.locator(".need")).to_have_count(3)
    page.keyboard.press("d")
    expect(page.get_by_role("tab", name="Diff")).to_have_attribute("aria-selected", "true")


def test_two_browsers_see_the_same_list_and_one_answer_is_enough(board):
    board.forgiven = ("409",)
    asking(board, "Walls", "red", "blue")
    one, other = board.open("/needs"), board.open("/needs", size=PHONE)
    expect(item(other, "Walls")).to_be_visible()
    item(one, "Walls").get_by_role("button", name="red").click()
    expect(item(other, "Walls")).to_have_count(0)
    assert other.evaluate("document.scrollingElement.scrollWidth") <= PHONE[0]
