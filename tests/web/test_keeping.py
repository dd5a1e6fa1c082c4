"""What a person does on a task's page or in a form stays, whatever the board does meanwhile and however late answers come."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import card
from tests.support.held import Held
from tests.web.test_ideas import asked
from tests.web.test_task import opened, says, worker_of


def test_what_is_written_on_after_a_comment_was_sent_stays_in_its_field(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    sending = Held(page, "task.comment")
    field = page.get_by_label("New comment")
    field.fill("first")
    field.press("Control+Enter")
    sending.arrive()
    field.press_sequentially(", second")
    sending.let_go()
    expect(page.locator(".comment")).to_contain_text("first")
    expect(field).to_have_value(", second")
    expect(field).to_be_focused()
    assert [one["body"] for one in board.ask("task.comments", id=task)] == ["first"]


def test_what_is_written_on_after_a_description_was_saved_stays_in_its_field(board):
    task = board.create("Write", initial_status="triage", body="one")
    page = opened(board, task)
    saving = Held(page, "task.edit")
    page.get_by_role("button", name="Edit").click()
    field = page.get_by_label("Description, in Markdown")
    field.fill("two")
    field.press("Control+Enter")
    saving.arrive()
    field.press_sequentially(" three")
    saving.let_go()
    expect(page.get_by_text("The description is changed")).to_be_visible()
    expect(field).to_have_value("two three")
    expect(page.get_by_role("alert")).to_have_count(0)
    field.press("Control+Enter")
    expect(page.locator(".prose")).to_have_text("two three")


def test_a_draft_is_not_begun_anew_by_the_key_that_begins_one_and_takes_no_focus_by_itself(board):
    task = board.create("Write", initial_status="triage", body="one")
    page = opened(board, task)
    page.keyboard.press("e")
    field = page.get_by_label("Description, in Markdown")
    field.fill("mine")
    page.get_by_role("tab", name="History").click()
    page.get_by_role("tab", name="Task").click()
    expect(field).to_have_value("mine")
    expect(field).not_to_be_focused()
    page.keyboard.press("e")
    expect(field).to_be_focused()
    expect(field).to_have_value("mine")


def test_a_title_that_was_only_looked_at_does_not_overwrite_anothers(board):
    task = board.create("Wirte", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="Wirte; change the title").click()
    field = page.get_by_label("Title", exact=True)
    expect(field).to_be_focused()
    board.ask("task.edit", id=task, title="Write", priority=4)
    expect(page.get_by_role("spinbutton", name="Priority")).to_have_value("4")
    field.press("Enter")
    expect(page.get_by_role("button", name="Write; change the title")).to_be_focused()
    assert board.ask("task.show", id=task)["task"]["title"] == "Write"


def test_a_priority_that_is_being_typed_outlives_anothers_change_of_it(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    field = page.get_by_role("spinbutton", name="Priority")
    field.press("Control+a")
    field.press_sequentially("7")
    board.ask("task.edit", id=task, priority=3, title="Write well")
    expect(page.locator(".task-title")).to_contain_text("Write well")
    expect(field).to_have_value("7")
    field.press("Enter")
    expect(page.get_by_text("Priority 7")).to_be_visible()
    assert board.ask("task.show", id=task)["task"]["priority"] == 7


def test_a_priority_that_is_stepped_faster_than_it_is_kept_ends_as_it_was_left(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    keeping = Held(page, "task.edit")
    field = page.get_by_role("spinbutton", name="Priority")
    field.focus()
    for _ in range(3):
        field.press("ArrowUp")
    keeping.arrive()
    assert keeping.many == 1
    keeping.let_go()
    expect(page.get_by_text("Priority 3")).to_be_visible()
    expect(field).to_have_value("3")
    assert board.ask("task.show", id=task)["task"]["priority"] == 3


def test_the_menu_of_a_task_stays_as_it_was_opened_while_the_task_goes_on(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="More").click()
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    before = items.all_inner_texts()
    board.ask("task.specify", id=task, by="hand", title="Write well")
    expect(page.locator(".task-title")).to_contain_text("Write well")
    assert items.all_inner_texts() == before
    expect(items.first).to_be_focused()


def test_a_key_that_is_being_chosen_is_still_waited_for_when_the_task_changes(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    page.keyboard.press("?")
    page.get_by_role("button", name=re.compile("^Close the task: ")).click()
    expect(page.locator(".is-catching")).to_be_focused()
    lines = page.locator(".key-line dt").all_inner_texts()
    board.ask("task.specify", id=task, by="hand", title="Write well")
    expect(page.locator(".task-title")).to_contain_text("Write well")
    expect(page.locator(".is-catching")).to_be_focused()
    kept = [line for line in page.locator(".key-line dt").all_inner_texts() if line in lines]
    assert kept == [line for line in lines if line in kept]


def test_the_numbers_of_answers_stay_with_the_question_at_which_they_were_seen(board):
    task = board.create("Choose", assignee="nobody-here")
    worker = worker_of(board, task)
    ask = {"id": task, "question": "Which colour?", "options": ["red", "blue"]}
    board.ask("task.ask", worker=worker, wait=True, **ask)
    page = opened(board, task)
    expect(page.locator(".question kbd")).to_have_count(2)
    board.ask("task.ask", worker=worker, id=task, question="How many?", options=["one", "two"])
    expect(page.locator(".question")).to_have_count(2)
    page.keyboard.press("2")
    expect(page.locator(".question-past")).to_contain_text("blue")


def test_an_answer_that_is_begun_on_one_board_is_not_found_on_another(site, board):
    task = board.create("Choose", assignee="nobody-here")
    board.ask("task.ask", worker=worker_of(board, task), id=task, question="Which colour?")
    page = opened(board, task)
    page.get_by_label(re.compile("^Answer to question")).fill("half an ans")
    other = f"{board.slug}-other"
    site.home.ask("board.create", slug=other)
    here, board.slug = board.slug, other
    same = board.create("Count", assignee="nobody-here")
    board.ask("task.ask", worker=worker_of(board, same), id=same, question="How many?")
    board.slug = here
    page.evaluate(
        f"history.pushState(null, '', '/b/{other}/t/{same}'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    expect(page.locator(".question")).to_contain_text("How many?")
    expect(page.get_by_label(re.compile("^Answer to question"))).to_have_value("")
    page.go_back()
    expect(page.get_by_label(re.compile("^Answer to question"))).to_have_value("half an ans")


def test_a_page_outlives_a_server_that_cannot_answer_for_a_moment(board):
    task = board.create("Write")
    page = opened(board, task)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Block…").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("half a rea")
    reading = Held(page, "task.show")
    reading.refuse_once()
    board.ask("task.edit", id=task, title="Write well")
    expect(page.locator(".task-title")).to_contain_text("Write well")
    assert reading.many > 1
    expect(page.get_by_role("dialog").get_by_label("Reason")).to_have_value("half a rea")


def test_a_task_that_was_found_and_pointed_at_stays_so_when_it_is_looked_for_again(board):
    task = board.create("Paint", initial_status="triage")
    others = [board.create(f"Other {number}", initial_status="triage") for number in range(4)]
    page = opened(board, task)
    page.get_by_role("button", name="Waits for: add a task").click()
    found = page.locator(".finder-list [role=option]")
    expect(found).to_have_count(4)
    field = page.get_by_role("combobox", name="Waits for: find a task")
    for _ in range(2):
        field.press("ArrowDown")
    chosen = page.locator(".finder-list .is-here")
    told = chosen.inner_text()
    (mine,) = [other for other in others if f"Other {others.index(other)}" in told]
    linked = next(other for other in others if other != mine)
    looking = Held(page, "task.list")
    board.ask("task.link", parent=linked, child=task)
    looking.arrive()
    looking.let_go()
    expect(found).to_have_count(3)
    expect(chosen).to_contain_text(f"#{mine}")
    field.press("Enter")
    expect(page.locator(".task-chip", has_text=f"#{mine}")).to_be_visible()


def test_enter_before_the_palette_has_found_anything_means_what_it_finds(board, page):
    task = board.create("A needle in the hay")
    board.create("A task that is new", initial_status="triage")
    expect(card(page, task)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name=re.compile("needle"))).to_be_visible()
    looking = Held(page, "task.list")
    page.get_by_role("combobox", name="Find a task or a command").fill(f"#{task}")
    page.keyboard.press("Enter")
    looking.arrive()
    expect(page.get_by_role("dialog")).to_be_visible()
    looking.let_go()
    expect(page.locator(".task-title")).to_contain_text("needle")


def test_what_is_pointed_at_in_the_palette_stays_so_when_tasks_are_found(board, page):
    board.create("New task for the new gardener")
    expect(page.locator("[data-card]")).to_have_count(1)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name=re.compile("gardener"))).to_be_visible()
    field = page.get_by_role("combobox", name="Find a task or a command")
    field.fill("nothing of that kind")
    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    looking = Held(page, "task.list")
    field.fill("go to")
    looking.arrive()
    field.press("ArrowDown")
    here = page.locator(".palette-row.is-here")
    told = here.inner_text()
    board.create("Go to the market")
    looking.let_go()
    expect(page.get_by_role("option", name=re.compile("market"))).to_be_visible()
    assert here.inner_text() == told


def test_an_idea_keeps_its_description_when_it_is_made_a_task_before_that_is_read(board, page):
    idea = board.create("startup slow??", body="3 s", initial_status="triage")
    reading = Held(page, "task.show")
    asked(page, idea, "Make it a task")
    reading.arrive()
    page.get_by_label("Title").fill("Start faster")
    page.get_by_label("Title").press("Enter")
    expect(card(page, idea)).to_contain_text("Start faster")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert board.ask("task.show", id=idea)["task"]["body"] == "3 s"


@pytest.mark.parametrize(
    ("path", "label", "given", "op"),
    [
        ("", "Title", "Dig", "task.create"),
        ("/orders", "Command", "true", "order.enqueue"),
        ("/schedules", "Task", "Water", "schedule.add"),
        ("/deliveries", "Address", "http://127.0.0.1:9/", "subscription.add"),
    ],
)
def test_a_form_that_is_sent_twice_before_its_answer_is_carried_out_once(
    board, path, label, given, op
):
    page = board.open(path)
    expect(page.get_by_role("button", name=re.compile("^(New|Subscribe)")).first).to_be_visible()
    page.keyboard.press("c")
    form = page.get_by_role("dialog")
    if op == "schedule.add":
        form.get_by_label("When").fill("every day at 9")
        expect(form.get_by_text("Next:")).to_be_visible()
    sending = Held(page, op)
    form.get_by_label(label, exact=True).fill(given)
    form.get_by_label(label, exact=True).press("Enter")
    sending.arrive()
    form.get_by_label(label, exact=True).press("Enter")
    sending.let_go()
    expect(form).to_have_count(0)
    assert sending.many == 1


@pytest.mark.parametrize(
    ("path", "label", "op"),
    [("", "Title", "task.create"), ("/orders", "Command", "order.enqueue")],
)
def test_a_form_that_was_opened_since_is_not_closed_by_the_answer_to_the_one_before(
    board, path, label, op
):
    page = board.open(path)
    expect(page.get_by_role("button", name=re.compile("^New (task|order)$"))).to_be_visible()
    page.keyboard.press("c")
    field = page.get_by_role("dialog").get_by_label(label, exact=True)
    sending = Held(page, op)
    field.fill("true")
    field.press("Enter")
    sending.arrive()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    page.keyboard.press("c")
    field.fill("false")
    sending.let_go()
    expect(page.locator(".toast")).to_be_visible()
    expect(field).to_have_value("false")


def test_a_rule_that_was_put_right_is_taken_by_enter_before_its_times_are_told(board):
    board.forgiven = ("status of 400",)
    page = board.open("/schedules")
    expect(page.get_by_role("button", name="New schedule")).to_be_visible()
    page.keyboard.press("c")
    form = page.get_by_role("dialog")
    form.get_by_label("Task").fill("Water")
    form.get_by_label("When").fill("sometimes")
    expect(form.get_by_text("is not understood as a time")).to_be_visible()
    asking = Held(page, "schedule.preview")
    form.get_by_label("When").fill("every day at 9")
    form.get_by_label("When").press("Enter")
    expect(form).to_have_count(0)
    asking.let_go()
    [made] = board.ask("schedule.list")["items"]
    assert made["task"]["title"] == "Water"


def test_a_button_that_is_pressed_twice_asks_once(board):
    board.ask("schedule.add", rule="every day at 9", title="Water the plants")
    page = board.open("/schedules")
    running = Held(page, "schedule.run")
    running.let_go()
    page.get_by_role("button", name="Run now").dblclick()
    expect(page.get_by_text("It is on the board")).to_have_count(1)
    pausing = Held(page, "schedule.pause")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Pause").click()
    pausing.arrive()
    pausing.let_go()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert (running.many, pausing.many) == (1, 1)


def test_a_key_that_is_pressed_twice_asks_once(board):
    task = board.create("Choose", assignee="nobody-here")
    ask = {"id": task, "question": "Which colour?", "options": ["red", "blue"]}
    board.ask("task.ask", worker=worker_of(board, task), **ask)
    page = opened(board, task)
    expect(page.locator(".question kbd")).to_have_count(2)
    answering = Held(page, "task.answer")
    page.keyboard.press("2")
    page.keyboard.press("2")
    answering.arrive()
    answering.let_go()
    expect(page.locator(".question-past")).to_contain_text("blue")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert answering.many == 1


def test_what_is_selected_in_a_log_stays_selected_while_the_log_grows(board, tmp_path):
    go, stop = tmp_path / "go", tmp_path / "stop"
    script = (
        f"echo first; until [ -e {go} ]; do sleep 0.1; done; echo second; "
        f"until [ -e {stop} ]; do sleep 0.1; done"
    )
    task = board.create("Talk", command={"argv": ["sh", "-c", script]})
    page = opened(board, task, "log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("first")
    log.evaluate(
        "box => { const text = box.querySelector('code').firstChild; getSelection().setBaseAndExtent(text, 0, text, 5); }"
    )
    go.touch()
    expect(page.locator(".log-bar")).to_contain_text("13 B")
    assert page.evaluate("getSelection().toString()") == "first"
    page.evaluate("getSelection().empty()")
    expect(log).to_contain_text("second")
    stop.touch()
    expect(says(page, "done")).to_be_visible()
