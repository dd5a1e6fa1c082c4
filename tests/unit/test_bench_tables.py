"""The benchmark's arithmetic and its table: what is said of figures must not be wrong."""

import json
import sqlite3

import pytest

from bench import peers, recording, rounds, table
from bench.__main__ import MEASUREMENTS
from bench.env import ROOT, Env, Missing
from bench.figures import Figure, Line, Outcome, Result, at_least, at_most
from bench.loads.bare import statement


@pytest.mark.parametrize(
    ("figure", "goal", "verdict"),
    [
        (Figure(2.5, "x"), at_least(2.5, "x"), "met"),
        (Figure(2.4999, "x"), at_least(2.5, "x"), "missed"),
        (Figure(15.0, "ms"), at_most(15, "ms"), "met"),
        (Figure(15.01, "ms"), at_most(15, "ms"), "missed"),
    ],
)
def test_a_goal_is_judged_by_the_exact_figure(figure, goal, verdict):
    assert Line("a", figure, "peer", figure, figure, goal).verdict == verdict
    assert Line("a", figure, goal=goal).verdict == verdict


def test_a_goal_of_another_unit_is_a_mistake():
    with pytest.raises(AssertionError):
        at_least(60, "%").held_by(Figure(0.6, "x"))


def test_a_missing_peer_stands_in_the_table_with_its_reason():
    line = Line("a", Figure(10, "/s"), "parallel", goal=at_least(1, "x"), missing="no such program")
    said = table.text([Outcome("work", "About it", 1.0, Result((line,)))])
    assert "parallel is missing: no such program" in said
    assert "1 without their peer" in said
    assert line.verdict == "missing"


def test_a_measurement_that_could_not_be_made_is_said_with_its_reason():
    said = table.text([Outcome("work", "About it", 1.0, failure="the disk is full")])
    assert "could not be measured: the disk is full" in said
    assert said.endswith("not measured: work")


def test_the_json_says_what_the_table_says():
    line = Line("a", Figure(10, "/s"), "peer", Figure(5, "/s"), Figure(2, "x"), at_least(1, "x"))
    outcome = Outcome("work", "About it", 1.0, Result((line,), ("a note",)))
    told = json.loads(json.dumps(table.as_json([outcome], {"cores": 2})))
    assert told["machine"] == {"cores": 2}
    assert told["measurements"][0]["lines"][0]["verdict"] == "met"
    assert told["measurements"][0]["notes"] == ["a note"]


def test_a_figure_is_short_and_keeps_what_matters():
    shown = [str(Figure(value, "ms")) for value in (0.128, 3.456, 34.56, 345.6, 3456, 0)]
    assert shown == ["0.13 ms", "3.46 ms", "34.6 ms", "346 ms", "3,456 ms", "0 ms"]


def test_contestants_take_turns_forwards_and_backwards():
    order = []
    turns = {name: lambda name=name: order.append(name) or name for name in "abc"}
    taken = rounds.interleave(turns, 3)
    assert "".join(order) == "abccbaabc"
    assert taken == {name: [name] * 3 for name in "abc"}


def test_a_ratio_compares_within_a_round():
    # The machine became ten times slower after the first round; the ratio did not change.
    assert rounds.ratio([200.0, 20.0, 22.0], [100.0, 10.0, 11.0]) == 2.0


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(number) for number in range(1, 101)]
    assert rounds.percentile(values, 50) == 50.0
    assert rounds.percentile(values, 99) == 99.0
    assert rounds.percentile([7.0], 99) == 7.0


def test_a_recorded_life_is_replayed_with_numbers_of_its_own(tmp_path):
    path = tmp_path / "board.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "CREATE TABLE task (id INTEGER PRIMARY KEY, status TEXT, current_run INTEGER);"
        "CREATE TABLE run (id INTEGER PRIMARY KEY, task_id INTEGER);"
        "CREATE TABLE request (seq INTEGER PRIMARY KEY, id TEXT UNIQUE);"
    )
    life = {
        "create": "INSERT INTO task (status) VALUES ('ready'); INSERT INTO request (id) VALUES ('q')",
        "claim": "INSERT INTO run (task_id) VALUES (1); UPDATE task SET status='running', current_run=1",
        "complete": "UPDATE task SET status = 'done', current_run = NULL",
    }
    steps = recording.record(path, lambda step: connection.executescript(life[step]))
    for _ in range(2):
        ids = {}
        for number, change in enumerate(change for step in steps for change in step):
            ids["unique"] = f"{ids.get('task')}-{number}"
            sql, values, makes = statement(change)
            given = [ids[v["ref"]] if isinstance(v, dict) else v for v in values]
            made = connection.execute(sql, given).lastrowid
            ids |= {makes: made} if makes else {}
    assert connection.execute("SELECT * FROM task").fetchall() == [
        (number, "done", None) for number in (1, 2, 3)
    ]
    assert connection.execute("SELECT * FROM run").fetchall() == [(1, 1), (2, 2), (3, 3)]
    connection.close()


def test_every_measurement_has_a_row_on_the_page():
    page = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert [name for name in MEASUREMENTS if f"| `{name}` |" not in page] == []


def test_a_peer_is_looked_for_once(tmp_path):
    looked = []

    def look():
        looked.append(1)
        raise Missing("it is not here")

    env = Env(tmp_path, quick=True)
    for _ in range(2):
        with pytest.raises(Missing, match="it is not here"):
            peers.once(env, "peer", look)
    assert looked == [1]
