"""What a transaction promises, the same on both databases."""

import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.store.db import ConstraintBroken, EdgeRefused, UniqueViolation
from shopfloor.store.statements import BadStatement, Statements
from tests.support.engine_notes import add

ROOT = Path(__file__).resolve().parents[2]


def words(database):
    return [word for (word,) in database.read(lambda tx: tx.all("note_words"))]


def test_what_was_written_is_there_for_everybody(notes_place):
    notes = notes_place.open(create=True)
    number = notes.write(lambda tx: add(tx, "kept", 3))
    for database in (notes, notes_place.open()):
        assert database.read(lambda tx: tx.one("note_get", id=number)) == (number, "kept", 3, "new")


def test_refused_work_leaves_nothing_and_the_refusal_comes_out_as_it_was(notes):
    refusal = KeyError("mine")

    def work(tx):
        add(tx)
        tx.defer("trace_add", note_id=None, what="never")
        raise refusal

    with pytest.raises(KeyError) as raised:
        notes.write(work)
    assert raised.value is refusal
    assert words(notes) == []
    assert notes.read(lambda tx: tx.one("trace_count")) == (0,)


def test_the_parameters_must_be_the_statements_own(notes):
    for given in ({"word": "x"}, {"word": "x", "size": 1, "sise": 1}, {"wrod": "x", "size": 1}):
        for ask in ("all", "one", "run", "defer"):
            with pytest.raises(BadStatement, match="note_add"):
                notes.write(lambda tx, ask=ask, given=given: getattr(tx, ask)("note_add", **given))
    assert words(notes) == []


def test_a_transaction_has_one_time(notes):
    def work(tx):
        first = tx.now
        for _ in range(3):
            tx.one("note_count")
        return first, tx.now

    first, last = notes.write(work)
    later = notes.read(lambda tx: tx.now)
    assert first == last <= later
    assert later - first < 1_000_000


def test_counts_are_of_changed_rows(notes):
    def work(tx):
        first, second = add(tx, "a"), add(tx, "b")
        return (
            tx.run("note_set_size", id=first, size=5),
            tx.run("note_set_size", id=second + 100, size=5),
            tx.run("note_add", word="c", size=1),
            tx.run("note_words"),
            tx.all("note_set_size", id=first, size=6),
            tx.one("note_set_size", id=first, size=7),
        )

    assert notes.write(work) == (1, 0, 1, 3, [], None)


def test_one_is_the_first_row_and_none_where_there_is_none(notes):
    notes.write(lambda tx: [add(tx, word) for word in ("a", "b", "c")])
    assert notes.read(lambda tx: tx.one("note_words")) == ("a",)
    assert notes.read(lambda tx: tx.one("note_get", id=999)) is None


def test_what_is_deferred_runs_last_and_in_order(notes_place):
    asked = []
    notes = notes_place.open(create=True, probe=asked.append)

    def work(tx):
        tx.defer("trace_add", note_id=None, what="first")
        tx.defer("trace_add", note_id=None, what="second")
        number = add(tx, "a")
        tx.defer("note_grow", id=number)
        tx.defer("trace_add", note_id=number, what="third")
        return tx.one("trace_count")

    asked.clear()
    assert notes.write(work) == (0,)
    # Neighbours with one text may go to the database as one.
    assert [name for name, _ in groupby(asked)] == [
        *("begin", "note_add", "trace_count"),
        *("trace_add", "note_grow", "trace_add", "commit"),
    ]
    rows = notes.read(lambda tx: tx.all("trace_all"))
    assert [what for _, what in rows] == ["first", "second", "third"]
    assert notes.read(lambda tx: tx.one("note_sums"))[0] == 2


def test_a_deferred_statement_that_fails_undoes_everything(notes):
    def work(tx):
        tx.defer("trace_add", note_id=None, what="fine")
        tx.defer("trace_add", note_id=12345, what="of a note that is not there")
        return add(tx)

    with pytest.raises(ConstraintBroken):
        notes.write(work)
    assert words(notes) == []
    assert notes.read(lambda tx: tx.one("trace_count")) == (0,)
    assert notes.write(add) > 0


def test_lists_are_given_as_they_are(notes):
    def work(tx):
        tx.run("note_add_words", words=["ä \"quoted\" 'word'", "b", "c"])
        numbers = [row[0] for row in tx.all("note_by_words", words=["c", "b", "none"])]
        sized = tx.all("note_by_ids", ids=(*numbers, 99), size=-1)
        unsized = tx.all("note_by_ids", ids=numbers, size=0)
        missing = tx.all("note_wanted", ids=[numbers[0], 77, 55])
        return numbers, sized, unsized, missing

    numbers, sized, unsized, missing = notes.write(work)
    assert words(notes)[0] == "ä \"quoted\" 'word'"
    assert len(numbers) == 2
    assert sized == [(number,) for number in numbers]
    assert (unsized, missing) == ([], [(55,), (77,)])


def test_an_empty_list_and_no_list_match_nothing(notes):
    notes.write(add)
    for none in ([], (), "[]", None):
        assert notes.read(lambda tx, none=none: tx.all("note_by_words", words=none)) == []
        assert notes.read(lambda tx, none=none: tx.all("note_by_ids", ids=none, size=0)) == []


def test_rows_look_the_same_on_both_databases(notes):
    notes.write(lambda tx: [add(tx, "a%b", 2**40), add(tx, "c", 1)])
    total, mean, some = notes.read(lambda tx: tx.one("note_sums"))
    assert (total, type(total)) == (2**40 + 1, int)
    assert (mean, type(mean)) == ((2**40 + 1) / 2, float)
    assert (some, type(some)) == (1, int)
    assert notes.read(lambda tx: tx.one("note_flag", flag=True)) == (1,)
    assert notes.read(lambda tx: tx.one("note_flag", flag=None)) == (None,)
    assert notes.read(lambda tx: tx.one("note_like", part="%")) == (2,)


@pytest.mark.parametrize(
    ("params", "constraint"),
    [
        ({"word": "taken", "size": 1}, "note_word"),
        ({"word": "other", "size": 1, "owner_id": None, "place": "taken"}, "note_place_key"),
        ({"word": "TAKEN", "size": 1, "owner_id": 7, "place": None}, "note_owner"),
    ],
)
def test_a_taken_key_is_named_by_its_index(notes, params, constraint):
    notes.write(
        lambda tx: tx.run("note_add_keyed", word="taken", size=1, owner_id=7, place="taken")
    )
    name = "note_add" if len(params) == 2 else "note_add_keyed"
    with pytest.raises(UniqueViolation) as violation:
        notes.write(lambda tx: tx.run(name, **params))
    assert (violation.value.table, violation.value.constraint) == ("note", constraint)


def test_the_trigger_that_guards_the_edges_is_told_from_other_constraints(notes):
    number = notes.write(add)
    with pytest.raises(EdgeRefused):
        notes.write(lambda tx: tx.run("note_set_stage", id=number, stage="never"))
    with pytest.raises(ConstraintBroken):
        notes.write(lambda tx: add(tx, ""))
    with pytest.raises(ConstraintBroken):
        notes.write(lambda tx: add(tx, None))
    with pytest.raises(ConstraintBroken):
        notes.write(lambda tx: tx.run("trace_add", note_id=99, what="x"))


@pytest.mark.parametrize("value", [2**63, -(2**80), "half a character: \ud83d"])
def test_a_value_that_no_database_takes_is_refused_in_words(notes, value):
    params = {"word": "x", "size": value} if isinstance(value, int) else {"word": value, "size": 1}
    with pytest.raises(Invalid, match="note_add"):
        notes.write(lambda tx: tx.run("note_add", **params))
    assert notes.write(add) > 0


def test_after_a_failure_nothing_more_can_be_asked(notes):
    notes.write(lambda tx: add(tx, "taken"))

    def stubborn(tx):
        add(tx, "first")
        with pytest.raises(UniqueViolation):
            add(tx, "taken")
        with pytest.raises(AssertionError, match="has ended"):
            tx.one("note_count")

    with pytest.raises(AssertionError, match="has ended"):
        notes.write(stubborn)
    assert words(notes) == ["taken"]


def test_a_transaction_is_of_no_use_after_its_end(notes):
    kept = []
    notes.write(kept.append)
    notes.read(kept.append)
    with pytest.raises(ZeroDivisionError):
        notes.write(lambda tx: [kept.append(tx), 1 / 0])
    for tx in kept:
        with pytest.raises(AssertionError):
            tx.one("note_count")


def test_a_read_cannot_write(notes):
    with pytest.raises(AssertionError):
        notes.read(add)
    with pytest.raises(AssertionError):
        notes.read(lambda tx: tx.defer("trace_add", note_id=None, what="x"))
    assert words(notes) == []
    assert notes.write(add) > 0


def test_a_read_sees_one_moment(notes_place):
    notes = notes_place.open(create=True)
    other = notes_place.open()

    def work(tx):
        before = tx.one("note_count")
        other.write(add)
        return before, tx.one("note_count")

    assert notes.read(work) == ((0,), (0,))
    assert notes.read(lambda tx: tx.one("note_count")) == (1,)


def test_faulty_sql_is_our_own_mistake(notes_place, tmp_path):
    (tmp_path / "sql" / "wrong.sql").write_text("-- name: wrong\nSELECT nothing FROM nowhere\n")
    statements = Statements(notes_place.dialect, tmp_path / "sql")
    notes = notes_place.open(create=True, statements=statements)
    with pytest.raises(BadStatement, match="wrong: "):
        notes.read(lambda tx: tx.all("wrong"))


DYING = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store import migrate
from shopfloor.store.postgres import open_postgres
from shopfloor.store.statements import Statements

dialect, where, folder, steps, last = sys.argv[1:]
left = int(last)
armed = False

def probe(name):
    global left
    if armed:
        left -= 1
        if left < 0:
            os._exit(9)

more = dict(create=False, probe=probe, known=migrate.steps(Path(steps)), statements=Statements(dialect, Path(folder)))
if dialect == "sqlite":
    db = migrate.open_sqlite(where, clock=lambda: 0, **more)
else:
    db = open_postgres(where, "board", **more)

def work(tx):
    number = tx.one("note_add", word="a", size=1)[0]
    tx.run("note_grow", id=number)
    tx.defer("trace_add", note_id=number, what="made")

armed = True
db.write(work)
armed = False
db.close()
"""


def test_a_process_that_dies_at_any_statement_leaves_all_or_nothing(notes_place, tmp_path):
    notes = notes_place.open(create=True)
    survived = []
    for last in range(6):
        arguments = [notes_place.dialect, notes_place.where, tmp_path / "sql"]
        steps = ROOT / "tests" / "store" / "engine_steps"
        done = subprocess.run(
            [sys.executable, "-c", DYING.format(root=str(ROOT)), *arguments, steps, str(last)],
            check=False,
            timeout=120,
        )
        survived.append(done.returncode == 0)
        assert done.returncode in (0, 9)
        notes_and_traces = notes.read(lambda tx: tx.one("note_count") + tx.one("trace_count"))
        assert notes_and_traces == ((1, 1) if survived[-1] else (0, 0))
    # begin, note_add, note_grow, trace_add, commit: death at each of them, and life after the last.
    assert survived == [False] * 5 + [True]
