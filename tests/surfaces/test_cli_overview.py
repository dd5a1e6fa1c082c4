"""The board as a whole on the command line: what waits for a person, a graph, what ran when, figures over time."""

import pytest

from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


def test_what_waits_is_listed_with_the_command_that_answers_it(shop):
    assert shop("needs").err == "nothing waits for a person\n"
    shop.create("paint the door")
    shop.work_on(1)("ask", "Which colour?", "--option", "red", "--option", "blue")
    shop.create("stuck", "--initial-status", "blocked")
    told = shop("needs")
    assert "Which colour? (red or blue)" in told.out
    assert "answer the first with: shop answer 1 TEXT --question 1" in told.err
    assert "Which colour?" not in shop("needs", "--kind", "blocked").out
    first = shop("needs", "--limit", "1")
    assert "2 in all; more with --after " in first.err
    after = first.err.rsplit(" ", 1)[1].strip()
    assert "stuck" not in first.out and "#2" in shop("needs", "--after", after).out
    shop("answer", "1", "red", "--question", "1")
    assert "#1" not in shop("needs").out


def test_a_graph_is_told_level_by_level(shop):
    shop.create("dig")
    shop.create("plant", "--parent", "1")
    shop.create("harvest", "--parent", "2")
    rows = [line.split() for line in shop("graph", "2").out.splitlines()[1:]]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("-1", "#1", "-"),
        ("0", "#2", "#1"),
        ("+1", "#3", "#2"),
    ]
    assert "there are more" in shop("graph", "1", "--depth", "1").err


def test_a_timeline_tells_what_ran_and_what_waits(shop):
    assert "nothing ran in this time" in shop("timeline").err
    shop.create("count", "--", "true")
    shop("dispatch")
    shop.create("nobody's")
    told = shop("timeline", "--since", "1h").out
    assert "#1" in told and "(command) on " in told
    assert "Waiting now: 1" in told and "nobody is assigned to it" in told


def test_a_history_counts_by_day_and_by_hour(shop):
    shop.create("by hand")
    shop("complete", "1")
    days = shop("stats", "history", "--since", "3d").out.splitlines()
    assert len(days) == 4
    assert days[-1].split()[-2:] == ["1", "1"]
    assert len(shop("stats", "history", "--per", "hour").out.splitlines()) == 49
