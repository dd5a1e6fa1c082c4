"""The board in a browser, as people use it: log in, create, drag, move by keys, many at once, live."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from shopfloor.domain.lifecycle import By, Status, rules_for, verbs_for
from shopfloor.ops.lifecycle import OPERATIONS
from tests.support.browser import PHONE, at_once, card, card_in, column
from tests.support.home import Worker
from tests.support.waiting import eventually
from tests.support.web import link_of


def becomes(board, task: int, *statuses: str) -> None:
    """Wait until it is so on the board; a card moves before that is known."""
    eventually(lambda: board.ask("task.show", id=task)["task"]["status"] in statuses)


def test_a_login_link_leads_to_the_board_and_leaves_no_secret_in_the_address(site, board):
    _, secret = link_of(site.daemon)
    page = board.open(f"/login#token={secret}", logged_in=False)
    page.wait_for_selector(".board")
    assert secret not in page.url


def test_a_wrong_token_is_refused_with_a_sentence_and_a_right_one_opens_the_board(board):
    board.forgiven = ("401", "403")
    page = board.open("/login", logged_in=False)
    page.get_by_label("Token").fill("shop_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".field-hint")).to_be_visible()
    page.get_by_label("Token").fill(board.web.shown)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector(".board")


def test_a_task_is_created_with_all_that_matters(board, page):
    first = board.create("Dig")
    page.keyboard.press("c")
    page.get_by_label("Title").fill("Plant")
    page.get_by_label("Done by").select_option("command")
    page.get_by_label("Command", exact=True).fill("echo planted")
    page.get_by_label("Priority").fill("4")
    page.get_by_label("Waits for").fill(f"#{first}")
    page.get_by_label("Tenant").fill("garden")
    page.get_by_text("Workspace, check and limits").click()
    page.get_by_label("Attempts at most").fill("3")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(column(page, "todo").get_by_text("Plant")).to_be_visible()
    task = board.ask("task.list", status=["todo"])["items"][0]
    shown = board.ask("task.show", id=task["id"])["task"]
    assert shown["command"]["argv"] == ["sh", "-c", "echo planted"]
    assert (shown["priority"], shown["tenant"], shown["max_attempts"]) == (4, "garden", 3)
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_card_that_is_dropped_on_a_column_moves_there(board, page):
    task = board.create("Paint", initial_status="triage")
    expect(card(page, task)).to_be_visible()
    board.create("Another", initial_status="scheduled")
    board.create("Third", parents=[task])
    expect(column(page, "todo").locator("[data-card]")).to_have_count(1)
    card(page, task).drag_to(column(page, "todo"))
    expect(card_in(page, task, "ready").or_(card_in(page, task, "todo"))).to_be_visible()
    becomes(board, task, "todo", "ready")


def test_a_drop_where_no_way_leads_is_refused_with_the_ways_that_there_are(board, page):
    task = board.create("Paint")
    board.create("Idle", initial_status="blocked")
    card(page, task).drag_to(column(page, "running"))
    expect(page.get_by_role("alert")).to_contain_text("Only a dispatcher starts")
    expect(card_in(page, task, "ready")).to_be_visible()


def test_a_move_by_keys_asks_for_its_reason_and_is_taken_back_by_u(board, page):
    task = board.create("Paint")
    expect(card(page, task)).to_be_visible()
    page.keyboard.press("j")
    expect(card(page, task)).to_be_focused()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name=re.compile("^Block")).click()
    page.get_by_label("What is missing?").fill("which colour?")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(card_in(page, task, "blocked")).to_contain_text("which colour?")
    page.keyboard.press("u")
    expect(card_in(page, task, "ready")).to_be_visible()
    becomes(board, task, "ready")


def test_keys_go_from_card_to_card_and_from_column_to_column(board, page):
    first, second = board.create("One"), board.create("Two")
    stuck = board.create("Three", initial_status="blocked")
    expect(card(page, stuck)).to_be_visible()
    expect(card(page, second)).to_be_visible()
    for key, there in (("j", first), ("j", second), ("k", first), ("l", stuck), ("h", first)):
        page.keyboard.press(key)
        expect(card(page, there)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(card(page, second)).to_be_focused()


def test_many_are_archived_at_once_and_the_one_that_fails_stays_marked(board, page):
    tasks = [board.create(f"Old {number}") for number in range(4)]
    expect(card(page, tasks[-1])).to_be_visible()
    for task in tasks:
        card(page, task).click(modifiers=["Control"])
    expect(page.get_by_text("4 selected")).to_be_visible()
    # Somebody else is faster with one of them, and this browser has not heard of it yet.
    board.forgiven = ("ERR_FAILED",)
    page.route("**/api/v1/events/stream*", lambda route: route.abort())
    page.evaluate("() => window.stop()")
    board.ask("task.delete", id=tasks[2])
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(f"#{tasks[2]}")
    for task in (tasks[0], tasks[1], tasks[3]):
        assert board.ask("task.show", id=task)["task"]["status"] == "archived"


def test_what_another_program_does_is_on_the_screen_without_a_reload(board, page):
    task = board.create("From a shell", priority=2)
    expect(card_in(page, task, "ready")).to_contain_text("▲2")
    board.ask("task.block", id=task, reason="the key is missing")
    expect(card_in(page, task, "blocked")).to_contain_text("the key is missing")
    board.ask("task.comment", id=task, body="it hangs at the door")
    expect(card(page, task).locator('[title="Comments"]')).to_have_text("1")
    board.ask("task.delete", id=task)
    expect(card(page, task)).to_have_count(0)


def test_two_browsers_see_each_other(board, page):
    other = board.open()
    task = board.create("Ours")
    expect(card(other, task)).to_be_visible()
    card(page, task).focus()
    page.keyboard.press("Shift+D")
    expect(card_in(other, task, "done")).to_be_visible()


def test_a_lost_connection_is_told_and_what_was_missed_is_there_when_it_is_back(board, page):
    board.forgiven = ("ERR_INTERNET_DISCONNECTED", "Failed to fetch", "ERR_", "EventSource")
    known = board.create("Known")
    expect(card(page, known)).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(".connection")).to_contain_text("Connection lost")
    board.ask("task.complete", id=known)
    missed = board.create("Made meanwhile")
    page.context.set_offline(False)
    expect(page.locator(".connection")).to_contain_text("Live")
    expect(card_in(page, known, "done")).to_be_visible()
    expect(card(page, missed)).to_be_visible()


def test_boards_are_switched_by_the_menu_and_each_has_its_own_tasks(site, board, page):
    site.home.ask("board.create", slug=f"{board.slug}-next")
    here = board.create("Here")
    expect(card(page, here)).to_be_visible()
    page.keyboard.press("Shift+B")
    page.get_by_role("menuitem", name=f"{board.slug}-next").click()
    expect(page).to_have_url(re.compile(f"/b/{board.slug}-next$"))
    expect(page.get_by_text("Nothing is on this board yet")).to_be_visible()
    page.go_back()
    expect(card(page, here)).to_be_visible()


def test_a_broken_board_is_shown_by_the_menu_and_says_why(site, board):
    odd = f"{board.slug}-odd"
    site.home.board(odd).mkdir()
    description = site.home.board(odd) / "board.json"
    description.write_text("{")
    page = board.open()
    expect(page.get_by_text("Nothing is on this board yet")).to_be_visible()
    page.keyboard.press("Shift+B")
    page.get_by_role("menuitem", name=f"{odd} (broken)").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{odd}/board.json cannot be read")
    expect(page).to_have_url(re.compile(f"/b/{board.slug}$"))
    description.unlink()


def test_filters_search_and_archived_tasks_stand_in_the_address(board, page):
    paint, dig = board.create("Paint the door", assignee="ann"), board.create("Dig")
    old = board.create("Old")
    board.ask("task.archive", id=old)
    expect(card(page, dig)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("paint")
    expect(card(page, dig)).to_have_count(0)
    expect(card(page, paint)).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=paint"))
    page.reload()
    expect(card(page, paint)).to_be_visible()
    expect(card(page, dig)).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Archived").click()
    expect(card_in(page, old, "archived")).to_be_visible()


def test_lanes_show_the_tasks_of_each_assignee(board, page):
    mine, free = board.create("Mine", assignee="ann"), board.create("Nobody's")
    expect(card(page, mine)).to_be_visible()
    page.get_by_role("button", name="Lanes").click()
    expect(
        page.get_by_role("region", name="Lane of ann").locator(f'[data-card="{mine}"]')
    ).to_be_visible()
    expect(
        page.get_by_role("region", name="Lane of Nobody").locator(f'[data-card="{free}"]')
    ).to_be_visible()


MOVES = """async (cards) => {
  const { movesOf } = await import("/static/board/moves.js");
  return cards.map((card) => movesOf(card).map((move) => [move.op, move.to]));
}"""


@pytest.mark.parametrize("status", list(Status))
def test_a_card_offers_what_the_lifecycle_allows_and_nothing_else(page, status):
    plain = {
        "id": 1, "status": status, "phase": "review" if status == "review" else "work", "open_parents": 0,
        "forced": False, "decomposed": False, "archived_from": "ready" if status == "archived" else None,
    }  # fmt: skip
    (offered,) = page.evaluate(MOVES, [plain])
    ops = {OPERATIONS[verb] for verb in verbs_for(status, By.PERSON)}
    assert {op for op, _to in offered} == ops
    for op, to in offered:
        (verb,) = [verb for verb, name in OPERATIONS.items() if name == op]
        assert to in [rule.target for rule in rules_for(verb, By.PERSON, status)]


def test_a_running_card_says_what_its_worker_does_and_a_key_stops_it(board, page):
    task = board.create("Count the shelves")
    claimed = board.ask("run.claim", id=task)
    worker = Worker(task, claimed["run"], claimed["token"])
    expect(card_in(page, task, "running")).to_be_visible()
    board.home.ask("task.heartbeat", board=board.slug, worker=worker, id=task, note="half way")
    expect(card(page, task)).to_contain_text("half way")
    card(page, task).focus()
    page.keyboard.press(".")
    expect(card_in(page, task, "ready")).to_contain_text("Paused")
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Resume").click()
    expect(card(page, task)).not_to_contain_text("Paused")


def reviewed(board, task):
    """Have a worker do the task and ask for review."""
    claimed = board.ask("run.claim", id=task)
    worker = Worker(task, claimed["run"], claimed["token"])
    board.home.ask(
        "task.request_review", board=board.slug, worker=worker, id=task, summary="look at it"
    )


def test_what_is_under_review_is_returned_with_a_reason_and_then_approved(board, page):
    task = board.create("Draw the plan")
    reviewed(board, task)
    expect(card_in(page, task, "review")).to_contain_text("Waits for your review")
    card(page, task).focus()
    page.keyboard.press("r")
    page.get_by_label("What has to change?").fill("the door is missing")
    page.get_by_role("button", name="Return with changes").click()
    expect(card_in(page, task, "ready")).to_be_visible()
    assert board.ask("task.comments", id=task)[-1]["body"] == "the door is missing"
    reviewed(board, task)
    expect(card_in(page, task, "review")).to_be_visible()
    card(page, task).focus()
    page.keyboard.press("a")
    expect(card_in(page, task, "done")).to_be_visible()


def test_who_may_only_look_is_offered_no_change(board):
    task = board.create("Look at me")
    secret = board.home.ask("token.create", name=f"viewer-{board.slug}", role="viewer")["secret"]
    page = board.open(shown=secret)
    expect(card(page, task)).to_be_visible()
    expect(page.get_by_role("button", name="New task")).to_have_count(0)
    card(page, task).focus()
    page.keyboard.press("c")
    page.keyboard.press("b")
    expect(page.locator("dialog[open]")).to_have_count(0)
    card(page, task).click(button="right")
    expect(page.get_by_role("menuitem")).to_have_count(2)


def test_everything_is_there_on_a_phone(board):
    task = board.create("Small")
    page = board.open(size=PHONE, has_touch=True)
    expect(card(page, task)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    bar = page.get_by_role("navigation", name="Pages").bounding_box()
    assert bar is not None
    assert bar["y"] > PHONE[1] / 2
    page.locator('[data-tool="menu"]').first.tap()
    page.get_by_role("menuitem", name="Mark done").tap()
    expect(card_in(page, task, "done")).to_have_count(1)


class Finger:
    """A finger on a page's screen, moved by the browser's own protocol."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def _tell(self, kind: str, points: list[dict[str, float]]) -> None:
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, there: Locator) -> None:
        self._tell("touchStart", [middle(there)])

    def to(self, there: Locator) -> None:
        self._tell("touchMove", [middle(there)])

    def up(self) -> None:
        self._tell("touchEnd", [])


def middle(there: Locator) -> dict[str, float]:
    box = there.bounding_box()
    assert box is not None
    return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}


def test_on_a_phone_a_card_that_is_held_is_dragged_to_a_status_of_the_strip(board):
    task = board.create("Paint", initial_status="triage")
    board.create("Stay", initial_status="triage")
    page = board.open(size=PHONE, has_touch=True)
    expect(card(page, task)).to_be_visible()
    finger = Finger(page)
    finger.down(card(page, task))
    expect(card(page, task)).to_have_class(re.compile("is-dragged"))
    todo = page.locator('[data-strip="todo"]')
    expect(todo).to_be_visible()
    expect(page.locator('[data-strip="running"]')).to_have_count(0)
    finger.to(todo)
    expect(todo).to_have_class(re.compile("is-over"))
    finger.up()
    expect(page.locator(".toast")).to_contain_text(f"#{task}: todo")
    expect(page.locator(".drag-label")).to_have_count(0)
    becomes(board, task, "todo", "ready")
    expect(page).not_to_have_url(re.compile("/t/"))


def test_a_card_that_is_held_and_let_go_opens_its_menu_and_one_that_is_pushed_scrolls(board):
    made = [board.create(f"Task {number}") for number in range(20)]
    page = board.open(size=PHONE, has_touch=True)
    expect(card(page, made[3])).to_be_visible()
    finger = Finger(page)
    finger.down(card(page, made[3]))
    expect(card(page, made[3])).to_have_class(re.compile("is-dragged"))
    finger.up()
    expect(page.get_by_role("menu", name=f"Moves of #{made[3]}")).to_be_visible()
    expect(page.locator(".is-dragged")).to_have_count(0)
    page.keyboard.press("Escape")
    with at_once(page):
        finger.down(card(page, made[3]))
        finger.to(card(page, made[0]))
        finger.up()
    cards = page.locator('[data-column="ready"] .cards')
    page.wait_for_function("box => box.scrollTop > 0", arg=cards.element_handle())
    expect(page.locator(".is-dragged")).to_have_count(0)
    expect(page.get_by_role("menu")).to_have_count(0)


def test_keys_can_be_given_to_other_commands_and_are_kept(board, page: Page):
    task = board.create("One")
    expect(card(page, task)).to_be_visible()
    page.keyboard.press("?")
    page.get_by_role("button", name=re.compile("^New task: ")).click()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    page.reload()
    expect(card(page, task)).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("n")
    expect(page.get_by_label("Title")).to_be_focused()


def test_the_palette_finds_tasks_and_commands(board, page):
    task = board.create("A needle in the hay")
    expect(card(page, task)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("needle")
    expect(page.get_by_role("option", name=re.compile("needle"))).to_be_visible()
    page.get_by_role("combobox", name="Find a task or a command").fill("new task")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_be_focused()
