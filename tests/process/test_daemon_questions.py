"""A worker of a real dispatcher asks and leaves; the answer, or the deadline, starts it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, home_in

ASKS = 'shop ask "$SHOPFLOOR_TASK" "Which colour?" {flags}'
READS = 'grep -q "Answer: red" "$SHOPFLOOR_CONTEXT"'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from home_in(tmp_path / "h")


def asks(home: Home, flags: str = "") -> int:
    """A task whose first attempt asks, and whose second reads the answer in its context."""
    script = f'if [ "$SHOPFLOOR_ATTEMPT" = 1 ]; then {ASKS.format(flags=flags)}; else {READS}; fi'
    return home.create_command(["sh", "-c", script])


def test_the_answer_starts_the_worker_again_and_it_reads_it(home):
    home.up()
    task = asks(home)
    home.becomes(task, "blocked")
    assert home.ask("task.why", id=task)["code"] == "question"
    home.ask("task.answer", id=task, answer="red")
    home.becomes(task, "done")
    assert home.outcomes(task) == ["blocked", "completed"]


def test_past_its_deadline_a_question_is_answered_and_the_dispatcher_wakes_for_it(home):
    home.configure('[dispatch]\npoll = "10m"\n')
    home.up()
    task = asks(home, "--default red --deadline 1s")
    home.becomes(task, "done")
    [question] = home.ask("question.list", id=task, everyone=True)
    assert (question["answer"], question["answered_by"]) == ("red", "deadline")


def test_a_question_outlives_the_dispatcher_and_is_answered_while_none_runs(home):
    daemon = home.up()
    task = asks(home)
    home.becomes(task, "blocked")
    daemon.kill()
    home.ask("task.answer", id=task, answer="red")
    home.up()
    home.becomes(task, "done")
    assert home.outcomes(task) == ["blocked", "completed"]
