"""A worker asks, a person answers, the task goes on: from every status, several at once, and by deadline."""

import threading

import pytest

from shopfloor.domain.errors import (
    Conflict,
    Forbidden,
    GuardFailed,
    Invalid,
    LimitReached,
    NotFound,
)
from shopfloor.domain.limits import QUESTIONS_OPEN_MAX
from shopfloor.domain.outcomes import Exit
from shopfloor.kernel.questions import expire
from shopfloor.kernel.resume import session_for
from shopfloor.kernel.sweep import times
from tests.support.walk import at, credentials

ASK = {"question": "Which colour?", "options": ["red", "blue"]}


@pytest.fixture
def worked(board):
    task = board.create("paint", assignee="coder")
    return task, board.claim(task)


def ask(board, one, **args):
    return board.ask_as(one.run, one.token, "task.ask", id=one.task, **{**ASK, **args})


def opened(board, **args):
    return [one.id for one in board.ask("question.list", **args)]


def test_a_question_blocks_its_task_with_the_question_as_the_reason(board, worked):
    task, one = worked
    told = ask(board, one)
    assert (told.task, told.status, told.question.state) == (task, "blocked", "open")
    row = board.task(task)
    assert (row.block_kind, row.block_reason) == ("needs_input", "Which colour?")
    assert board.run(one.run).outcome == "blocked"
    assert board.data(task, "asked")["options"] == ["red", "blue"]
    assert board.findings() == []


def test_why_names_the_question_and_the_line_that_answers_it(board, worked):
    task, one = worked
    ask(board, one)
    found = board.ask("task.why", id=task)
    assert (found.code, found.next_step) == ("question", f"shop answer {task} TEXT")
    assert found.sentence == "it asks: Which colour? (red or blue)"


def test_the_answer_leads_the_task_on_and_is_kept_as_a_comment(board, worked):
    task, one = worked
    asked = ask(board, one).question
    told = board.ask("task.answer", id=task, answer="red")
    assert (told.status, told.question.answer, told.question.answered_by) == ("ready", "red", "ann")
    shown = board.ask("task.show", id=task)
    assert [c.body for c in shown.comments] == [
        f"Question {asked.id}: Which colour?\n\nAnswer: red"
    ]
    assert [q.state for q in shown.questions] == ["answered"]
    assert board.kinds(task)[-4:] == ["blocked", "answered", "commented", "unblocked"]
    assert board.ask("question.show", id=asked.id).answer == "red"
    assert board.findings() == []


def test_other_words_than_the_options_are_an_answer_too(board, worked):
    task, one = worked
    ask(board, one)
    assert board.ask("task.answer", id=task, answer="green, rather").question.answer == (
        "green, rather"
    )


def test_an_answered_question_does_not_count_to_the_block_loop(board, worked):
    task, one = worked
    for _ in range(5):
        assert ask(board, one).status == "blocked"
        board.ask("task.answer", id=task, answer="red")
        one = board.claim(task)
    assert board.task(task).loop_count == 0


def test_a_question_that_is_never_answered_ends_in_triage_and_can_be_answered_there(board, worked):
    task, one = worked
    for _ in range(2):
        ask(board, one)
        board.ask("task.unblock", id=task)
        one = board.claim(task)
    assert ask(board, one).status == "triage"
    told = board.ask("task.answer", id=task, answer="red")
    assert (told.status, told.question.state) == ("triage", "answered")


def test_a_task_goes_back_to_the_phase_and_the_parents_that_it_has(board):
    reviewed = at(board, "review")
    board.claim(reviewed)
    board.ask_as(*credentials(board, reviewed), "task.ask", id=reviewed, **ASK)
    assert board.ask("task.answer", id=reviewed, answer="red").status == "review"
    waiting = at(board, "running")
    board.ask_as(*credentials(board, waiting), "task.ask", id=waiting, **ASK)
    board.ask("task.link", parent=board.create(), child=waiting)
    assert board.ask("task.answer", id=waiting, answer="red").status == "todo"
    assert board.findings() == []


def test_a_question_that_waits_leaves_the_task_running_and_its_answer_is_news(board, worked):
    task, one = worked
    told = ask(board, one, wait=True)
    assert told.status == "running"
    assert board.ask("task.why", id=task).next_step == f"shop answer {task} TEXT"
    assert board.ask("task.answer", id=task, answer="red").status == "running"
    worker = one.run, one.token
    assert board.ask_as(*worker, "question.show", id=told.question.id).answer == "red"
    assert board.ask_as(*worker, "run.progress").unread == 1
    [news] = board.ask_as(*worker, "task.inbox")
    assert "Answer: red" in news.body


def test_of_several_open_questions_the_one_that_is_answered_is_named(board, worked):
    task, one = worked
    first = ask(board, one, wait=True, question="Which size?").question.id
    second = ask(board, one).question.id
    with pytest.raises(GuardFailed, match=rf"several open questions \({first}, {second}\)"):
        board.ask("task.answer", id=task, answer="red")
    assert board.ask("task.why", id=task).next_step == f"shop answer {task} TEXT --question {first}"
    assert board.ask("task.answer", id=task, answer="red", question=second).status == "blocked"
    assert board.ask("task.answer", id=task, answer="large").status == "ready"


def test_only_an_open_question_of_the_task_can_be_answered(board, worked):
    task, one = worked
    other = board.create()
    with pytest.raises(NotFound, match="has asked nothing"):
        board.ask("task.answer", id=task, answer="red")
    asked = ask(board, one).question.id
    with pytest.raises(NotFound, match="has no question"):
        board.ask("task.answer", id=other, answer="red", question=asked)
    board.ask("task.answer", id=task, answer="red")
    for words in ({}, {"question": asked}):
        with pytest.raises(Conflict, match="was answered already by ann: 'red'"):
            board.ask("task.answer", id=task, answer="blue", **words)
    assert board.ask("question.show", id=asked).answer == "red"


def test_a_worker_answers_no_question_and_a_person_asks_none(board, worked):
    task, one = worked
    with pytest.raises(Forbidden, match="only the worker"):
        board.ask("task.ask", id=task, **ASK)
    ask(board, one, wait=True)
    with pytest.raises(Forbidden, match="may not use"):
        board.ask_as(one.run, one.token, "task.answer", id=task, answer="red")


def test_a_worker_sees_the_questions_of_its_own_task_only(board, worked):
    _, one = worked
    mine = ask(board, one, wait=True).question.id
    other = board.claim(board.create())
    worker = other.run, other.token
    assert board.ask_as(*worker, "question.list", everyone=True) == []
    with pytest.raises(NotFound):
        board.ask_as(*worker, "question.show", id=mine)
    with pytest.raises(NotFound):
        board.ask("question.list", id=999)


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("task.complete", {}),
        ("task.cancel", {}),
        ("task.archive", {}),
        ("task.unblock", {}),
        ("task.promote", {}),
        ("task.schedule", {}),
    ],
)
def test_a_task_that_is_led_on_by_hand_closes_its_questions(board, worked, op, words):
    task, one = worked
    asked = ask(board, one).question.id
    board.ask(op, id=task, **words)
    assert opened(board) == []
    told = board.ask("question.show", id=asked)
    assert (told.state, told.answer, told.answered_by) == ("closed", None, "ann")
    with pytest.raises(Conflict, match="is closed: ann let the task go on"):
        board.ask("task.answer", id=task, answer="red")
    assert opened(board, everyone=True) == [asked]
    assert board.findings() == []


def test_a_worker_that_completes_closes_what_it_asked_and_did_not_wait_for(board, worked):
    task, one = worked
    ask(board, one, wait=True)
    board.ask_as(one.run, one.token, "task.complete", id=task)
    assert opened(board) == []


def test_a_block_for_another_reason_is_not_ended_by_an_answer(board, worked):
    task, one = worked
    ask(board, one, wait=True)
    board.ask_as(one.run, one.token, "task.block", id=task, reason="no key")
    assert board.ask("task.why", id=task).code == "blocked_needs_input"
    assert board.ask("task.answer", id=task, answer="red").status == "blocked"


def test_a_question_of_a_run_that_failed_stays_open_for_the_next(board, worked):
    task, one = worked
    ask(board, one, wait=True)
    board.settle(one.run, Exit(signal=9))
    assert board.status(task) == "ready"
    assert board.ask("task.answer", id=task, answer="red").status == "ready"


@pytest.mark.parametrize("words", [{"default": "red"}, {"deadline_ms": 5}])
def test_a_default_and_a_deadline_belong_together(board, worked, words):
    with pytest.raises(Invalid, match="belong together"):
        ask(board, worked[1], **words)


def test_a_task_has_a_bounded_number_of_open_questions(board, worked):
    _, one = worked
    for _ in range(QUESTIONS_OPEN_MAX):
        ask(board, one, wait=True)
    with pytest.raises(LimitReached):
        ask(board, one)


def test_past_its_deadline_a_question_is_answered_by_its_default(board, worked):
    task, one = worked
    board.execute(f"UPDATE task SET failures_work = 1 WHERE id = {task}")
    ask(board, one, default="blue", deadline_ms=60_000)
    due = board.now + 60_000
    assert board.read(lambda tx: times(tx, board.settings)) == (False, due)
    assert board.ask("task.why", id=task).sentence.endswith("it goes on with 'blue'")
    assert board.write(expire) == []
    board.clock.advance(60_000)
    assert board.read(lambda tx: times(tx, board.settings)).due
    assert board.write(expire) == [task]
    told = board.ask("task.show", id=task)
    assert (told.task.status, told.questions[0].answer) == ("ready", "blue")
    assert told.questions[0].answered_by == "deadline"
    assert told.task.failures == 1, "only a person or a success forgets failures"
    assert (told.task.block_count, told.task.block_reason) == (0, None)
    assert board.write(expire) == []
    assert board.findings() == []


def test_a_default_of_a_question_that_nobody_waits_for_leads_nowhere(board, worked):
    task, one = worked
    ask(board, one, default="blue", deadline_ms=60_000, wait=True)
    board.clock.advance(60_000)
    assert board.write(expire) == [task]
    assert board.status(task) == "running"
    board.ask("task.complete", id=task)
    ask_again = board.claim(board.create())
    ask(board, ask_again, default="blue", deadline_ms=60_000)
    board.ask("task.cancel", id=ask_again.task)
    board.clock.advance(60_000)
    assert board.write(expire) == []


def test_of_two_answers_at_once_one_is_refused(place):
    board = place.open()
    one = board.claim(board.create())
    ask(board, one)
    ends = []
    begin = threading.Barrier(2)

    def answer(on, text):
        begin.wait()
        try:
            ends.append(on.ask("task.answer", id=one.task, answer=text).question.answer)
        except Conflict:
            ends.append(None)

    threads = [
        threading.Thread(target=answer, args=(place.open(), text)) for text in ("red", "blue")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count(None) == 1
    assert board.kinds(one.task).count("answered") == 1
    assert board.kinds(one.task).count("unblocked") == 1


# Going on in the same session.


def resumed(board, task, profile="coder", role="worker", **more):
    return board.read(lambda tx: session_for(tx, board.task(task), profile, role, **more))


def with_session(board, one, session="abc"):
    board.ask_as(one.run, one.token, "run.progress", session_id=session)


def test_the_answer_is_told_to_the_session_that_asked(board, worked):
    task, one = worked
    with_session(board, one)
    ask(board, one)
    board.ask("task.comment", id=task, body="I like red.")
    board.ask("task.answer", id=task, answer="red")
    session, news = resumed(board, task)
    assert session == "abc"
    assert "Question 1: Which colour?\n\nAnswer: red" in news
    assert "New comment by ann: I like red." in news
    assert news.count("Answer: red") == 1
    board.claim(task)
    assert resumed(board, task) == (session, news), "the new run is not the last one"


def test_an_unblock_tells_its_reason_to_the_session_that_was_blocked(board, worked):
    task, one = worked
    with_session(board, one)
    board.ask_as(one.run, one.token, "task.block", id=task, reason="no key")
    board.ask("task.unblock", id=task, reason="the key is in the vault")
    assert "The reason: the key is in the vault" in resumed(board, task).news


def test_a_review_is_told_to_the_implementers_session_and_the_work_to_the_reviewers(board, worked):
    task, one = worked
    with_session(board, one, "coding")
    board.ask_as(one.run, one.token, "task.request_review", id=task, summary="red it is")
    reviewer = board.claim(task)
    board.execute(f"UPDATE run SET profile = 'critic' WHERE id = {reviewer.run}")
    with_session(board, reviewer, "reading")
    board.ask_as(reviewer.run, reviewer.token, "task.request_changes", id=task, reason="too red")
    session, news = resumed(board, task)
    assert session == "coding"
    assert "What has to change: too red" in news
    assert news.count("too red") == 2, "a reviewer's reason is a comment as well"
    again = board.claim(task)
    board.ask_as(again.run, again.token, "task.request_review", id=task, summary="less red")
    session, news = resumed(board, task, "critic", "reviewer")
    assert (session, "What was handed in: less red" in news) == ("reading", True)


def test_changes_that_a_person_asks_for_are_told_as_well(board, worked):
    task, one = worked
    with_session(board, one)
    board.ask_as(one.run, one.token, "task.request_review", id=task, summary="red it is")
    board.ask("task.request_changes", id=task, reason="too red")
    assert "What has to change: too red" in resumed(board, task).news


def test_after_a_failure_without_a_session_or_with_another_profile_a_session_begins_anew(
    board, worked
):
    task, one = worked
    assert resumed(board, task) is None
    ask(board, one)
    board.ask("task.answer", id=task, answer="red")
    assert resumed(board, task) is None, "it told no session"
    two = board.claim(task)
    with_session(board, two)
    board.settle(two.run, Exit(signal=9))
    assert resumed(board, task) is None, "it crashed"
    three = board.claim(task)
    with_session(board, three)
    ask(board, three)
    assert resumed(board, task) is not None
    assert resumed(board, task, "other") is None
    assert resumed(board, task, role="reviewer") is None


def test_a_session_of_another_machine_is_not_gone_on_with(board):
    task = board.create(assignee="coder")
    one = board.claim(task)
    with_session(board, one)
    ask(board, one)
    board.execute(f"UPDATE run SET host = 'there' WHERE id = {one.run}")
    assert resumed(board, task, host="here") is None
    assert resumed(board, task, host="there").session_id == "abc"
