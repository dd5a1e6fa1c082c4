"""A task's page in a browser: written, linked, commented, answered, followed, and told when others change it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE
from tests.support.held import Held
from tests.support.home import Worker
from tests.support.web import web_of

ATTACK = """# Plan

<script>window.stolen = 1</script>
<img src=x onerror="window.stolen = 2">
[press](javascript:window.stolen=3) and **do it**
<iframe src="javascript:window.stolen=4"></iframe>
"""


def opened(board, task: int, tab: str = "", **how) -> Page:
    """The page of a task."""
    page = board.open(f"/t/{task}{f'?tab={tab}' if tab else ''}", **how)
    expect(page.locator(".task-title")).to_be_visible()
    return page


def worker_of(board, task: int) -> Worker:
    """The worker of a task, which nothing here starts by itself."""
    claimed = board.ask("run.claim", id=task)
    return Worker(task, claimed["run"], claimed["token"])


def status(board, task: int) -> str:
    return str(board.ask("task.show", id=task)["task"]["status"])


def says(page: Page, word: str):
    """The page's own word for the status of its task."""
    return page.locator(".task-line .status").get_by_text(word, exact=True)


def test_a_description_is_written_in_place_and_what_is_dangerous_in_it_does_nothing(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    page.keyboard.press("e")
    page.get_by_label("Description, in Markdown").fill(ATTACK)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".prose h1")).to_have_text("Plan")
    expect(page.locator(".prose strong")).to_have_text("do it")
    for bad in ("script", "iframe", "img", "[onerror]", "a[href^=javascript]"):
        expect(page.locator(f".prose {bad}")).to_have_count(0)
    assert page.evaluate("window.stolen") is None
    assert board.ask("task.show", id=task)["task"]["body"] == ATTACK
    page.keyboard.press("u")
    expect(page.get_by_text("Say what a worker has to know")).to_be_visible()


def test_what_somebody_else_wrote_meanwhile_is_said_before_it_is_overwritten(board):
    task = board.create("Write", initial_status="triage", body="first")
    page = opened(board, task)
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description, in Markdown").fill("mine")
    board.ask("task.edit", id=task, body="theirs")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else changed the description")
    page.get_by_role("button", name="Take theirs").click()
    expect(page.get_by_label("Description, in Markdown")).to_have_value("theirs")


def test_what_is_half_written_is_there_again_after_another_task_was_looked_at(board):
    first, second = board.create("One"), board.create("Two")
    page = opened(board, first)
    page.get_by_label("New comment").fill("half a thou")
    page.evaluate(
        f"history.pushState(null, '', '/b/{board.slug}/t/{second}'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    expect(page.locator(".task-title")).to_contain_text("Two")
    page.go_back()
    expect(page.get_by_label("New comment")).to_have_value("half a thou")


def test_another_clients_change_is_on_the_page_without_a_reload(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    board.ask("task.comment", id=task, body="look at **this**")
    expect(page.locator(".comment strong")).to_have_text("this")
    board.ask("task.edit", id=task, title="Write better")
    expect(page.locator(".task-title")).to_contain_text("Write better")
    board.ask("task.block", id=board.create("Other"), reason="x")
    board.ask("task.cancel", id=task)
    expect(says(page, "cancelled")).to_be_visible()


def test_a_title_a_priority_and_an_assignee_are_changed_where_they_stand(board):
    task = board.create("Wirte", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="Wirte; change the title").click()
    page.get_by_label("Title", exact=True).fill("Write")
    page.keyboard.press("Enter")
    expect(page.locator(".task-title")).to_contain_text("Write")
    page.get_by_role("spinbutton", name="Priority").fill("7")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Priority 7")).to_be_visible()
    page.get_by_role("button", name="nobody; assign to somebody else").click()
    page.get_by_label("Assignee", exact=True).fill("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="ada; assign to somebody else")).to_be_visible()
    shown = board.ask("task.show", id=task)["task"]
    assert (shown["title"], shown["priority"], shown["assignee"]) == ("Write", 7, "ada")


def test_what_is_typed_into_a_field_stays_while_the_page_draws_itself_anew(board):
    task = board.create("Write", initial_status="triage")
    page = opened(board, task)
    assigning = Held(page, "task.assign")
    assigning.let_go()
    page.get_by_label("Priority").press("Control+a")
    page.get_by_label("Priority").press_sequentially("7")
    board.ask("task.edit", id=task, title="Write well")
    expect(page.locator(".task-title")).to_contain_text("Write well")
    expect(page.get_by_label("Priority")).to_have_value("7")
    page.get_by_role("button", name="nobody; assign to somebody else").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_label("Assignee", exact=True).fill("ada")
    board.ask("task.edit", id=task, title="Write better")
    expect(page.locator(".task-title")).to_contain_text("Write better")
    expect(page.get_by_label("Assignee", exact=True)).to_have_value("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="ada; assign to somebody else")).to_be_focused()
    shown = board.ask("task.show", id=task)["task"]
    assert (shown["priority"], shown["assignee"]) == (7, "ada")
    assert assigning.many == 1


def test_a_question_is_answered_by_words_or_by_the_number_of_an_option(board):
    task = board.create("Choose", assignee="nobody-here")
    worker = worker_of(board, task)
    ask = {"id": task, "question": "Which **colour**?", "options": ["red", "blue"]}
    board.ask("task.ask", worker=worker, **ask)
    page = opened(board, task)
    expect(page.locator(".question .prose strong")).to_have_text("colour")
    page.keyboard.press("2")
    expect(says(page, "ready")).to_be_visible()
    expect(page.locator(".question-past")).to_contain_text("blue")
    board.ask("task.ask", worker=worker_of(board, task), id=task, question="How many?")
    expect(page.locator(".question")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.type("about seven")
    page.keyboard.press("Enter")
    expect(page.locator(".question-past", has_text="about seven")).to_be_visible()
    assert status(board, task) == "ready"


def test_a_task_that_is_ended_asks_first_what_becomes_of_those_that_wait(board):
    task = board.create("Dig", initial_status="triage")
    child = board.create("Plant", parents=[task])
    page = opened(board, task)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Cancel…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The tasks that wait for it").select_option("cancel")
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(says(page, "cancelled")).to_be_visible()
    assert status(board, child) == "cancelled"


def test_a_task_is_deleted_only_after_a_warning_and_the_page_closes(board):
    # Where it was changed at that moment, the page reads it once more.
    board.forgiven = ("404",)
    task = board.create("Dig", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/b/{board.slug}$"))
    assert board.ask("task.list")["items"] == []


def test_an_idea_is_split_into_lines_of_which_each_may_name_who_does_it(board):
    task = board.create("Build a house", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="Split").click()
    page.get_by_label("Sub-tasks, one a line").fill("- Walls @mason\n- Roof\n")
    page.get_by_role("dialog").get_by_role("button", name="Split", exact=True).click()
    expect(page.locator(".task-chip")).to_have_count(2)
    made = {one["title"]: one["assignee"] for one in board.ask("task.list", origin=task)["items"]}
    assert made == {"Walls": "mason", "Roof": None}


def test_tasks_are_linked_by_search_and_unlinked_by_their_chips(board):
    task, other = (
        board.create("Paint", initial_status="triage"),
        board.create("Buy paint", initial_status="triage"),
    )
    page = opened(board, task)
    page.get_by_role("button", name="Waits for: add a task").click()
    page.get_by_role("combobox", name="Waits for: find a task").fill("buy")
    expect(page.locator(".finder-list [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".task-chip", has_text="Buy paint")).to_be_visible()
    assert [one["id"] for one in board.ask("task.show", id=task)["parents"]] == [other]
    page.get_by_role("button", name=f"Take the link with #{other} away").click()
    expect(page.locator(".task-chip")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".task-chip", has_text="Buy paint")).to_be_visible()


def test_enter_before_the_search_has_answered_means_what_was_typed(board):
    task = board.create("Paint", initial_status="triage")
    wanted = board.create("Buy paint", initial_status="triage")
    board.create("Sleep", initial_status="triage")
    page = opened(board, task)
    page.get_by_role("button", name="Waits for: add a task").click()
    expect(page.locator(".finder-list [role=option]", has_text="Sleep")).to_be_visible()
    page.get_by_role("combobox", name="Waits for: find a task").fill("buy")
    page.keyboard.press("Enter")
    expect(page.locator(".task-chip", has_text="Buy paint")).to_be_visible()
    assert [one["id"] for one in board.ask("task.show", id=task)["parents"]] == [wanted]


def test_a_link_that_would_close_a_circle_is_explained_with_its_tasks(board):
    board.forgiven = ("409", "422", "403", "400")
    first = board.create("First", initial_status="triage")
    second = board.create("Second", parents=[first])
    third = board.create("Third", parents=[second])
    page = opened(board, first)
    page.get_by_role("button", name="Waits for: add a task").click()
    page.get_by_role("combobox", name="Waits for: find a task").fill(f"#{third}")
    page.locator(".finder-list [role=option]", has_text="Third").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("would close a circle")
    for task in (first, second, third):
        expect(alert.get_by_role("link", name=f"#{task}").first).to_be_visible()
    assert board.ask("task.show", id=first)["parents"] == []


def test_files_are_uploaded_fetched_and_removed(board, tmp_path):
    task = board.create("Keep", initial_status="triage")
    page = opened(board, task)
    file = tmp_path / "plan ü.txt"
    file.write_bytes(b"seven\x00eight")
    page.get_by_label("Files to attach").set_input_files(file)
    link = page.locator(".file a", has_text="plan ü.txt")
    expect(link).to_be_visible()
    with page.expect_download() as coming:
        link.click()
    assert coming.value.path().read_bytes() == b"seven\x00eight"
    page.get_by_role("button", name="Remove plan ü.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(link).to_have_count(0)
    assert board.ask("task.attachments", id=task) == []


def test_a_file_that_is_dropped_anywhere_on_the_page_is_kept(board):
    task = board.create("Keep", initial_status="triage")
    page = opened(board, task)
    dropped = page.evaluate_handle(
        "() => { const held = new DataTransfer(); held.items.add(new File(['abc'], 'dropped.txt')); return held; }"
    )
    page.dispatch_event(".task-head", "dragover", {"dataTransfer": dropped})
    expect(page.locator(".drop")).to_be_visible()
    page.dispatch_event(".task-head", "drop", {"dataTransfer": dropped})
    expect(page.locator(".file", has_text="dropped.txt")).to_be_visible()
    expect(page.locator(".drop")).to_have_count(0)


def test_a_log_is_followed_in_its_colours_until_one_scrolls_up(board, tmp_path):
    go, stop = tmp_path / "go", tmp_path / "stop"
    script = (
        "printf '\\033[32mgreen\\033[0m <b>plain</b>\\n'; seq 1 400; "
        f"until [ -e {go} ]; do sleep 0.1; done; echo later; "
        f"until [ -e {stop} ]; do sleep 0.1; done; echo latest"
    )
    task = board.create("Talk", command={"argv": ["sh", "-c", script]})
    page = opened(board, task, "log")
    log = page.get_by_role("log")
    expect(log.locator(".ansi-green")).to_have_text("green")
    expect(log.locator("b")).to_have_count(0)
    expect(log).to_contain_text("400")
    go.touch()
    expect(log).to_contain_text("later")
    expect(page.get_by_text("following")).to_be_visible()
    assert log.evaluate("box => box.scrollTop + box.clientHeight >= box.scrollHeight - 30")
    log.evaluate("box => { box.scrollTop = 0; }")
    expect(page.get_by_text("paused", exact=True)).to_be_visible()
    stop.touch()
    expect(log).to_contain_text("latest")
    assert log.evaluate("box => box.scrollTop") == 0
    expect(says(page, "done")).to_be_visible()
    page.get_by_role("button", name="To the end").click()
    expect(page.get_by_role("button", name="To the end")).to_have_count(0)


def test_a_log_that_is_too_long_is_cut_and_says_where_the_whole_is(board):
    script = "seq 1 30000"
    task = board.create("Talk", command={"argv": ["sh", "-c", script]})
    page = opened(board, task, "log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("30000")
    expect(page.locator(".log-cut")).to_contain_text("The beginning is not shown")
    expect(page.locator(".log-path")).to_have_attribute("title", re.compile(rf"/logs/{task}\.log$"))
    page.get_by_role("button", name=re.compile("^Show 512")).click()
    expect(page.locator(".log-cut")).to_have_count(0)


def test_attempts_tell_how_they_ended_and_the_next_step_is_a_button(board):
    task = board.create(
        "Fail", command={"argv": ["sh", "-c", "echo no >&2; exit 3"]}, max_attempts=1
    )
    page = opened(board, task)
    expect(says(page, "blocked")).to_be_visible()
    page.get_by_role("tab", name="Attempts").click()
    expect(page.locator(".attempt")).to_contain_text("exit 3")
    expect(page.locator(".attempt .chip").first).to_have_text("failed")
    page.keyboard.press("Shift+H")
    expect(page.locator(".history")).to_contain_text("gave up")
    page.keyboard.press("t")
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_role("tab", name="Attempts")).to_contain_text("2")


def test_a_worker_is_stopped_after_a_warning_and_the_task_can_be_resumed(board, tmp_path):
    script = f"until [ -e {tmp_path / 'go'} ]; do sleep 0.1; done"
    task = board.create("Run", command={"argv": ["sh", "-c", script]})
    page = opened(board, task)
    expect(says(page, "running")).to_be_visible()
    page.keyboard.press(".")
    expect(page.get_by_role("dialog")).to_contain_text("Its worker is killed")
    page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
    expect(says(page, "ready")).to_be_visible()
    (tmp_path / "go").touch()
    page.get_by_role("button", name="Resume").first.click()
    expect(says(page, "done")).to_be_visible()


def test_the_change_in_a_worktree_is_shown_by_file_with_its_figures(board, tmp_path):
    repo = tmp_path / "repo"
    git = ["git", "-C", str(repo), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        repo.mkdir(exist_ok=True)
        assert board.home.run([*git, *words]).returncode == 0
    script = "printf 'one\\ntwo\\n' > '<new>.txt'"
    place = f"worktree:{repo}/.worktrees/t"
    task = board.create("Change", command={"argv": ["sh", "-c", script]}, workspace=place)
    page = opened(board, task)
    expect(says(page, "done")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(".diff-name")).to_have_text("<new>.txt")
    expect(page.locator(".diff-file ins")).to_have_text("+2")
    expect(page.locator(".diff-line.is-added")).to_have_text(["+one", "+two"])


def test_a_viewer_sees_everything_and_is_offered_nothing_to_change(site, board):
    task = board.create("Look", initial_status="triage", body="words")
    board.web = web_of(site.home, site.daemon, "viewer", "vera")
    page = opened(board, task)
    expect(page.locator(".prose")).to_have_text("words")
    for name in ("More", "Edit", "Attach", "Split"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_label("New comment")).to_have_count(0)


def test_a_task_that_is_not_there_is_said_so(board):
    board.forgiven = ("404",)
    page = board.open("/t/99")
    expect(page.get_by_role("heading", name="There is no task #99")).to_be_visible()


@pytest.mark.parametrize("tab", ["", "attempts", "log", "diff", "history"])
def test_on_a_phone_the_page_fits_and_esc_leads_back_to_the_board(board, tab):
    long = "averyveryverylongwordthatcannotbebrokenanywhere" * 3
    task = board.create(long, body=f"`{long}`", command={"argv": ["echo", long]})
    page = opened(board, task, tab, size=PHONE)
    expect(says(page, "done")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE[0]
    assert page.locator(".drawer").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(rf"/b/{board.slug}$"))
