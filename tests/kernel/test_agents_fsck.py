"""What `fsck` finds wrong about questions and figures that no program wrote like this."""

import pytest

from tests.support.walk import at, credentials


@pytest.fixture
def asked(board):
    task = at(board, "running")
    worker = credentials(board, task)
    board.ask_as(*worker, "run.progress", usage={"input_tokens": 5})
    board.ask_as(*worker, "task.ask", id=task, question="which one?")
    assert board.findings() == []
    return task


@pytest.mark.parametrize(
    ("statement", "invariant"),
    [
        ("UPDATE question SET run_id = 999", "question_without_run"),
        ("UPDATE spend SET task_id = {other}", "spend_of_another_task"),
    ],
)
def test_a_row_that_belongs_nowhere_is_found(board, asked, statement, invariant):
    board.execute(statement.format(other=board.create()))
    assert [one.invariant for one in board.findings()] == [invariant]


def test_an_open_question_of_an_ended_task_is_found(board, asked):
    board.ask("task.complete", id=asked)
    board.execute("UPDATE question SET answered_at = NULL, answered_by = NULL")
    [found] = board.findings()
    assert found.invariant == "question_of_ended_task"
    assert found.sentence == f"#{asked} has ended, and a question of it is still open"
