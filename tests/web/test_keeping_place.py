"""Where a person is on the pages of a board stays: focus, choice, scroll place, drag; whatever others do meanwhile."""

import re

from playwright.sync_api import expect

from tests.support.browser import card, card_in, column
from tests.support.held import Held, wait_for
from tests.web.test_needs import asking, item, reviewed


def test_after_a_card_has_gone_keys_go_on_from_its_place(board, page):
    board.create("Zero", initial_status="triage")
    made = [board.create(f"Task {number}") for number in range(4)]
    expect(card(page, made[-1])).to_be_visible()
    card(page, made[1]).focus()
    board.ask("task.delete", id=made[1])
    expect(card(page, made[1])).to_have_count(0)
    page.keyboard.press("j")
    expect(card(page, made[2])).to_be_focused()
    board.ask("task.archive", id=made[2])
    expect(card(page, made[2])).to_have_count(0)
    page.keyboard.press("k")
    expect(card(page, made[0])).to_be_focused()


def test_a_card_keeps_the_focus_when_its_place_in_the_column_changes(board, page):
    made = [board.create(f"Task {number}") for number in range(4)]
    expect(card(page, made[-1])).to_be_visible()
    card(page, made[2]).focus()
    board.ask("task.edit", id=made[2], priority=5)
    expect(card(page, made[2])).to_have_attribute("aria-posinset", "1")
    expect(card(page, made[2])).to_be_focused()
    board.ask("task.edit", id=made[3], priority=7)
    expect(card(page, made[3])).to_have_attribute("aria-posinset", "1")
    expect(card(page, made[2])).to_be_focused()


def test_a_card_keeps_the_focus_when_it_goes_to_another_column(board, page):
    made = [board.create(f"Task {number}") for number in range(3)]
    expect(card(page, made[-1])).to_be_visible()
    card(page, made[1]).focus()
    board.ask("task.complete", id=made[1])
    expect(card_in(page, made[1], "done")).to_be_focused()


def test_a_column_that_is_scrolled_stays_in_its_place_when_a_card_comes_above(board):
    made = [board.create(f"Task {number}") for number in range(60)]
    page = board.open()
    expect(card(page, made[0])).to_be_visible()
    cards = page.locator('[data-column="ready"] .cards')
    cards.evaluate("box => { box.scrollTop = 1200; }")
    seen = card(page, made[20])
    expect(seen).to_be_visible()
    before = seen.bounding_box()
    first = board.create("Before all", priority=9)
    expect(column(page, "ready").locator(".column-count")).to_have_text("61")
    expect(seen).to_have_attribute("aria-posinset", "22")
    assert seen.bounding_box() == before
    board.ask("task.delete", id=first)
    expect(seen).to_have_attribute("aria-posinset", "21")
    assert seen.bounding_box() == before


def test_only_cards_that_are_there_count_as_selected_and_keys_are_for_them(board, page):
    made = [board.create(f"Task {number}") for number in range(3)]
    expect(card(page, made[-1])).to_be_visible()
    for task in made[:2]:
        card(page, task).click(modifiers=["Control"])
    expect(page.get_by_text("2 selected")).to_be_visible()
    board.ask("task.delete", id=made[0])
    expect(page.get_by_text("1 selected")).to_be_visible()
    board.ask("task.delete", id=made[1])
    expect(page.get_by_role("region", name="Selected cards")).to_have_count(0)
    card(page, made[2]).focus()
    page.keyboard.press("Shift+D")
    expect(card_in(page, made[2], "done")).to_be_visible()


def test_a_drag_is_over_when_the_card_that_was_dragged_is_taken_away(board, page):
    task, other = board.create("Paint"), board.create("Stay")
    expect(card(page, other)).to_be_visible()
    card(page, task).hover()
    page.mouse.down()
    card(page, other).hover()
    expect(page.locator(".column.may-drop").first).to_be_visible()
    board.ask("task.delete", id=task)
    expect(card(page, task)).to_have_count(0)
    page.mouse.up()
    page.mouse.move(700, 400)
    page.mouse.move(710, 410)
    expect(page.locator(".may-drop")).to_have_count(0)


def test_keys_that_follow_the_opening_of_a_task_are_not_for_its_card(board, page):
    task = board.create("Paint")
    expect(card(page, task)).to_be_visible()
    loading = []

    def hold(route):
        loading.append(route)

    page.route("**/static/task/page.js", hold)
    card(page, task).focus()
    page.keyboard.press("Enter")
    wait_for(page, lambda: loading)
    page.keyboard.press("Shift+D")
    page.keyboard.press("e")
    loading[0].continue_()
    expect(page.locator(".task-title")).to_contain_text("Paint")
    assert board.ask("task.show", id=task)["task"]["status"] == "ready"


def test_a_search_that_is_cleared_at_once_does_not_come_back(board):
    task = board.create("Paint")
    page = board.open("?lanes=1")
    expect(card(page, task)).to_be_visible()
    page.clock.install()
    page.evaluate(
        """() => {
          const field = document.getElementById("board-search");
          field.value = "nothing";
          field.dispatchEvent(new Event("input", { bubbles: true }));
          [...document.querySelectorAll(".toolbar button")].find((one) => one.textContent === "Clear").click();
        }"""
    )
    page.clock.run_for(1000)
    expect(page).to_have_url(re.compile(rf"/b/{board.slug}$"))
    expect(card(page, task)).to_be_visible()
    expect(page.locator("#board-search")).to_have_value("")


def test_a_menu_that_comes_late_does_not_open_over_what_is_done_since(board, page):
    task = board.create("Paint")
    card(page, task).click(modifiers=["Control"])
    reading = Held(page, "profile.list")
    page.get_by_role("button", name="Assign").click()
    reading.arrive()
    page.keyboard.press("/")
    page.keyboard.type("pai")
    reading.let_go()
    reading.be_answered()
    page.keyboard.type("nt")
    expect(page).to_have_url(re.compile("q=paint$"))
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_card_that_was_moved_stays_there_while_the_move_is_being_answered(board, page):
    task, other = board.create("Paint"), board.create("Stay")
    expect(card(page, other)).to_be_visible()
    moving = Held(page, "task.complete")
    card(page, task).focus()
    page.keyboard.press("Shift+D")
    moving.arrive()
    expect(card_in(page, task, "done")).to_be_visible()
    board.ask("task.comment", id=task, body="wait")
    board.ask("task.edit", id=other, title="Stay here")
    expect(card(page, other)).to_contain_text("Stay here")
    expect(card_in(page, task, "done")).to_be_focused()
    expect(column(page, "ready").locator(".column-count")).to_have_text("1")
    expect(column(page, "done").locator(".column-count")).to_have_text("1")
    moving.let_go()
    expect(page.locator(".toast")).to_contain_text(f"#{task}: done")
    expect(card_in(page, task, "done").locator('[title="Comments"]')).to_have_text("1")


def test_dialogs_of_a_board_are_left_with_it(site, board, page):
    site.home.ask("board.create", slug=f"{board.slug}-next")
    page.evaluate(
        f"history.pushState(null, '', '/b/{board.slug}-next'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    expect(page.get_by_text("Nothing is on this board yet")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(f"/b/{board.slug}$"))
    expect(page.get_by_text("Nothing is on this board yet")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


STORED = """async (board) => {
  const { Store } = await import("/static/board/store.js");
  const store = new Store(board);
  const ask = store.ask.bind(store);
  let held = null;
  let answer;
  store.ask = async (args) => {
    const page = await ask({ ...args, limit: 10 });
    if (args.after) await held;
    return page;
  };
  await store.load();
  await store.more("ready");
  held = new Promise((done) => { answer = done; });
  const more = store.more("ready");
  await store.load();
  answer();
  await more;
  const ids = store.columns.get("ready").ids.peek();
  store.close();
  return ids;
}"""
READ_BEFORE = """async (board) => {
  const { Store } = await import("/static/board/store.js");
  window.store = new Store(board);
  // Too much was missed: no event tells of the change, the board is read anew instead.
  window.store.offs.forEach((off) => off());
  await window.store.load();
  const [task] = window.store.columns.get("ready").ids.peek();
  window.store.refresh([task]);
  await window.asked;
}"""
READ_AFTER = """async (task) => {
  const { store } = window;
  await store.load();
  window.answer();
  while (store.busy || store.waiting.size) await new Promise((on) => setTimeout(on));
  const { title } = store.cards.get(task).peek();
  store.close();
  return title;
}"""
HOLD = """(mark) => {
  let tell;
  window.asked = new Promise((done) => { tell = done; });
  const held = new Promise((done) => { window.answer = done; });
  const plain = window.fetch;
  window.fetch = async (path, options) => {
    const said = plain(path, options);
    if (window.held || !options?.body?.includes(mark)) return said;
    window.held = true;
    await said;
    tell();
    await held;
    return said;
  };
}"""


def test_a_page_of_cards_that_comes_after_the_board_was_read_anew_leaves_no_gap(board):
    made = [board.create(f"Task {number}") for number in range(40)]
    page = board.open("/settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    ids = page.evaluate(STORED, board.slug)
    assert ids == made[: len(ids)]


def test_a_card_that_was_read_before_the_board_was_read_anew_is_not_put_over_it(board):
    task = board.create("Paint")
    page = board.open("/settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.evaluate(HOLD, '"ids":')
    page.evaluate(READ_BEFORE, board.slug)
    board.ask("task.edit", id=task, title="Paint well")
    assert page.evaluate(READ_AFTER, task) == "Paint well"


def test_a_key_answers_nothing_that_took_the_place_of_what_another_has_answered(board):
    first, second = reviewed(board, "Walls"), reviewed(board, "Roof")
    page = board.open("/needs")
    expect(page.locator(".need")).to_have_count(2)
    item(page, "Walls").focus()
    expect(page.locator(".need.is-chosen")).to_contain_text("Walls")
    board.ask("task.complete", id=first)
    expect(page.locator(".need")).to_have_count(1)
    page.keyboard.press("a")
    expect(page.locator(".spoken[aria-live]")).to_contain_text("answered elsewhere")
    page.keyboard.press("j")
    expect(item(page, "Roof")).to_be_focused()
    assert board.ask("task.show", id=second)["task"]["status"] == "review"
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()


def test_a_reason_that_is_being_written_outlives_a_look_at_something_else(board):
    reviewed(board, "Walls")
    asking(board, "Roof")
    page = board.open("/needs")
    expect(page.locator(".need")).to_have_count(2)
    item(page, "Walls").get_by_role("button", name=re.compile("^Return|^Ask")).click()
    page.get_by_label("What is to be done differently").fill("it is cro")
    item(page, "Roof").focus()
    expect(item(page, "Roof")).to_have_class(re.compile("is-chosen"))
    item(page, "Walls").focus()
    expect(page.get_by_label("What is to be done differently")).to_have_value("it is cro")


def test_a_field_that_is_still_empty_takes_no_focus_back(board):
    reviewed(board, "Walls")
    page = board.open("/needs")
    item(page, "Walls").get_by_role("button", name=re.compile("^Return|^Ask")).click()
    field = page.get_by_label("What is to be done differently")
    expect(field).to_be_focused()
    item(page, "Walls").get_by_role("button", name=re.compile("^Approve")).focus()
    reviewed(board, "Roof")
    expect(page.locator(".need")).to_have_count(2)
    expect(field).not_to_be_focused()


def test_a_button_in_a_list_keeps_the_focus_when_a_row_comes_above(board):
    board.ask("order.enqueue", command={"argv": ["true"]}, at="2099-01-01T00:00:00Z", name="first")
    page = board.open("/orders")
    button = page.locator(".table tbody tr", has_text="first").get_by_role("button", name="Cancel")
    button.focus()
    board.ask("order.enqueue", command={"argv": ["true"]}, at="2098-01-01T00:00:00Z", name="second")
    expect(page.locator(".table tbody tr")).to_have_count(2)
    expect(button).to_be_focused()


def test_a_picture_that_was_moved_stays_there_when_the_graph_grows(board):
    top = board.create("Dig", initial_status="triage")
    task = board.create("Plant", parents=[top])
    page = board.open(f"/graph/{task}")
    node = page.locator(f'.graph-node[data-id="{task}"]')
    expect(page.locator(".graph-node")).to_have_count(2)
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowLeft")
    scale = re.compile(r"scale\(1\.25\)")
    expect(page.locator(".graph-picture > g")).to_have_attribute("transform", scale)
    node.focus()
    before = node.bounding_box()
    board.create("Harvest", parents=[task])
    expect(page.locator(".graph-node")).to_have_count(3)
    expect(page.locator(".graph-picture > g")).to_have_attribute("transform", scale)
    after = node.bounding_box()
    assert (round(after["x"]), round(after["y"])) == (round(before["x"]), round(before["y"]))
    expect(node).to_be_focused()


READ = """async () => {
  const { reader } = await import("/static/core/reader.js");
  const { Refusal } = await import("/static/core/api.js");
  const asked = [];
  const ask = () => new Promise((answer, refuse) => asked.push({ answer, refuse }));
  const one = reader({ ask, pauseMs: 0, againMs: 0 });
  const until = async (many) => { while (asked.length < many) await new Promise((on) => setTimeout(on)); };
  const told = [asked.length];
  one.read();
  one.read();
  told.push(asked.length);
  asked[0].answer();
  await until(2);
  asked[1].refuse(new Refusal("unavailable", "busy", null, 503));
  await until(3);
  asked[2].refuse(new Refusal("not_found", "gone", null, 404));
  one.soon();
  one.soon();
  await until(4);
  asked[3].answer();
  one.stop();
  one.soon();
  await new Promise((on) => setTimeout(on, 20));
  return [...told, asked.length];
}"""


def test_what_is_shown_is_never_read_twice_at_once_and_again_when_reading_failed_for_a_moment(page):
    assert page.evaluate(READ) == [0, 1, 4]
