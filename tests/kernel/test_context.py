"""What a worker is told: everything that there is, the newest first, and never more than it can take."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopfloor.domain import limits
from shopfloor.domain.outcomes import Exit, Report
from shopfloor.domain.settings import Profile, Settings
from shopfloor.kernel.context import ITEM_BYTES, Part, Room, cut
from tests.support.walk import at, credentials


@pytest.fixture
def floor(board):
    board.settings = Settings(profiles={"coder": Profile("coder", kind="cli")})
    return board


def context(board, task):
    return board.ask("task.context", id=task).text


def test_a_new_task_is_told_with_the_ways_to_report(floor):
    task = floor.create("Paint the door", body="Red, please.", assignee="coder", check=["make"])
    text = context(floor, task)
    assert text.startswith(f"# Paint the door\n\nTask #{task}, attempt 1, as its worker.\n")
    assert "Red, please." in text
    assert 'A check decides whether it is done: `["make"]`.' in text
    for way in ("complete", "request-review", "ask", "block"):
        assert f"`shop {way} {task}" in text
    for tool in ("task_complete", "task_request_review", "task_ask", "task_block", "task_inbox"):
        assert f"`{tool}`" in text


def test_a_command_is_told_no_protocol(floor):
    task = floor.create(command={"argv": ["true"]})
    assert "How to report" not in context(floor, task)


def test_a_reviewer_is_told_how_to_approve_and_what_was_handed_in(floor):
    task = floor.create(assignee="coder")
    one = floor.claim(task)
    floor.ask_as(one.run, one.token, "task.request_review", id=task, summary="painted red")
    text = context(floor, task)
    assert "as its reviewer." in text
    assert f"`shop request-changes {task} REASON`" in text
    assert "Handed over: painted red" in text
    assert "task_block" not in text


def test_parents_hand_over_what_they_made(floor):
    parents = [floor.create("dig"), floor.create("lay pipes"), floor.create("rest")]
    task = floor.create(parents=parents)
    for number, parent in enumerate(parents[:2]):
        floor.clock.advance(1_000)
        floor.ask("task.complete", id=parent, summary=f"did {number}", metadata={"depth": number})
    text = context(floor, task)
    assert "### #1 dig (done)\n\ndid 0" in text
    assert '```json\n{"depth":1}\n```' in text
    assert text.index("did 1") < text.index("did 0"), "the newest first"
    assert "rest" not in text.partition("handed over")[2]


def test_an_earlier_attempt_is_told_with_its_note_its_last_words_and_its_log(floor):
    task = floor.create(assignee="coder", max_attempts=9)
    for number in range(7):
        [one] = floor.start()
        floor.ask_as(one.run_id, one.token, "run.progress", note=f"note {number}")
        report = Report("failed", f"failure {number}", text=f"words {number}")
        floor.settle(one.run_id, Exit(exit_code=0), report=report)
    log = floor.service.files.log_path(task)
    log.parent.mkdir(exist_ok=True)
    log.write_text("first line\n" + "x" * 100 + "\n```\nlast line\n")
    text = context(floor, task)
    assert "- Attempt 7 (worker coder) ended as failed.\n  Why: failure 6" in text
    assert "Its last note: note 6" in text
    assert "Its last words: words 6" in text
    assert "The end of its log:\n\n````\nfirst line" in text
    assert "failure 2" in text and "failure 1" not in text
    assert f"(2 more left out; `shop runs {task}` lists them)" in text


def test_questions_are_told_with_their_answers(floor):
    task = floor.create(assignee="coder")
    one = floor.claim(task)
    worker = one.run, one.token
    floor.ask_as(*worker, "task.ask", id=task, question="Which size?", wait=True)
    floor.ask_as(*worker, "task.ask", id=task, question="Which colour?")
    floor.ask("task.answer", id=task, answer="red", question=2)
    floor.ask("task.answer", id=task, answer="large")
    text = context(floor, task)
    assert "- Which colour?\n  Answer: red (ann)" in text
    assert text.index("Which colour?") < text.index("Which size?")


def test_comments_come_newest_first_and_say_how_many_are_left_out(floor):
    task = floor.create(assignee="coder")
    for number in range(30):
        floor.ask("task.comment", id=task, body=f"comment {number} " + "x" * 2_000)
    text = context(floor, task)
    assert text.index("comment 29") < text.index("comment 28")
    shown = text.count("**ann:**")
    assert 10 < shown < 30
    assert f"({30 - shown} more left out; `shop comments {task}` prints them)" in text


def test_attachments_are_told_as_whole_paths(floor):
    task = floor.create(assignee="coder")
    floor.ask("task.attach", id=task, name="plan.txt", content="eA==")
    assert f"- {floor.folder}/attachments/{task}/plan.txt (1 bytes)" in context(floor, task)


def test_a_long_body_is_cut_with_a_word_on_where_the_rest_is(floor):
    task = floor.create(body="ü" * 30_000, assignee="coder")
    text = context(floor, task)
    assert f"bytes left out; `shop show {task}` has the rest)" in text
    assert len(text.encode()) <= limits.CONTEXT_BYTES_MAX


def test_a_session_that_goes_on_is_shown_with_its_news(floor):
    task = floor.create(assignee="coder")
    one = floor.claim(task)
    floor.ask_as(one.run, one.token, "run.progress", session_id="abc")
    floor.ask_as(one.run, one.token, "task.ask", id=task, question="Which colour?")
    floor.ask("task.answer", id=task, answer="red")
    told = floor.ask("task.context", id=task)
    assert (told.session, "Answer: red" in told.news) == ("abc", True)


def test_the_whole_is_bounded_when_everything_is_as_large_as_it_may_be(floor):
    big = "ä" * 20_000
    parents = [floor.create("p" * limits.TITLE_CHARS_MAX) for _ in range(30)]
    task = floor.create(
        "t" * limits.TITLE_CHARS_MAX, body=big, parents=parents, assignee="coder", max_attempts=99
    )
    for parent in parents:
        floor.ask("task.complete", id=parent, summary=big, result=big, metadata={"x": big})
    for _ in range(6):
        [one] = floor.start()
        floor.ask_as(one.run_id, one.token, "task.ask", id=task, question="q" * 4_000, wait=True)
        floor.settle(one.run_id, Exit(exit_code=0), report=Report("failed", "f" * 4_000, text=big))
    for number in range(40):
        floor.ask("task.comment", id=task, body=big)
        floor.ask("task.attach", id=task, name=f"{'n' * 150}{number}", content="eA==")
    log = floor.service.files.log_path(task)
    log.parent.mkdir(exist_ok=True)
    log.write_text("y" * 100_000)
    text = context(floor, task)
    assert len(text.encode()) <= limits.CONTEXT_BYTES_MAX
    for title in ("Questions", "Earlier attempts", "handed over", "Attachments", "Comments"):
        assert title in text
    assert text.count("left out") >= 5


@given(st.text(max_size=300), st.integers(min_value=0, max_value=600))
def test_a_cut_text_is_never_longer_than_it_may_be_unless_that_is_very_little(text, most):
    assert len(cut(text, most).encode()) <= max(most, 60)
    assert cut(text, len(text.encode())) == text


@settings(max_examples=200)
@given(
    st.lists(st.text(min_size=1, max_size=3_000), max_size=30),
    st.integers(min_value=0, max_value=20_000),
    st.integers(min_value=0, max_value=20_000),
)
def test_a_part_takes_no_more_than_its_share_and_tells_what_is_missing(items, most, left):
    room = Room(left)
    texts = room.fill(Part("## Title", items, most, "look there"))
    used = sum(len(text.encode()) + 2 for text in texts)
    assert used <= max(min(most, left), 0) or not texts
    assert room.left == left - used
    shown = [text for text in texts if text in items]
    if texts and len(shown) < len(items) and not any("left out" in text for text in texts):
        assert any(text.startswith(items[0][: ITEM_BYTES // 10]) for text in texts)


def test_a_running_tasks_context_is_what_its_worker_got(floor):
    task = at(floor, "running", assignee="coder")
    run, _ = credentials(floor, task)
    folder = floor.service.files.run_folder(run)
    folder.mkdir(parents=True)
    (folder / "context.md").write_text("as it was told")
    assert context(floor, task) == "as it was told"
