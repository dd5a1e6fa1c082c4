"""Schema steps: forward only, one transaction each, by one starter at a time."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shopfloor.domain.errors import Conflict, NotFound, TooNew, Unavailable
from shopfloor.store import migrate
from shopfloor.store.postgres import open_postgres
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.statements import Statements

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(HERE / "engine_steps", tmp_path / "steps")


def add_step(folder, number, what, text):
    (folder / f"{number:04d}_{what}.sql").write_text(text)
    return migrate.steps(folder)


def applied(database):
    return database.read(migrate.applied_steps)


def word_count(database):
    return database.read(lambda tx: tx.one("note_count"))[0]


def add(tx, word="a word"):
    return tx.run("note_add", word=word, size=1)


def test_a_new_board_has_every_step_and_says_so(notes_place):
    notes = notes_place.open(create=True)
    (step,) = migrate.steps(HERE / "engine_steps")
    ((number, name, checksum, applied_at),) = applied(notes)
    assert (number, name, checksum) == (1, "notes", step.checksum)
    assert abs(applied_at - notes.read(lambda tx: tx.now)) < 1_000_000


def test_the_real_boards_steps_are_applied_on_both_databases(db):
    assert [step.number for step in applied(db)] == [step.number for step in migrate.steps()]
    assert db.read(lambda tx: tx.one("task_counts")) is None


def test_opening_again_changes_nothing(notes_place):
    first = notes_place.open(create=True)
    before = applied(first)
    first.write(add)
    for create in (False, True):
        again = notes_place.open(create=create)
        assert applied(again) == before
        assert word_count(again) == 1


def test_a_place_without_a_board_becomes_one_only_by_create(notes_place):
    for _ in range(2):
        with pytest.raises(NotFound, match=r"shop board create|is not there"):
            notes_place.open()
    assert word_count(notes_place.open(create=True)) == 0


def test_new_steps_are_applied_at_the_next_opening(notes_place, folder):
    notes_place.open(create=True).write(add)
    known = add_step(
        folder, 2, "colour", "ALTER TABLE note ADD COLUMN colour TEXT;\nUPDATE note SET size = 9;"
    )
    known = add_step(
        folder, 3, "more", "CREATE TABLE more (id @serial, what TEXT); -- a table; or two\n"
    )
    notes = notes_place.open(known=known)
    assert [(step.number, step.name) for step in applied(notes)] == [
        *((1, "notes"), (2, "colour"), (3, "more")),
    ]
    assert notes.read(lambda tx: tx.one("note_sums"))[0] == 9


def test_a_step_that_fails_leaves_nothing_of_itself(notes_place, folder):
    notes_place.open(create=True).write(add)
    known = add_step(
        folder, 2, "broken", "CREATE TABLE half (id @serial);\nINSERT INTO nowhere VALUES (1);"
    )
    with pytest.raises(AssertionError, match="nowhere"):
        notes_place.open(known=known)
    notes = notes_place.open()
    assert len(applied(notes)) == 1
    repaired = add_step(folder, 2, "broken", "CREATE TABLE half (id @serial);")
    assert len(applied(notes_place.open(known=repaired))) == 2


def test_a_newer_board_is_refused_and_left_alone(notes_place, folder):
    known = add_step(folder, 2, "newer", "CREATE TABLE newer (id @serial);")
    newer = notes_place.open(create=True, known=known)
    before = applied(newer)
    for create in (False, True):
        with pytest.raises(TooNew, match="step 2, newer; this one knows 1"):
            notes_place.open(create=create)
    assert applied(newer) == before


def test_a_step_that_was_edited_after_it_was_applied_is_refused(notes_place, folder):
    notes_place.open(create=True)
    file = folder / "0001_notes.sql"
    file.write_text(file.read_text() + "-- one more word\n")
    add_step(folder, 2, "more", "CREATE TABLE more (id @serial);")
    with pytest.raises(Conflict, match=r"step 1 \(notes\) of .* is not the one"):
        notes_place.open(known=migrate.steps(folder))
    assert len(applied(notes_place.open())) == 1


def test_somebody_elses_tables_are_left_alone(tmp_path, postgres_url):
    known = migrate.steps(HERE / "engine_steps")
    theirs = SqliteDatabase(tmp_path / "board.db", clock=lambda: 0)
    theirs.create()
    there = open_postgres(postgres_url, "board", create=True, known=[])
    for database in (theirs, there):
        database.alter(lambda tx: tx.script("CREATE TABLE theirs (id INTEGER);"))
    for create in (False, True):
        with pytest.raises(Conflict, match="tables of another program"):
            migrate.open_sqlite(tmp_path / "board.db", create=create, clock=lambda: 0, known=known)
        with pytest.raises(Conflict, match="tables of another program"):
            open_postgres(postgres_url, "board", create=create, known=known)
    for database in (theirs, there):
        assert database.read(lambda tx: tx.one("schema_table_count")) == (1,)
        database.close()


@pytest.mark.parametrize(
    "names",
    [["1_a.sql"], ["0001_a.sql", "0003_c.sql"], ["0002_b.sql"], ["0001_a.sql", "0001_b.sql"]],
)
def test_steps_are_numbered_without_a_hole(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(AssertionError):
        migrate.steps(tmp_path)


def test_a_table_can_be_rebuilt_with_the_rows_that_refer_to_it(notes_place, folder):
    """The way to change a table in SQLite: another one, filled, under the old name."""
    notes = notes_place.open(create=True)
    notes.write(lambda tx: [add(tx), tx.run("trace_add", note_id=1, what="kept")])
    notes.close()
    rebuild = """
-- only: sqlite
CREATE TABLE note_new (id INTEGER PRIMARY KEY, word TEXT NOT NULL, size BIGINT NOT NULL, stage TEXT);
INSERT INTO note_new (id, word, size, stage) SELECT id, word, size, stage FROM note;
DROP TABLE note;
ALTER TABLE note_new RENAME TO note;
-- only: postgres
ALTER TABLE note DROP COLUMN place;
"""
    notes = notes_place.open(known=add_step(folder, 2, "rebuild", rebuild))
    assert notes.read(lambda tx: tx.all("trace_all")) == [(1, "kept")]
    assert word_count(notes) == 1


def test_a_step_that_leaves_rows_without_what_they_refer_to_is_refused(notes_file, folder):
    notes = notes_file()
    notes.write(lambda tx: [add(tx), tx.run("trace_add", note_id=1, what="kept")])
    notes.close()
    known = add_step(folder, 2, "cut", "DELETE FROM note;")
    with pytest.raises(AssertionError, match="refer to nothing"):
        notes_file(known=known)
    assert word_count(notes_file()) == 1


def test_a_file_is_backed_up_before_each_step(notes_file, folder, tmp_path):
    notes = notes_file()
    notes.write(add)
    notes.close()
    assert not list(tmp_path.glob("*.bak"))
    add_step(folder, 2, "grow", "UPDATE note SET size = 20;")
    known = add_step(folder, 3, "grow_more", "UPDATE note SET size = 300;")
    notes_file(known=known).close()
    sizes = {}
    for backup in tmp_path.glob("board.db.before-*.bak"):
        before = SqliteDatabase(
            backup, clock=lambda: 0, statements=Statements("sqlite", tmp_path / "sql")
        )
        steps, sums = before.read(lambda tx: (len(migrate.applied_steps(tx)), tx.one("note_sums")))
        sizes[backup.name] = (steps, sums[0])
        before.close()
    assert sizes == {"board.db.before-0002.bak": (1, 1), "board.db.before-0003.bak": (2, 20)}


def test_a_creation_that_was_cut_short_is_finished_by_the_next_one(notes_place):
    """Whatever the statement is that a creation dies at."""

    class Killed(BaseException):
        pass

    def kill_at(last):
        left = iter(range(last))

        def probe(name):
            if next(left, None) is None:
                raise Killed

        return probe

    deaths = 0
    while True:
        try:
            notes_place.open(create=True, probe=kill_at(deaths)).close()
        except Killed:
            deaths += 1
            continue
        break
    assert deaths > 5
    assert word_count(notes_place.open()) == 0


def test_a_board_of_an_older_program_is_not_opened_for_reading_only(notes_file, folder):
    known = add_step(folder, 2, "more", "CREATE TABLE more (id @serial);")
    with pytest.raises(Unavailable, match="written by an older program"):
        notes_file(readonly=True, known=known)
    assert len(applied(notes_file())) == 1


STARTER = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store import migrate
from shopfloor.store.postgres import open_postgres
from shopfloor.store.statements import Statements

dialect, where, sql, steps = sys.argv[1:]
more = dict(create=True, known=migrate.steps(Path(steps)), statements=Statements(dialect, Path(sql)))
print("here", flush=True)
sys.stdin.readline()
for _ in range(3):
    if dialect == "sqlite":
        db = migrate.open_sqlite(where, clock=lambda: 0, **more)
    else:
        db = open_postgres(where, "board", **more)
    db.write(lambda tx: tx.run("trace_add", note_id=None, what="here"))
    print(len(db.read(migrate.applied_steps)), flush=True)
    db.close()
"""


def test_many_may_start_at_once(notes_place, folder, tmp_path):
    for number in range(2, 6):
        add_step(folder, number, f"step{number}", f"CREATE TABLE t{number} (id @serial);")
    arguments = [notes_place.dialect, notes_place.where, tmp_path / "sql", folder]
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER.format(root=str(ROOT)), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for starter in starters:
        assert starter.stdout.readline() == "here\n"
    said = []
    for starter in starters:
        starter.stdin.write("go\n")
        starter.stdin.flush()
    for starter in starters:
        said.append(starter.communicate(timeout=120)[0])
        assert starter.returncode == 0
    assert said == ["5\n5\n5\n"] * 4
    notes = notes_place.open(known=migrate.steps(folder))
    assert notes.read(lambda tx: tx.one("trace_count")) == (12,)
    assert [step.number for step in applied(notes)] == [1, 2, 3, 4, 5]
