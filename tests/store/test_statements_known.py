"""What is written down twice must be the same twice: rows, statuses, outcomes and edges.

The schema repeats in SQL what the domain says in Python, because the database has to refuse what must
never be.  Each test compares the two on an SQLite file and on PostgreSQL.  The list of statements with a
text of its own for each database is literal, so that it grows in a reviewed line or not at all.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from types import NoneType
from typing import Any, get_args, get_type_hints

import psycopg
import pytest

from shopfloor.domain import model
from shopfloor.domain.lifecycle import EDGES, INITIAL, Outcome, Status
from shopfloor.domain.model import Task
from shopfloor.store import checks, exports, runs, tasks
from shopfloor.store.db import ConstraintBroken, EdgeRefused
from shopfloor.store.statements import Statements

TWINS = [
    "schema_step_known",
    "schema_table_count",
    "schema_parts",
    "engine_quick_check",
    "engine_full_check",
    "engine_reference_check",
    "export_columns",
    "link_exclusive",
]
ROWS: dict[str, Any] = {
    "task": model.Task,
    "run": model.Run,
    "event": model.Event,
    "link": model.Link,
    "comment": model.Comment,
    "attachment": model.Attachment,
    "hold": model.Hold,
    "host": model.Host,
    "question": model.Question,
    "spend": model.Spend,
    "report": model.LastWords,
    "budget": model.Budget,
    "quota": model.Quota,
    "subscription": model.Subscription,
    "delivery": model.Delivery,
    "runtime": model.Runtime,
    "receipt": model.Receipt,
    "hook": model.HookState,
    "schedule": model.Schedule,
    "firing": model.Firing,
}
ROWLESS = {
    "meta",
    "task_edge",
    "request",
    "schema_step",
    "seen",
    "planning",
    "interest",
    "receipt_head",
}
KINDS = {"INTEGER": int, "BIGINT": int, "TEXT": str}
COLUMNS = {
    "sqlite": "SELECT name, type, \"notnull\" = 1 OR pk > 0 FROM pragma_table_xinfo('{}') ORDER BY cid",
    "postgres": "SELECT column_name, upper(data_type), is_nullable = 'NO' FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = '{}' ORDER BY ordinal_position",
}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}
CHECKS = {
    "sqlite": "SELECT sql FROM sqlite_schema WHERE name = '{}'",
    "postgres": "SELECT 'CHECK (' || pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'c' AND conrelid = CAST('{}' AS regclass)",
}
REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)
PAIRS = [(source, target) for source in Status for target in Status if source is not target]

Execute = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def execute(db: Any, place: Any) -> Iterator[Execute]:
    """A connection beside the board's own, for what no named statement does."""
    if place.dialect == "sqlite":
        with closing(sqlite3.connect(place.where, isolation_level=None)) as beside:
            beside.execute("PRAGMA synchronous=OFF")
            yield lambda text: beside.execute(text).fetchall()
        return
    with psycopg.connect(place.where, autocommit=True, options="-c search_path=board") as other:

        def rows(text: str) -> list[tuple[Any, ...]]:
            cursor = other.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

        yield rows


def new_task(status: str) -> dict[str, Any]:
    """A plain task, as `tasks.insert` takes it."""
    words = {"title": "a task", "body": "", "creator": "ann", "skills": "[]", "artifacts": "[]"}
    rules = {"priority": 0, "start_after": "done", "goal": 0, "workspace_kind": "scratch"}
    values = dict.fromkeys(Statements("sqlite")["task_insert"].params - {"now"})
    if status == "blocked":
        words.update(block_kind="needs_input", block_reason="which one?")
    return {**values, **words, **rules, "status": status}


def added(db: Any, status: str = "ready") -> Task:
    values = new_task(status)
    task: Task | None = db.write(lambda tx: tasks.insert(tx, **values))
    assert task is not None
    return task


def state(status: str) -> dict[str, str]:
    """The columns that must go with a status, as SQL."""
    return {
        "status": f"'{status}'",
        "phase": "'review'" if status == "review" else "'work'",
        "current_run": "1" if status == "running" else "NULL",
        "archived_from": "'done'" if status == "archived" else "NULL",
        "block_kind": "'needs_input'" if status == "blocked" else "NULL",
        "block_reason": "'which one?'" if status == "blocked" else "NULL",
    }


def copied(execute: Execute, task: Task, status: str) -> int:
    """A copy of the task in any status; its number."""
    columns = [name for name in Task._fields if name not in ("id", "lane")]
    values = ", ".join(state(status).get(name, name) for name in columns)
    names = ", ".join(columns)
    text = f"INSERT INTO task ({names}) SELECT {values} FROM task WHERE id = {task.id} RETURNING id"
    return int(execute(text)[0][0])


def moved(execute: Execute, task_id: int, status: str) -> None:
    changes = ", ".join(f"{name} = {value}" for name, value in state(status).items())
    execute(f"UPDATE task SET {changes} WHERE id = {task_id}")


def listed_words(execute: Execute, dialect: str, table: str, column: str) -> set[str]:
    """The words that the table's CHECK allows in a column, from the database's catalogue."""
    one = rf"{column} = '\w+'(?:::text)?\W*(?:OR)?\W*"
    lists = rf"CHECK \W*(?:{column} IS NULL\W+OR\W+)?((?:{one}){{2,}})"
    texts = [row[0] for row in execute(CHECKS[dialect].format(table))]
    found = [words for text in texts for words in re.findall(lists, text)]
    assert len(found) == 1, f"{table}.{column} has one list, not {found}"
    return set(re.findall(r"'(\w+)'", found[0]))


@pytest.mark.parametrize(
    "given",
    [
        {"assignee": "ann", "title": "müde", "idempotency_key": "k"},
        {"command": '{"argv":["true"]}', "priority": 3, "status": "scheduled", "not_before": 5},
        {"origin_id": 7, "goal": 1, "goal_turns": 2, "max_runtime_ms": 2**40},
    ],
)
def test_a_new_task_is_what_its_row_says(db, given):
    task = db.write(lambda tx: tasks.insert(tx, **{**new_task("ready"), **given}))
    assert task == db.read(lambda tx: tasks.get(tx, task.id))


def test_what_verbs_know_of_a_run_is_what_its_row_says(db):
    task = added(db)
    opened = {"task_id": task.id, "role": "worker", "attempt": 1, "profile": "ann", "host": "here"}
    run_id = db.write(lambda tx: runs.open_run(tx, **opened, token="secret", lease_until=5))
    run = db.read(lambda tx: runs.get(tx, run_id))
    holder = db.read(lambda tx: runs.holder(tx, run_id))
    assert holder._asdict() == {name: getattr(run, name) for name in model.Holder._fields}


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_statements_with_two_texts_are_the_known_few(dialect):
    statements = Statements(dialect)
    statements.check()
    assert statements.twins() == TWINS
    assert list(statements) == statements.names()


def test_both_databases_take_the_same_parameters():
    here, there = Statements("sqlite"), Statements("postgres")
    assert here.names() == there.names()
    differ = [
        name
        for name in here.names()
        if (here[name].params, here[name].lists) != (there[name].params, there[name].lists)
    ]
    assert differ == []


def test_every_table_has_a_row_in_the_model_or_is_known_to_need_none(execute, place):
    assert {name for (name,) in execute(TABLES[place.dialect])} == {*ROWS, *ROWLESS}


def test_every_table_is_exported_or_left_out_for_a_reason(execute, place):
    groups = [exports.OF_TASKS, exports.NUMBERED, exports.WHOLE, exports.LEFT_OUT]
    named = [name for group in groups for name in group]
    assert sorted(named) == sorted(name for (name,) in execute(TABLES[place.dialect]))


def test_a_row_of_the_model_has_the_columns_of_its_table_in_order(execute, place):
    for table, row in ROWS.items():
        columns = execute(COLUMNS[place.dialect].format(table))
        assert tuple(name for name, _, _ in columns) == row._fields
    # The view that tasks are picked from gives whole tasks.
    columns = execute(COLUMNS[place.dialect].format("startable"))
    assert tuple(name for name, _, _ in columns) == Task._fields


def test_a_field_of_the_model_may_be_none_exactly_where_its_column_may(execute, place):
    for table, row in ROWS.items():
        hints = get_type_hints(row)
        for name, kind, required in execute(COLUMNS[place.dialect].format(table)):
            word = KINDS[kind.split()[0]]
            said = set(get_args(hints[name]) or (hints[name],))
            assert said == ({word} if required else {word, NoneType}), f"{table}.{name} is {kind}"


def test_the_triggers_edges_are_the_lifecycles(db):
    assert db.read(checks.edges) == {(str(source), str(target)) for source, target in EDGES}


def test_the_schema_lists_exactly_the_statuses_and_the_outcomes(execute, place):
    assert listed_words(execute, place.dialect, "task", "status") == {str(s) for s in Status}
    assert listed_words(execute, place.dialect, "run", "outcome") == {str(o) for o in Outcome}


def test_a_task_is_kept_in_every_status_and_in_no_unknown_one(db, execute):
    task = added(db)
    for status in Status:
        number = copied(execute, task, status)
        assert db.read(lambda tx, n=number: tasks.get(tx, n)).status == status
    with pytest.raises(REFUSED):
        copied(execute, task, "paused")


def test_a_task_is_created_in_every_first_status_and_in_no_unknown_one(db):
    for status in INITIAL:
        assert added(db, status).status == status
    with pytest.raises(ConstraintBroken):
        added(db, "paused")


def ended(db: Any, task: Task, outcome: str) -> int:
    words = dict.fromkeys(("error", "summary", "result", "metadata"))
    number: int = db.write(
        lambda tx: runs.synthetic(tx, task_id=task.id, attempt=1, outcome=outcome, **words)
    )
    return number


def test_a_run_ends_with_every_outcome_and_with_no_unknown_one(db):
    task = added(db)
    for outcome in Outcome:
        number = ended(db, task, outcome)
        assert db.read(lambda tx, n=number: runs.get(tx, n)).outcome == outcome
    with pytest.raises(ConstraintBroken):
        ended(db, task, "vanished")


def test_the_trigger_lets_pass_exactly_the_lifecycles_edges(db, execute):
    task = added(db)
    for source, target in PAIRS:
        number = copied(execute, task, source)
        if (source, target) in EDGES:
            moved(execute, number, target)
        else:
            with pytest.raises(REFUSED, match="task_edge_guard"):
                moved(execute, number, target)
        kept = target if (source, target) in EDGES else source
        assert db.read(lambda tx, n=number: tasks.get(tx, n)).status == kept


def test_a_status_that_stays_needs_no_edge(db, execute):
    task = added(db)
    for status in Status:
        moved(execute, copied(execute, task, status), status)


def test_the_store_says_that_an_edge_was_refused(db):
    task = added(db, "done")
    assert ("done", "triage") not in EDGES
    with pytest.raises(EdgeRefused, match="task_edge_guard"):
        db.write(lambda tx: tasks.apply(tx, task, {"status": "triage"}))
    assert db.read(lambda tx: tasks.get(tx, task.id)) == task
