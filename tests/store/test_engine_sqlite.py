"""What only an SQLite file can do: settings, descriptors, locks, and a file that others touch."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shopfloor.domain.errors import Damaged, NotFound, Unavailable
from shopfloor.store.sqlite import SqliteDatabase
from shopfloor.store.sqlite_file import ALTERING, READERS_MAX, WRITING
from tests.support.engine_notes import add, add_long, count
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


def settings(connection):
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "cell_size_check")
    names = (*names, "wal_autocheckpoint", "busy_timeout", "query_only")
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


def of_both(database):
    writer = settings(database._file.writer(WRITING))
    with database._file.reader() as connection:
        return writer, settings(connection)


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


EVERYWHERE = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "cell_size_check": 1,
    "busy_timeout": 10_000,
}
WRITER = {**EVERYWHERE, "wal_autocheckpoint": 1000, "query_only": 0}
READER = {**EVERYWHERE, "wal_autocheckpoint": 0, "query_only": 1}


def test_every_connection_has_its_settings_also_after_reopening_and_after_a_schema_step(notes_file):
    notes = notes_file()
    assert of_both(notes) == (WRITER, READER)
    within = []
    notes.alter(lambda tx: within.append(settings(notes._file.writer(ALTERING))))
    assert within == [{**WRITER, "foreign_keys": 0}]
    assert of_both(notes) == (WRITER, READER)
    notes.close()
    assert of_both(notes_file()) == (WRITER, READER)


def test_a_file_that_lost_its_write_ahead_log_mode_gets_it_back(notes_file, tmp_path):
    with sqlite3.connect(tmp_path / "board.db") as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    notes = notes_file()
    assert count(notes) == 0
    assert of_both(notes) == (WRITER, READER)


HALF_DONE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=DELETE")
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
for number in range(200):
    values = (f"{number}" + "x" * 2000,)
    connection.execute("INSERT INTO note (word, size, stage) VALUES (?, 1, 'new')", values)
os._exit(9)
"""


def test_what_another_program_left_half_done_is_undone_first(notes_file, tmp_path):
    notes = notes_file()
    notes.write(add)
    notes.close()
    subprocess.run(
        [sys.executable, "-c", HALF_DONE, tmp_path / "board.db"], check=False, timeout=120
    )
    assert (tmp_path / "board.db-journal").stat().st_size > 0
    notes = notes_file()
    assert count(notes) == 1
    assert of_both(notes) == (WRITER, READER)


def test_descriptors_are_given_back(notes_file, tmp_path):
    before = descriptors()
    for _ in range(5):
        notes = notes_file()
        notes.write(lambda tx: tx.one("note_count"))
        notes.backup(tmp_path / "copy.db")
        notes.alter(lambda tx: tx.one("note_count"))
        notes.close()
        assert descriptors() == before


def test_descriptors_are_given_back_when_the_setting_up_fails(notes_file, tmp_path):
    before = descriptors()
    garbage, empty, folder = tmp_path / "garbage.db", tmp_path / "empty.db", tmp_path / "folder.db"
    garbage.write_bytes(b"no database " * 1000)
    empty.touch()
    folder.mkdir()
    for path, failure in (
        (garbage, Damaged),
        (empty, Damaged),
        (folder, Unavailable),
        (tmp_path / "none.db", NotFound),
        (tmp_path / "no folder" / "none.db", NotFound),
    ):
        for _ in range(3):
            database = SqliteDatabase(path, clock=lambda: 0)
            with pytest.raises(failure):
                database.read(lambda tx: None)
            with pytest.raises(failure):
                database.write(lambda tx: None)
            database.close()
            assert descriptors() == before


def test_a_file_is_made_only_by_create_and_for_its_user_alone(tmp_path):
    path = tmp_path / "board.db"
    database = SqliteDatabase(path, clock=lambda: 0)
    for attempt in (database.read, database.write):
        with pytest.raises(NotFound, match="is not there; put a backup"):
            attempt(lambda tx: None)
    assert not path.exists()
    database.create()
    assert database.read(lambda tx: tx.one("schema_table_count")) == (0,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    database.create()
    database.write(lambda tx: tx.run("schema_step_table"))
    database.close()
    assert [name.name for name in tmp_path.iterdir()] == ["board.db"]


def test_an_empty_file_is_no_board_until_it_is_made_one(tmp_path):
    path = tmp_path / "board.db"
    path.touch()
    database = SqliteDatabase(path, clock=lambda: 0)
    with pytest.raises(Damaged, match="is empty"):
        database.write(lambda tx: None)
    assert path.stat().st_size == 0
    assert [name.name for name in tmp_path.iterdir()] == ["board.db"]
    database.create()
    assert database.write(lambda tx: tx.now) == 0
    database.close()


def test_a_log_whose_file_is_gone_is_not_thrown_away(notes_file, tmp_path):
    notes = notes_file()
    notes.write(add)
    lone = tmp_path / "lone"
    lone.mkdir()
    shutil.copy(tmp_path / "board.db-wal", lone / "board.db-wal")
    log = (lone / "board.db-wal").read_bytes()
    assert log
    for there in (False, True):
        if there:
            (lone / "board.db").touch()
        for attempt in ("create", "read"):
            database = SqliteDatabase(lone / "board.db", clock=lambda: 0)
            arguments = [] if attempt == "create" else [lambda tx: None]
            with pytest.raises(Damaged, match="its log is still there"):
                getattr(database, attempt)(*arguments)
            database.close()
    assert (lone / "board.db-wal").read_bytes() == log
    (kept,) = lone.glob("board.db.corrupt.*.bak-wal")
    assert kept.read_bytes() == log


def test_the_first_error_survives_a_rollback_that_fails(notes_file):
    notes = notes_file()

    def work(tx):
        add(tx, "never")
        notes._file._writer.close()
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        notes.write(work)
    assert notes.write(lambda tx: tx.one("note_count")) == (0,)
    assert of_both(notes) == (WRITER, READER)


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(notes_file):
    notes = notes_file()
    with pytest.raises(AssertionError, match="inside a write"):
        notes.write(lambda tx: notes.write(add))
    with pytest.raises(AssertionError, match="inside its own transaction"):
        notes.write(lambda tx: notes.close())
    assert count(notes) == 0


def test_a_board_opened_for_reading_is_not_written(notes_file):
    notes_file().write(add)
    reading = notes_file(readonly=True)
    assert count(reading) == 1
    with pytest.raises(AssertionError, match="for reading only"):
        reading.write(add)


def test_readers_are_not_held_up_by_a_writer_and_see_the_last_commit(notes_file):
    notes = notes_file()

    def work(tx):
        add(tx, "not yet")
        return count(notes)

    assert notes.write(work) == 0
    assert count(notes) == 1


def test_closing_waits_for_who_reads_and_then_brings_the_log_into_the_file(notes_file, tmp_path):
    """The reader gives its connection back while the file is closed, and neither waits for the other."""
    notes = notes_file()
    notes.write(lambda tx: add(tx, "kept"))
    log = tmp_path / "board.db-wal"
    reading, go_on = threading.Event(), threading.Event()

    def read(tx):
        found = tx.one("note_count")
        reading.set()
        assert go_on.wait(timeout=90)
        return found

    reader = threading.Thread(target=notes.read, args=(read,))
    closer = threading.Thread(target=notes.close)
    reader.start()
    assert reading.wait(timeout=90)
    closer.start()
    eventually(lambda: notes._file._closed)
    assert log.exists()
    go_on.set()
    closer.join()
    assert not log.exists()
    reader.join()


def test_more_readers_than_connections_take_turns(notes_file):
    notes = notes_file()
    together = threading.Barrier(READERS_MAX)
    seen = []

    def read(tx):
        together.wait(timeout=120)
        return tx.one("note_count")

    threads = [
        threading.Thread(target=lambda: seen.append(notes.read(read)))
        for _ in range(READERS_MAX * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(0,)] * READERS_MAX * 3


SIDE_OPENS = """
import sys, tempfile
sys.path.insert(0, {root!r})
from pathlib import Path
from shopfloor.store import health, migrate
from shopfloor.store.statements import Statements

folder, sql, steps = map(Path, sys.argv[1:])
names = {{str(folder / ("board.db" + end)) for end in ("", "-wal", "-shm")}}
opened = []

def hook(event, arguments):
    if event in ("open", "os.open") and str(arguments[0]) in names:
        opened.append(arguments[0])

sys.addaudithook(hook)
(folder / "board.db").parent.mkdir(exist_ok=True)
with open(folder / "board.db-shm", "a"):
    assert opened, "the hook does not see what it is there to see"
opened.clear()
(folder / "board.db-shm").unlink()

clock = lambda: 0
more = dict(clock=clock, known=migrate.steps(steps), statements=Statements("sqlite", sql))
db = migrate.open_sqlite(folder / "board.db", create=True, **more)
for number in range(60):
    db.write(lambda tx: tx.one("note_add", word=f"{{number}}" + "x" * 9000, size=1))
db.write_together([lambda tx: tx.one("note_count")] * 3)
db.backup(folder / "copy.db")
assert not health.quick_check(db) and not health.full_check(db)
db.alter(lambda tx: tx.script("CREATE TABLE more (x INTEGER);"))
health.fingerprint(db.path), health.stopped_uncleanly(db.path), health.kept_copies(db.path)
db.read(lambda tx: tx.one("note_count"))
assert health.keep_copy(db.path) is None
db.close()
db = migrate.open_sqlite(folder / "board.db", create=False, **more)
db.read(lambda tx: tx.one("note_count"))
db.close()
assert not opened, opened
print("none")
"""


def test_nobody_but_sqlite_opens_the_file(tmp_path, notes_file):
    arguments = [tmp_path / "aside", tmp_path / "sql", ROOT / "tests/store/engine_steps"]
    done = subprocess.run(
        [sys.executable, "-c", SIDE_OPENS.format(root=str(ROOT)), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("none\n", "")


def test_another_process_that_opens_and_closes_the_file_cannot_take_the_log_away(
    notes_file, tmp_path
):
    """It would, if any descriptor of the file had been closed in this process and its locks with it."""
    notes = notes_file()
    visit = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT COUNT(*) FROM note').fetchone()[0]); c.close()"
    for number in range(1, 6):
        notes.write(lambda tx, number=number: add_long(tx, str(number)))
        notes.backup(tmp_path / "copy.db")
        said = subprocess.check_output(
            [sys.executable, "-c", visit, tmp_path / "board.db"], text=True, timeout=120
        )
        assert int(said) == number
        assert (tmp_path / "board.db-wal").stat().st_size > 0
    assert count(notes) == 5


def test_a_look_at_the_files_size_is_no_reason_for_another_one(notes_file):
    """A look brings the log into the file, which changes the file; only others' changes count."""
    notes = notes_file()
    asked = []

    def write(number):
        asked.clear()
        notes.write(lambda tx: tx.run("note_add", word=f"{number}", size=number))
        return [text for text in asked if "wal_checkpoint" in text]

    write(0)
    notes._file._writer.set_trace_callback(asked.append)
    # As if a checkpoint had written the file, long enough ago for any clock.
    os.utime(notes.path, ns=(0, 0))
    assert write(1)
    assert [write(number) for number in range(2, 12)] == [[]] * 10
