"""The pages that are lists in a browser: orders, schedules, deliveries, hosts, settings."""

from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, at_once
from tests.web.axe import findings

PAGES = ("orders", "schedules", "deliveries", "hosts", "settings")


def row(page: Page, words: str):
    return page.locator(".table tbody tr", has_text=words)


def button(page: Page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def field(page: Page, name: str):
    return page.get_by_role("dialog").get_by_role("textbox", name=name, exact=True)


def dialog_button(page: Page, name: str):
    return page.get_by_role("dialog").get_by_role("button", name=name, exact=True)


def test_an_order_is_queued_from_its_words_cancelled_and_entered_again(board):
    page = board.open("/orders")
    button(page, "New order").click()
    field(page, "Command").fill("echo 'an open quote")
    expect(page.get_by_text("A quote is still open.")).to_be_visible()
    expect(dialog_button(page, "Queue it")).to_be_disabled()
    field(page, "Command").fill("echo 'two words'")
    page.get_by_role("dialog").get_by_label("Not before").fill("2099-01-01T09:00")
    dialog_button(page, "Queue it").click()
    expect(row(page, "echo 'two words'")).to_contain_text("queued")
    [order] = board.ask("order.list")["items"]
    assert order["argv"] == ["echo", "two words"]
    row(page, "two words").get_by_role("button", name="Cancel").click()
    expect(row(page, "two words")).to_contain_text("cancelled")
    row(page, "two words").get_by_role("button", name="Enter again").click()
    expect(row(page, "two words")).to_contain_text("completed")
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_text("No order of this kind.")).to_be_visible()


def test_a_schedule_tells_its_next_times_while_it_is_written_and_fires_at_a_click(board):
    board.forgiven = ("status of 400",)
    page = board.open("/schedules")
    expect(button(page, "New schedule")).to_be_visible()
    page.keyboard.press("c")
    field(page, "When").fill("sometimes")
    expect(page.get_by_text("is not understood as a time")).to_be_visible()
    field(page, "When").fill("weekdays at 9")
    expect(page.get_by_text("Next:")).to_be_visible()
    field(page, "Command").fill("true")
    dialog_button(page, "Add it").click()
    expect(row(page, "weekdays at 9")).to_contain_text("active")
    row(page, "weekdays").get_by_role("button", name="Pause").click()
    expect(row(page, "weekdays")).to_contain_text("paused")
    row(page, "weekdays").get_by_role("button", name="Run now").click()
    row(page, "weekdays").get_by_role("button", name="History").click()
    expect(page.locator(".table-more tbody tr", has_text="fired")).to_have_count(1)
    remove = row(page, "weekdays").first.get_by_role("button", name="Remove")
    remove.click()
    expect(dialog_button(page, "Leave it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(remove).to_be_focused()
    page.keyboard.press("Enter")
    dialog_button(page, "Remove").click()
    expect(page.get_by_text("Nothing is scheduled on this board.")).to_be_visible()


def test_a_target_is_subscribed_and_its_message_sent_again(board):
    page = board.open("/deliveries")
    button(page, "Subscribe").click()
    field(page, "Address").fill("http://127.0.0.1:9/hook")
    dialog_button(page, "Subscribe").click()
    expect(row(page, "the whole board")).to_contain_text("webhook:")
    task = board.create("Tell it", initial_status="blocked", reason="Which colour?")
    board.ask("task.complete", id=task, summary="Green.")
    expect(row(page, "Tell it").first).to_be_visible()
    expect(row(page, "Green.")).to_contain_text("again in")
    row(page, "Green.").get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is sent again")).to_be_visible()
    row(page, "the whole board").get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("Nobody is told anything yet.")).to_be_visible()


def test_hosts_tell_what_is_paused_and_resume_it(board):
    page = board.open("/hosts")
    expect(row(page, "working")).to_have_count(1)
    board.ask("dispatch.pause", reason="Backup.")
    held = row(page, "Backup.")
    held.get_by_role("button", name="Resume").click()
    expect(held).to_have_count(0)
    assert board.ask("dispatch.holds") == []


def test_what_happens_between_the_first_read_and_the_opening_of_the_stream_is_shown(board):
    page = board.open("/hosts")
    kept_back = []

    def keep_back(route):
        kept_back.append(route)

    page.route("**/api/v1/events/stream*", keep_back)
    page.reload()
    expect(row(page, "working")).to_have_count(1)
    board.ask("dispatch.pause", reason="Backup.")
    [stream] = kept_back
    stream.continue_()
    row(page, "Backup.").get_by_role("button", name="Resume").click()
    expect(row(page, "Backup.")).to_have_count(0)


def test_settings_are_told_with_their_meaning_and_where_each_is_written(board):
    page = board.open("/settings")
    expect(row(page, "failure_limit")).to_contain_text("2")
    button(page, "How to set rate_limit_cooldown").click()
    told = page.get_by_role("dialog")
    expect(told).to_contain_text(str(board.home.path / "config.toml"))
    for table in ("dispatch", f"boards.{board.slug}"):
        expect(told.get_by_text(f'[{table}]\nrate_limit_cooldown = "5m"')).to_be_visible()
    expect(told).to_contain_text("nothing has to be started again")
    page.keyboard.press("Escape")
    button(page, "How to set session_days").click()
    expect(told).to_contain_text("when shop up is started the next time")


def test_a_board_gets_another_name_and_directory_and_is_paused_where_its_settings_are(board):
    board.forgiven = ("status of 400",)
    page = board.open("/settings")
    button(page, "Edit").click()
    field(page, "Name").fill("The shop floor")
    field(page, "Working directory").fill("not/whole")
    dialog_button(page, "Save").click()
    expect(page.get_by_role("alert")).to_contain_text("is not absolute")
    field(page, "Working directory").fill("/srv/work")
    dialog_button(page, "Save").click()
    expect(page.get_by_role("heading", name="The shop floor")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("/srv/work")
    shown = board.ask("board.show", slug=board.slug)
    assert (shown["name"], shown["default_workdir"]) == ("The shop floor", "/srv/work")
    button(page, "Pause the board").click()
    expect(button(page, "Resume the board")).to_be_visible()
    page.get_by_label("Only what is set").check()
    expect(row(page, "failure_limit")).to_have_count(0)


def test_an_address_that_is_no_page_says_so_and_keeps_the_board(board):
    page = board.open("/nowhere")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    expect(page.locator(".connection")).to_contain_text("Live")
    with at_once(page):
        page.keyboard.press("g")
        page.keyboard.press("o")
    expect(page.get_by_text("Nothing was ordered yet.")).to_be_visible()


def test_no_list_has_a_serious_finding(board):
    board.ask("order.enqueue", command={"argv": ["false"]})
    board.ask("schedule.add", rule="every day at 9", title="Water the plants")
    board.ask("subscription.add", target="desktop:")
    board.ask("dispatch.pause", reason="Backup.")
    page = board.open("/orders")
    for name in PAGES:
        page.goto(f"{board.web.url}/b/{board.slug}/{name}")
        expect(page.locator(".table").first).to_be_visible()
        assert findings(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert findings(page) == []
        page.set_viewport_size({"width": 1440, "height": 900})
