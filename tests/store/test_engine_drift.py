"""A board whose schema somebody changed: found at the opening, rebuilt whole, or refused and left as it is.

`filled` is a board with something in every kind of table.  `tamper` changes its file as another program would,
`remade` does what that program does when it makes a table anew, and `contents` reads the file with plain SQLite.
"""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shopfloor.domain.errors import Damaged, Unavailable
from shopfloor.store import migrate
from tests.support.board import open_board

ROOT = Path(__file__).parents[2]


@pytest.fixture
def filled(tmp_path):
    """The file of a board that was used, and that nobody has open."""
    board = open_board(tmp_path)
    first = board.create("first", session="chat-1")
    child = board.create("second", parents=[first])
    board.create("to be deleted")
    board.ask("task.delete", id=3)
    board.ask("task.comment", id=first, body="hello")
    board.ask("task.attach", id=first, name="a.txt", content="eA==")
    one = board.claim(first)
    board.ask_as(one.run, one.token, "task.complete", id=first, summary="done", metadata={"a": 1})
    board.ask("task.block", id=child, reason="no key")
    board.ask("schedule.add", rule="every 1h", title="sweep")
    board.close()
    return Path(board.address)


def tamper(path, *scripts):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON;")
        for script in scripts:
            connection.executescript(script)


def contents(path):
    """All rows of all tables, and what was counted; a table that was never filled may be counted as 0."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall()
        found = {name: rows(connection, name) for (name,) in tables}
    found["sqlite_sequence"] = [one for one in found["sqlite_sequence"] if dict(one)["seq"]]
    return found


def rows(connection, table):
    found = connection.execute(f'SELECT * FROM "{table}"')
    return sorted((tuple(sorted(dict(row).items())) for row in found), key=repr)


def schema(path):
    with closing(sqlite3.connect(path)) as connection:
        made = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        return set(connection.execute(made).fetchall())


def remade(path, table, *edits):
    """Make a table anew with its text edited, and with nothing but its rows."""
    with closing(sqlite3.connect(path)) as connection:
        text = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()[0]
        stored = connection.execute(
            "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,)
        ).fetchall()
    for pattern, instead in edits:
        text, times = re.subn(pattern, instead, text, flags=re.MULTILINE)
        assert times, pattern
    columns = ", ".join(
        name for (name,) in stored if re.search(rf"^\s*{name} ", text, re.MULTILINE)
    )
    return (
        f"ALTER TABLE {table} RENAME TO was; {text};"
        f" INSERT INTO {table} ({columns}) SELECT {columns} FROM was; DROP TABLE was;"
    )


def opened(path, **more):
    return migrate.open_sqlite(path, create=False, clock=lambda: 1_800_000_000_000, **more)


def copies(path):
    return sorted(path.parent.glob("board.db.before-rebuild-*.bak"))


@pytest.mark.parametrize(
    "script",
    [
        "DROP INDEX task_order;",
        "DROP INDEX run_live; DROP INDEX schedule_name; DROP INDEX delivery_waiting;",
        "DROP TRIGGER task_edge_guard;",
        "DROP VIEW startable; DROP VIEW open_link;",
        "DROP INDEX task_list; CREATE INDEX task_list ON task (id);",
        "DROP TABLE receipt_head; CREATE TABLE receipt_head (id, seq, hash, floor);"
        " INSERT INTO receipt_head VALUES ('1', '0', '" + "0" * 64 + "', '0');",
    ],
)
def test_what_is_missing_or_other_than_it_was_is_made_again_around_the_same_rows(filled, script):
    before, meant = contents(filled), schema(filled)
    tamper(filled, script)
    assert schema(filled) != meant
    opened(filled).close()
    assert contents(filled) == before
    assert schema(filled) == meant


@pytest.mark.parametrize(
    ("table", "edits"),
    [
        ("task", [(r"^    id .*$", "    id TEXT PRIMARY KEY,")]),
        ("event", [(r"^    id .*$", "    id TEXT PRIMARY KEY,")]),
        ("run", [(r"^    id .*$", "    id VARCHAR,"), ("task_id        BIGINT", "task_id TEXT")]),
        ("task", [(r"(TEXT|INTEGER|BIGINT) NOT NULL", r"\1")]),
        ("task", [("AUTOINCREMENT", "")]),
        ("task", [(r"CHECK \(\(status = 'running'\).*\),$", ""), (r"CHECK \(goal IN .*\)", "")]),
        ("link", [(" ON DELETE CASCADE", ""), (r"PRIMARY KEY \(parent_id, child_id\),", "")]),
        (
            "comment",
            [(r"^    author .*$", ""), (r"^    body (.*),$", "    body \\1,\n    author TEXT,")],
        ),
    ],
)
def test_a_table_that_was_made_anew_becomes_what_it_was_with_its_rows_and_indexes(
    filled, table, edits
):
    before, meant = contents(filled), schema(filled)
    tamper(filled, remade(filled, table, *edits))
    assert schema(filled) != meant
    opened(filled).close()
    after = contents(filled)
    counted = (before.pop("sqlite_sequence"), after.pop("sqlite_sequence"))
    assert after == before
    assert schema(filled) == meant
    # Who lost the count of what there once was begins after what there is.
    assert {dict(one)["name"] for one in counted[0]} == {dict(one)["name"] for one in counted[1]}


def test_a_board_that_was_rebuilt_works_and_is_clean(filled, tmp_path):
    tamper(filled, "DROP TRIGGER task_edge_guard;", remade(filled, "comment", (" NOT NULL", "")))
    board = open_board(tmp_path)
    # The number of a task that was deleted is not given again.
    assert board.create("next") == 4
    assert board.ask("admin.fsck").ok
    board.close()
    with pytest.raises(sqlite3.IntegrityError, match="no such edge"):
        tamper(filled, "UPDATE task SET status = 'scheduled' WHERE id = 1;")


def test_a_copy_of_the_board_as_it_was_is_kept(filled):
    tamper(filled, "DROP INDEX task_order;", remade(filled, "comment", (" NOT NULL", "")))
    before, meant = contents(filled), schema(filled)
    opened(filled).close()
    (copy,) = copies(filled)
    assert (contents(copy), schema(copy)) == (before, meant)
    opened(filled).close()
    assert copies(filled) == [copy]


def test_a_number_that_has_to_be_there_becomes_0_and_what_may_be_missing_is(filled):
    gone = [
        (r"^    loop_count .*$", ""),
        (r"^    branch .*$", ""),
        (r"^    rev  *INTEGER NOT NULL", "    rev INTEGER"),
    ]
    tamper(filled, remade(filled, "task", *gone), "UPDATE task SET rev = NULL WHERE id = 1;")
    opened(filled).close()
    with closing(sqlite3.connect(filled)) as connection:
        found = connection.execute("SELECT id, loop_count, branch, rev > 0 FROM task").fetchall()
    assert found == [(1, 0, None, 0), (2, 0, None, 1)]


def test_a_hook_that_lost_its_place_goes_on_with_what_comes(filled):
    """Were it 0, the programs of the user would run for all that ever happened."""
    tamper(
        filled,
        remade(filled, "hook", (r"last_event    BIGINT NOT NULL", "last_event BIGINT")),
        "INSERT INTO hook VALUES ('', 'bell', NULL, 0, 0, 0, NULL, NULL, NULL);",
    )
    opened(filled).close()
    with closing(sqlite3.connect(filled)) as connection:
        newest, place = connection.execute(
            "SELECT MAX(event.id), last_event FROM event, hook"
        ).fetchone()
    assert place == newest > 0


def test_a_column_too_many_goes_and_stays_in_the_copy(filled):
    tamper(filled, "ALTER TABLE comment ADD COLUMN mood TEXT;", "UPDATE comment SET mood = 'glad';")
    opened(filled).close()
    (copy,) = copies(filled)
    assert ("mood", "glad") in contents(copy)["comment"][0]
    assert "mood" not in dict(contents(filled)["comment"][0])


def test_what_somebody_has_beside_it_is_left_and_survives_a_rebuild(filled):
    tamper(
        filled,
        "CREATE INDEX my_index ON task (creator); CREATE TABLE mine (a); INSERT INTO mine VALUES (1);",
        "CREATE VIEW my_view AS SELECT title FROM task;",
        "CREATE TRIGGER my_trigger AFTER DELETE ON task BEGIN DELETE FROM mine; END;",
    )
    before, meant = contents(filled), schema(filled)
    opened(filled).close()
    assert not copies(filled)
    tamper(filled, "DROP INDEX task_order;")
    opened(filled).close()
    assert (contents(filled), schema(filled)) == (before, meant)


@pytest.mark.parametrize(
    ("edit", "script", "words"),
    [
        (None, "DROP TABLE comment;", "its table comment is gone, with all that it held"),
        (("task", r"^    title .*$", ""), "", "its table task has lost the column title"),
        (("comment", r"^    id .*$", ""), "", "its table comment has lost the column id"),
        (
            ("comment", r"^    id .*$", "    id TEXT PRIMARY KEY,"),
            "UPDATE comment SET id = 'c-one';",
            "rows do not fit the schema .*mismatch",
        ),
        (
            ("comment", "run_id     BIGINT", "run_id TEXT"),
            "UPDATE comment SET run_id = 'seven';",
            "comment.run_id holds what is no whole number",
        ),
        (
            ("task", "(TEXT|INTEGER|BIGINT) NOT NULL", r"\1"),
            "UPDATE task SET title = NULL WHERE id = 2;",
            "rows do not fit the schema .*task.title",
        ),
        (
            ("task", r"CHECK \(goal IN .*\)", ""),
            "UPDATE task SET goal = 7;",
            "rows do not fit the schema .*goal",
        ),
        (
            None,
            """DROP INDEX attachment_name; INSERT INTO attachment SELECT id + 1, task_id, run_id,
            name, size, sha256, creator, created_at FROM attachment;""",
            "rows do not fit the schema .*attachment.task_id, attachment.name",
        ),
        (
            ("comment", r" REFERENCES task \(id\) ON DELETE CASCADE", ""),
            "UPDATE comment SET task_id = 99;",
            "table comment refers to nothing in task",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words_and_the_board_left_as_it_is(
    filled, edit, script, words
):
    tamper(filled, *([remade(filled, edit[0], edit[1:])] if edit else []), script)
    before = contents(filled), schema(filled)
    for _ in range(2):
        with pytest.raises(
            Damaged, match=rf"was changed \(.*\), and it cannot be rebuilt: .*{words}"
        ):
            opened(filled)
    assert (contents(filled), schema(filled)) == before
    assert not copies(filled)


def test_the_schema_of_a_healthy_board_is_not_looked_at_closer(filled):
    told = run_python("opened(path).close(); print('shopfloor.store.drift' in sys.modules)", filled)
    assert told.stdout.split() == ["False"]


STARTER = """
import os, signal, sys
sys.path.insert(0, {root!r})
from shopfloor.store import migrate
from shopfloor.store.sqlite import SqliteTx
path = sys.argv[1]
def opened(path):
    return migrate.open_sqlite(path, create=False, clock=lambda: 1_800_000_000_000)
def die_at(last):
    run, left = SqliteTx._run_text, iter(range(last))
    def one(self, text):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        run(self, text)
    SqliteTx._run_text = one
{script}
"""


def run_python(script, path):
    text = STARTER.format(root=str(ROOT), script=script)
    return subprocess.run(
        [sys.executable, "-c", text, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("at", [1, 30, 60, 90, 120])
def test_killed_at_any_statement_it_leaves_the_old_board_and_the_next_one_does_it(filled, at):
    meant = schema(filled)
    tamper(
        filled,
        "DROP INDEX task_order;",
        remade(filled, "task", (r"^    id .*$", "    id TEXT PRIMARY KEY,")),
    )
    before, drifted = contents(filled), schema(filled)
    died = run_python(f"die_at({at}); opened(path)", filled)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (contents(filled), schema(filled)) == (before, drifted)
    opened(filled).close()
    assert schema(filled) == meant


def test_a_board_that_is_opened_for_reading_only_is_not_rebuilt(filled):
    tamper(filled, "DROP INDEX task_order;")
    with pytest.raises(Unavailable, match="not the schema that it was made with"):
        opened(filled, readonly=True)
    opened(filled).close()
    opened(filled, readonly=True).close()


def test_fsck_names_what_is_changed_while_the_board_is_open(filled, tmp_path):
    board = open_board(tmp_path)
    board.ask("task.list")
    tamper(filled, "DROP INDEX task_order; ALTER TABLE comment ADD COLUMN mood TEXT;")
    told = board.ask("admin.fsck")
    assert not told.ok
    assert [(one.invariant, one.sentence) for one in told.problems] == [
        ("schema_differs", "the index task_order is missing"),
        ("schema_differs", "comment has a column mood that is not of this schema"),
    ]
    board.close()


def test_an_older_board_is_rebuilt_before_the_steps_that_it_lacks(notes_file, tmp_path):
    notes_file().close()
    path = tmp_path / "board.db"
    meant = schema(path)
    tamper(path, "DROP INDEX note_word;", remade(path, "trace", (" NOT NULL", "")))
    folder = shutil.copytree(ROOT / "tests" / "store" / "engine_steps", tmp_path / "steps")
    (folder / "0002_colour.sql").write_text("ALTER TABLE trace ADD COLUMN colour TEXT;")
    notes_file(known=migrate.steps(folder)).close()
    (copy,) = copies(path)
    assert schema(path.with_name("board.db.before-0002.bak")) == meant != schema(copy)
    notes_file(known=migrate.steps(folder)).close()
    assert copies(path) == [copy]
